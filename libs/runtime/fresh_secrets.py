"""Fresh secrets for one installation, as the lines of its ``.env``."""

from __future__ import annotations

import base64
import secrets

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.runtime.databases import SERVICES

PASSWORDS = ("POSTGRES_PASSWORD", "OWNER_PASSWORD", *(f"{service.upper()}_PASSWORD" for service in SERVICES))
KEYS = ("FIELD_KEY", "BLIND_INDEX_KEY")


def fresh_secrets() -> dict[str, str]:
    """Every secret that docker-compose.yml asks for, new. Passwords are safe inside a URL."""
    signing = Ed25519PrivateKey.generate()
    return {
        **{name: secrets.token_urlsafe(32) for name in PASSWORDS},
        **{name: _base64(secrets.token_bytes(32)) for name in KEYS},
        "TOKEN_PRIVATE_KEY": _base64(signing.private_bytes_raw()),
        "TOKEN_PUBLIC_KEY": _base64(signing.public_key().public_bytes_raw()),
    }


def env_file() -> str:
    """The same as text for ``.env``; keep it as you would keep the data."""
    return "".join(f"{name}={value}\n" for name, value in fresh_secrets().items())


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
