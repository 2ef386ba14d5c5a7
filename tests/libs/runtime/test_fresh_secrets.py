"""Fresh secrets: new each time, right in kind, and accepted by the settings they are for."""

from __future__ import annotations

import base64
from urllib.parse import quote

from pydantic import SecretStr

from libs.runtime.fresh_secrets import env_file, fresh_secrets
from libs.webapp.callers import TokenVerifier
from libs.webapp.settings import Environment, ServiceSettings, secret_bytes


def test_no_two_installations_share_a_secret() -> None:
    first, second = fresh_secrets(), fresh_secrets()
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())
    assert len(set(first.values())) == len(first)


def test_passwords_need_no_quoting_in_a_url() -> None:
    passwords = [value for name, value in fresh_secrets().items() if name.endswith("PASSWORD")]
    assert passwords == [quote(value, safe="") for value in passwords]


def test_production_starts_with_them() -> None:
    fresh = fresh_secrets()
    settings = ServiceSettings(
        environment=Environment.PRODUCTION,
        token_public_key=fresh["TOKEN_PUBLIC_KEY"],
        field_key=SecretStr(fresh["FIELD_KEY"]),
        blind_index_key=SecretStr(fresh["BLIND_INDEX_KEY"]),
    )
    assert len(secret_bytes(settings.field_key)) == 32
    assert len(secret_bytes(settings.blind_index_key)) == 32
    TokenVerifier(settings.token_public_key)
    assert len(base64.b64decode(fresh["TOKEN_PRIVATE_KEY"])) == 32


def test_the_file_has_one_line_a_secret() -> None:
    lines = env_file().splitlines()
    assert [line.split("=")[0] for line in lines] == list(fresh_secrets())
