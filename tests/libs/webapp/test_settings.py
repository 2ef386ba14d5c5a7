"""Nothing starts outside development with a placeholder secret."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from libs.webapp.settings import (
    PLACEHOLDER,
    Environment,
    PlaceholderSecretError,
    ServiceSettings,
    secret_bytes,
)

KEY = base64.b64encode(b"k" * 32).decode()
COMPLETE: dict[str, Any] = {
    "environment": "production",
    "token_public_key": KEY,
    "field_key": KEY,
    "blind_index_key": KEY,
}


def test_development_starts_with_nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("YIBAO_ENVIRONMENT", raising=False)
    settings = ServiceSettings()
    assert settings.environment is Environment.DEVELOPMENT
    assert len(secret_bytes(settings.field_key)) == 32


def test_production_starts_with_everything_set() -> None:
    assert ServiceSettings(**COMPLETE).environment is Environment.PRODUCTION


LEFT = [
    (name, value)
    for name in ("token_public_key", "field_key", "blind_index_key")
    for value in (PLACEHOLDER, "", None)
    if (name, value) != ("token_public_key", PLACEHOLDER)  # no secret: a wrong one is refused when it is read
]


@pytest.mark.parametrize(("name", "value"), LEFT)
def test_production_names_each_secret_that_is_left(name: str, value: str | None) -> None:
    given = {known: kept for known, kept in (COMPLETE | {name: value}).items() if kept is not None}
    with pytest.raises(PlaceholderSecretError, match=f"YIBAO_{name.upper()}"):
        ServiceSettings(**given)


def test_all_that_are_left_are_named_at_once() -> None:
    with pytest.raises(PlaceholderSecretError, match="YIBAO_FIELD_KEY, YIBAO_BLIND_INDEX_KEY"):
        ServiceSettings(environment=Environment.PRODUCTION, token_public_key=KEY)


def test_settings_come_from_the_environment_and_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YIBAO_DATABASE_POOL_SIZE", "3")
    monkeypatch.setenv("YIBAO_EDITION_PINS", '{"370300": "shandong-2020"}')
    settings = ServiceSettings()
    assert (settings.database_pool_size, settings.edition_pins) == (3, {"370300": "shandong-2020"})
    with pytest.raises(ValidationError):
        settings.database_pool_size = 4  # type: ignore[misc]


@pytest.mark.parametrize("value", ["", "AAAA", base64.b64encode(b"k" * 31).decode(), "not base64!"])
def test_a_key_of_another_length_is_no_key(value: str) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|base64|padding"):
        secret_bytes(SecretStr(value))


def test_a_secret_does_not_show_in_what_is_printed() -> None:
    assert KEY not in repr(ServiceSettings(**COMPLETE)).replace(f"token_public_key='{KEY}'", "")
