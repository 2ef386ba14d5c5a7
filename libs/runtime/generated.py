"""``openapi/``: every document that is made from the code, committed and diffed.

``openapi/gateway.json`` is the one API document of the installation, ``openapi/<service>.json``
what each service answers by itself, ``openapi/asyncapi.json`` and ``openapi/events/`` the facts on
the bus. Services are loaded by name: libs know none of them.

``python -m libs.runtime.generated`` writes them; with ``--check`` it names what is out of date.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from libs.contracts.documents import async_api, fact_schema
from libs.contracts.registry import all_facts
from libs.runtime.databases import SERVICES
from libs.runtime.migrations import REPOSITORY_ROOT
from libs.webapp.app import VERSION
from libs.webapp.openapi_merge import with_problem_media_type

FOLDER = REPOSITORY_ROOT / "openapi"
GATEWAY = "gateway"

Document = dict[str, Any]


def write(folder: Path = FOLDER) -> None:
    """Bring the folder up to date; files nobody generates any more are removed."""
    wanted = _texts()
    for stale in set(_present(folder)) - set(wanted):
        (folder / stale).unlink()
    for name, text in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def differences(folder: Path = FOLDER) -> list[str]:
    """What is missing, stale or left over, one line a file; empty where all is up to date."""
    wanted, present = _texts(), _present(folder)
    return [
        *(f"{name} is missing" for name in sorted(set(wanted) - set(present))),
        *(f"{name} is not generated any more" for name in sorted(set(present) - set(wanted))),
        *(
            f"{name} is out of date"
            for name in sorted(wanted)
            if present.get(name, wanted[name]) != wanted[name]
        ),
    ]


def documents() -> dict[str, Document]:
    """File name (relative to the folder) -> document."""
    services = {service: _described(service) for service in SERVICES if service != GATEWAY}
    merged = _app_of(GATEWAY).public_document(services)
    return {
        **{f"{service}.json": document for service, document in services.items()},
        f"{GATEWAY}.json": merged,
        "asyncapi.json": async_api("医疗保障经办事件", VERSION),
        **{f"events/{event_type}.json": fact_schema(fact) for event_type, fact in all_facts().items()},
    }


def _described(service: str) -> Document:
    return with_problem_media_type(_app_of(service).create(None).openapi())


def _app_of(service: str) -> Any:
    return importlib.import_module(f"services.{service}.app")


def _texts() -> dict[str, str]:
    return {
        name: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in documents().items()
    }


def _present(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.json")
    }


def main(arguments: list[str]) -> int:
    """Exit status 1 where ``--check`` finds something out of date."""
    if arguments != ["--check"]:
        write()
        return 0
    found = differences()
    for line in found:
        print(f"openapi/{line}: run `python -m libs.runtime.generated`")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
