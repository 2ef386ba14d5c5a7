"""The same rooms with the same names in every service; small files and functions; no junk drawers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.runtime.databases import SERVICES
from tests.support.sources import own_files, python_files, services, text_of, tree_of

# A room is a file or, when it has two subjects, a folder of the same name.
ALWAYS = {"README.md", "__init__", "app", "migrations"}
ROOMS = ALWAYS | {
    "worker",
    "settings",
    "routes",
    "schemas",
    "service",
    "domain",
    "repository",
    "models",
    "consumers",
}
# service -> room it has beyond these, and why.
MORE_ROOMS: dict[str, dict[str, str]] = {
    "enrollment": {
        "composition": "app and worker are built from the same caseflow: businesses, catalogues, directory",
        "rules.yaml": "what no catalogue states: data with their sources, not code",
    },
    "transfer": {
        "composition": "app and worker are built from the same office: seals, catalogues, directory",
        "rules.yaml": "limits that no catalogue states: data with their sources, not code",
    },
}
# service -> rooms it lacks of those every service with business has, and why.
WITH_BUSINESS = ALWAYS | {"worker", "routes", "schemas", "service", "repository", "models"}
BARE = "answers health only until its issue comes"
FEWER_ROOMS: dict[str, dict[str, str]] = {
    "gateway": {"worker": "publishes and hears nothing"},
    "remote_care": dict.fromkeys(WITH_BUSINESS - ALWAYS, BARE),
    "reimbursement": dict.fromkeys(WITH_BUSINESS - ALWAYS, BARE),
    "settlement": dict.fromkeys(WITH_BUSINESS - ALWAYS, BARE),
}

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LONGER_WITH_REASON: dict[str, str] = {}

JUNK_DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "shared"}


def rooms_of(service: str) -> set[str]:
    """Names at the top of a service's folder; Python files without their suffix."""
    tops = {path.parts[2] for path in own_files() if path.parts[:2] == ("services", service)}
    return {name.removesuffix(".py") for name in tops}


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods in a file."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_services_are_those_that_have_a_database() -> None:
    assert services() == sorted(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_no_room_without_a_reason(service: str) -> None:
    assert rooms_of(service) - ROOMS == set(MORE_ROOMS.get(service, {}))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_lacks_no_room_without_a_reason(service: str) -> None:
    assert WITH_BUSINESS - rooms_of(service) == set(FEWER_ROOMS.get(service, {}))


def test_no_file_is_too_long() -> None:
    long = {
        str(path): lines
        for path in python_files("libs", "services")
        if (lines := text_of(path).count("\n")) > LONGEST_FILE and str(path) not in LONGER_WITH_REASON
    }
    assert not long, f"longer than {LONGEST_FILE} lines; split by subject: {long}"


def test_no_function_is_too_long() -> None:
    long = {
        f"{path}::{function.name}": lines
        for path in python_files("libs", "services")
        for function in functions_of(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
        and f"{path}::{function.name}" not in LONGER_WITH_REASON
    }
    assert not long, f"longer than {LONGEST_FUNCTION} lines: {long}"


def test_every_exception_still_exists() -> None:
    files = {str(path) for path in own_files()}
    assert {name.split("::")[0] for name in LONGER_WITH_REASON} <= files


def test_there_are_no_junk_drawers() -> None:
    drawers = [
        str(path)
        for path in python_files("libs", "services", "tests")
        if JUNK_DRAWERS & {part.removesuffix(".py") for part in path.parts}
    ]
    assert not drawers
