"""``docs/settings.md``, written from the settings models: every variable, its default, its sentence."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from libs.runtime.databases import SERVICES
from libs.runtime.migrations import REPOSITORY_ROOT
from libs.runtime.provisioning import ProvisioningSettings
from libs.webapp.settings import ServiceSettings

SETTINGS_PAGE = REPOSITORY_ROOT / "docs" / "settings.md"

_HEAD = """\
# Settings

Every process reads its settings from environment variables and from nothing else. Outside
development (`YIBAO_ENVIRONMENT=production`) none starts with a secret left at its placeholder.

This page is written by `make generate` from the settings models; change the sentences there.
"""


def settings_markdown() -> str:
    """The whole page."""
    sections = [_HEAD, settings_section("Every service", ServiceSettings, set())]
    common = set(ServiceSettings.model_fields)
    for service in SERVICES:
        model = settings_of(service)
        if set(model.model_fields) - common:
            sections.append(settings_section(f"The {service} service besides", model, common))
    sections.append(settings_section("`yibao migrate`", ProvisioningSettings, set()))
    return "\n".join(sections)


def settings_of(service: str) -> type[ServiceSettings]:
    """The settings model of a service; the common one where it has none of its own."""
    name = f"services.{service}.settings"
    if importlib.util.find_spec(name) is None:
        return ServiceSettings
    models = [
        value
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value.__module__ == name
    ]
    return models[0] if models else ServiceSettings


def undocumented(model: type[BaseSettings]) -> list[str]:
    """Fields without a sentence of their own."""
    return [name for name, field in model.model_fields.items() if not field.description]


def variable_of(model: type[BaseSettings], field: str) -> str:
    """The environment variable a field is read from."""
    return f"{model.model_config.get('env_prefix', '')}{field}".upper()


def settings_section(title: str, model: type[BaseSettings], without: set[str]) -> str:
    """The table of one model's fields, but those in ``without``."""
    rows = "\n".join(_rows(model, without))
    return f"## {title}\n\n| variable | default | meaning |\n| --- | --- | --- |\n{rows}\n"


def _rows(model: type[BaseSettings], without: set[str]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name not in without:
            meaning = " ".join((field.description or "").split()).replace("``", "`")
            yield f"| `{variable_of(model, name)}` | {_default(field)} | {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "none: must be given"
    return _shown(field.get_default(call_default_factory=True, validated_data={}))


def _shown(value: Any) -> str:
    match value:
        case SecretStr():
            return "a placeholder, for development only"
        case Enum():
            return f"`{value.value}`"
        case Path() if value.is_absolute() and value.is_relative_to(REPOSITORY_ROOT):
            return f"`{value.relative_to(REPOSITORY_ROOT)}`"
        case "" | None:
            return "empty"
        case str() | Path():
            return f"`{value}`"
        case _:
            return f"`{json.dumps(value, ensure_ascii=False, default=str)}`"
