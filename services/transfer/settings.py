"""Settings of the transfer service besides those every service has."""

from __future__ import annotations

from pathlib import Path

from libs.regions.agencies import DEFAULT_FILE
from libs.webapp.settings import ServiceSettings


class TransferSettings(ServiceSettings):
    """Where agencies and seals are found, and how often the timers look."""

    agencies_file: Path = DEFAULT_FILE
    """Directory of agencies (shape: libs/regions/data/agencies.yaml)."""

    exchange_keys_folder: Path = Path("var/exchange-keys")
    """Folder with ``<region>.pem`` (own seals, PKCS#8 Ed25519) and ``trusted.json`` (all public keys)."""

    chase_poll_s: float = 60.0
    """Seconds between two looks for unanswered moves."""

    exchange_poll_s: float = 0.05
    """Longest pause between two looks for messages to send."""

    exchange_timeout_s: float = 8.0
    """Seconds another city has to answer a message before it is sent again."""
