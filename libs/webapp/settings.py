"""Settings every service has. Environment variables ``YIBAO_<NAME>``; nothing else is read.

Outside development nothing starts with a placeholder secret.
"""

from __future__ import annotations

import base64
from enum import StrEnum
from typing import Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PLACEHOLDER = "development-only"
_KEY_BYTES = 32


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class EventTransport(StrEnum):
    POSTGRES = "postgres"
    KAFKA = "kafka"
    MEMORY = "memory"


class PlaceholderSecretError(Exception):
    """A secret outside development was left at its placeholder."""


class ServiceSettings(BaseSettings):
    """What a service needs to start. The sentences below are what docs/settings.md is written from."""

    model_config = SettingsConfigDict(
        env_prefix="YIBAO_", extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    environment: Environment = Environment.DEVELOPMENT
    """In production nothing starts with a placeholder secret."""

    database_url: str = "postgresql://localhost/yibao"
    """The service's own database, as its own login."""

    database_pool_size: int = 10
    """Connections kept open; as many again are opened under load."""

    event_transport: EventTransport = EventTransport.POSTGRES
    """What carries the events: `kafka` in production, `postgres` for one machine, `memory` in tests."""

    event_log_url: str = "postgresql://localhost/eventbus"
    """Database of the event log (transport `postgres` only)."""

    kafka_bootstrap: str = "localhost:9092"
    """Brokers as `host:port`, separated by commas (transport `kafka` only)."""

    relay_poll_s: float = 0.03
    """Longest pause between two looks at an empty outbox: what a fact waits before it is told."""

    gateway_url: str = "http://127.0.0.1:8080"
    """Where callers and other agencies reach the gateway."""

    token_public_key: str = ""
    """Ed25519 public key (base64, 32 bytes) that access tokens are verified with."""

    field_key: SecretStr = SecretStr(PLACEHOLDER)
    """AES-256 key (base64, 32 bytes) for personal fields at rest."""

    field_key_id: str = "k1"
    """Name of the field key, stored with every value it encrypts."""

    blind_index_key: SecretStr = SecretStr(PLACEHOLDER)
    """HMAC key (base64, 32 bytes) for looking personal fields up."""

    edition_pins: dict[str, str] = {}
    """Region code -> catalogue edition in force there whatever the date (JSON object)."""

    @model_validator(mode="after")
    def _no_placeholder_in_production(self) -> Self:
        if self.environment is Environment.DEVELOPMENT:
            return self
        left = [name for name in type(self).model_fields if _is_placeholder(getattr(self, name))]
        if left or not self.token_public_key:
            names = ", ".join(f"YIBAO_{name.upper()}" for name in left or ["token_public_key"])
            raise PlaceholderSecretError(f"set {names} before starting outside development")
        return self


def secret_bytes(secret: SecretStr) -> bytes:
    """Decode a base64 key of 32 bytes; the development placeholder becomes a fixed, worthless key.

    Raises ValueError for anything else: a short key would work, and protect nothing.
    """
    value = secret.get_secret_value()
    if value == PLACEHOLDER:
        return PLACEHOLDER.encode().ljust(_KEY_BYTES, b".")
    key = base64.b64decode(value, validate=True)
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a key has {_KEY_BYTES} bytes, this one has {len(key)}")
    return key


def _is_placeholder(value: object) -> bool:
    return isinstance(value, SecretStr) and value.get_secret_value() in ("", PLACEHOLDER)
