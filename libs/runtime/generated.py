"""Every file that is made from the code, committed and diffed: ``openapi/`` and ``docs/settings.md``.

``openapi/gateway.json`` is the one API document of the installation, ``openapi/<service>.json``
what each service answers by itself, ``openapi/asyncapi.json`` and ``openapi/events/`` the facts on
the bus. Services are loaded by name: libs know none of them. ``yibao generate [--check]`` runs this.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from libs.contracts.documents import async_api, fact_schema
from libs.contracts.registry import all_facts
from libs.runtime.databases import SERVICES
from libs.runtime.generated_settings import settings_markdown
from libs.runtime.migrations import REPOSITORY_ROOT
from libs.webapp.app import VERSION
from libs.webapp.openapi_merge import with_problem_media_type

GATEWAY = "gateway"

Document = dict[str, Any]


def write(root: Path = REPOSITORY_ROOT) -> None:
    """Bring the files below ``root`` up to date; documents nobody generates any more are removed."""
    wanted = _texts()
    for stale in _present(root).keys() - wanted.keys():
        (root / stale).unlink()
    for name, text in wanted.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def differences(root: Path = REPOSITORY_ROOT) -> list[str]:
    """What is missing, stale or left over, one line a file; empty where all is up to date."""
    wanted, present = _texts(), _present(root)
    changed = {name for name in wanted.keys() & present.keys() if wanted[name] != present[name]}
    return [
        *(f"{name} is missing" for name in sorted(wanted.keys() - present.keys())),
        *(f"{name} is not generated any more" for name in sorted(present.keys() - wanted.keys())),
        *(f"{name} is out of date" for name in sorted(changed)),
    ]


def documents() -> dict[str, Document]:
    """File name below ``openapi/`` -> document."""
    services = {service: _described(service) for service in SERVICES if service != GATEWAY}
    return {
        **{f"{service}.json": document for service, document in services.items()},
        f"{GATEWAY}.json": _app_of(GATEWAY).public_document(services),
        "asyncapi.json": async_api("医疗保障经办事件", VERSION),
        **{f"events/{event_type}.json": fact_schema(fact) for event_type, fact in all_facts().items()},
    }


def _described(service: str) -> Document:
    return with_problem_media_type(_app_of(service).create(None).openapi())


def _app_of(service: str) -> Any:
    return importlib.import_module(f"services.{service}.app")


def _texts() -> dict[str, str]:
    made = {
        f"openapi/{name}": json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in documents().items()
    }
    return {**made, "docs/settings.md": settings_markdown()}


def _present(root: Path) -> dict[str, str]:
    paths = [*(root / "openapi").rglob("*.json"), *(root / "docs").glob("settings.md")]
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
