"""The guard that fails every test whose log shows an identity number, seen red and green."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.log_guard import IDENTITY_NUMBER
from tests.support.sources import ROOT, text_of

NUMBER = "37040019900101" + "0018"

LEAKS = {
    "printed": f'print("person {NUMBER}")',
    "logged": f'logging.getLogger("x").warning("person %s", "{NUMBER}")',
    "logged below warning": f'logging.getLogger("x").info("person {NUMBER}")',
    "structured": f'structlog.get_logger().info("seen", person="{NUMBER}")',
    "by a child process": f'subprocess.run(["echo", "{NUMBER}"])',
    "in a traceback": f'logging.getLogger("x").error("e", exc_info=ValueError("{NUMBER}"))',
}
CLEAN = {
    "masked": f'print("{NUMBER[:6]}********{NUMBER[-4:]}")',
    "a longer number": f'print("1{NUMBER}")',
    "kept silent": f'person = "{NUMBER}"',
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Outcome of a test per statement, in a run of its own with the guard."""
    folder = tmp_path_factory.mktemp("guarded")
    statements = LEAKS | CLEAN
    tests = [f"def test_{n}():\n    {statement}\n" for n, statement in enumerate(statements.values())]
    (folder / "test_it.py").write_text("\n".join(["import logging, subprocess, structlog", *tests]))
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    command += ["-p", "tests.support.log_guard", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}"]
    result = subprocess.run([*command, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False)
    summary = re.findall(r"^(PASSED|FAILED) \S*::test_(\d+)", result.stdout, re.MULTILINE)
    found = {int(number): outcome for outcome, number in summary}
    assert len(found) == len(statements), result.stdout + result.stderr
    return {name: found[n] for n, name in enumerate(statements)}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_leak_fails_the_test(leak: str, outcomes: dict[str, str]) -> None:
    assert outcomes[leak] == "FAILED"


@pytest.mark.parametrize("statement", CLEAN)
def test_what_is_no_leak_passes(statement: str, outcomes: dict[str, str]) -> None:
    assert outcomes[statement] == "PASSED"


def test_the_pattern_knows_a_trailing_x() -> None:
    assert IDENTITY_NUMBER.search("credential=" + NUMBER[:-1] + "X,")


def test_every_test_run_has_the_guard() -> None:
    assert '"tests.support.log_guard"' in text_of(Path("tests/conftest.py"))
