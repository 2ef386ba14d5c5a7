"""Every setting has a sentence, and docs/settings.md is written from them."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.runtime.databases import SERVICES
from libs.runtime.generated_settings import (
    SETTINGS_PAGE,
    settings_markdown,
    settings_of,
    settings_section,
    undocumented,
    variable_of,
)
from libs.runtime.provisioning import ProvisioningSettings

MODELS = sorted(
    {settings_of(service) for service in SERVICES} | {ProvisioningSettings}, key=lambda m: m.__name__
)


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_has_a_sentence(model: type[BaseSettings]) -> None:
    assert undocumented(model) == []


@pytest.mark.parametrize("model", MODELS)
def test_settings_come_from_variables_of_ours(model: type[BaseSettings]) -> None:
    assert all(variable_of(model, name).startswith("YIBAO_") for name in model.model_fields)


def test_the_page_is_up_to_date() -> None:
    assert SETTINGS_PAGE.read_text(encoding="utf-8") == settings_markdown(), "run `make generate`"


class Sample(BaseSettings):
    """Settings to try the page on."""

    model_config = SettingsConfigDict(env_prefix="SAMPLE_", use_attribute_docstrings=True)

    silent: int = 1
    key: SecretStr = SecretStr("very secret")
    """A key."""

    needed: str
    """Something ``needed``."""


def test_an_undocumented_setting_would_be_found() -> None:
    assert undocumented(Sample) == ["silent"]


def test_the_page_shows_no_secret_and_says_what_must_be_given() -> None:
    page = settings_section("Sample", Sample, {"silent"})
    assert "very secret" not in page
    assert "| `SAMPLE_KEY` | a placeholder, for development only | A key. |" in page
    assert "| `SAMPLE_NEEDED` | none: must be given | Something `needed`. |" in page
    assert "SAMPLE_SILENT" not in page
