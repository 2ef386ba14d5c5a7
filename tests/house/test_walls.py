"""Who may import whom (.importlinter). Every wall is shown to stand, and to fall where it must."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import ROOT, python_files

# contract -> one violation: modules and the imports planted in them.
VIOLATIONS: dict[str, tuple[str, dict[str, str]]] = {
    "a service imports another": (
        "services-apart",
        {"services.transfer.app": "import services.enrollment"},
    ),
    "a service imports another through a room of its own": (
        "services-apart",
        {"services.tracking.repository": "from services.transfer.models import Move"},
    ),
    "a lib imports a service": (
        "libs-below-services",
        {"libs.regions.names": "import services.transfer"},
    ),
    "a pure lib imports the database": ("pure", {"libs.money.amounts": "import sqlalchemy"}),
    "a pure lib reaches HTTP through another lib": (
        "pure",
        {"libs.casework.clock": "import libs.exchange.planted", "libs.exchange.planted": "import aiohttp"},
    ),
    "a domain imports the web": ("pure", {"services.transfer.domain": "import fastapi"}),
    "a new service's domain imports the bus": (
        "pure",
        {"services.newcomer": "", "services.newcomer.domain": "import aiokafka"},
    ),
    "the domain knows the repository": (
        "rooms",
        {"services.transfer.domain": "import services.transfer.repository"},
    ),
    "models know the service": (
        "rooms",
        {"services.enrollment.models": "import services.enrollment.service"},
    ),
    "the service knows the routes": (
        "rooms",
        {"services.transfer.service": "import services.transfer.routes"},
    ),
    "a room that nobody agreed on": ("rooms", {"services.transfer.helpers": ""}),
    "two libs in a circle": (
        "libs-without-circles",
        {
            "libs.refusals.faults": "import libs.webapp.problems",
            "libs.webapp.problems": "import libs.refusals.faults",
        },
    ),
}

ROOMS = ("routes", "service", "repository", "models", "domain")


def lint_imports(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """import-linter over the packages in ``folder`` by the house's contracts."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache", *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def emptied_house(folder: Path) -> Path:
    """The same modules with nothing in them, and the house's contracts."""
    for path in python_files("libs", "services"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    for service in ("transfer", "enrollment", "tracking"):
        for room in ROOMS:
            plant(folder, f"services.{service}.{room}", "")
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def plant(folder: Path, module: str, line: str) -> None:
    """Put ``line`` into ``module``, which is made if it is missing."""
    place = folder.joinpath(*module.split("."))
    room = place / "__init__.py" if place.is_dir() or module.count(".") == 1 else place.with_suffix(".py")
    room.parent.mkdir(parents=True, exist_ok=True)
    room.write_text(line + "\n", encoding="utf-8")


def test_the_house_keeps_its_walls() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_an_empty_house_keeps_its_walls(tmp_path: Path) -> None:
    result = lint_imports(emptied_house(tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_every_wall_is_seen_red(violation: str, tmp_path: Path) -> None:
    contract, planted = VIOLATIONS[violation]
    house = emptied_house(tmp_path)
    for module, line in planted.items():
        plant(house, module, line)
    result = lint_imports(house, "--contract", contract)
    assert result.returncode == 1, f"not noticed: {violation}\n{result.stdout}{result.stderr}"
    assert "0 kept, 1 broken" in result.stdout, result.stdout
    assert next(iter(planted)).split(".")[1] in result.stdout, result.stdout


def test_no_contract_lacks_a_violation() -> None:
    configuration = configparser.ConfigParser()
    configuration.read(ROOT / ".importlinter", encoding="utf-8")
    contracts = {section.split(":")[2] for section in configuration.sections() if ":" in section}
    assert contracts == {contract for contract, _ in VIOLATIONS.values()}
