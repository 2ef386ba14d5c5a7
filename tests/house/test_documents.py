"""What the documents say can be typed and found: commands, files, decisions; both READMEs alike."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from libs.runtime.command import app
from tests.support.sources import ROOT, own_files, text_of

READMES = (Path("README.md"), Path("README.zh-CN.md"))
DECISIONS = sorted(path for path in own_files() if re.match(r"docs/decisions/\d{4}-", str(path)))
DOCUMENTS = [*READMES, *DECISIONS, Path("docs/decisions/README.md")]
SECTIONS = ("**Context.**", "**Decision.**", "**Consequence.**", "**Enforced by**")
# Folders that a run makes; nothing else that a document names may be missing.
MADE_BY_A_RUN = ("var/", ".venv/")


def commands_in(text: str) -> list[str]:
    """Commands of the code blocks and of the inline code, in order, without their remarks."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    typed = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    return typed + re.findall(r"`((?:make|\.venv/bin/yibao|docker compose) [^`]+)`", text)


def headings_in(text: str) -> list[int]:
    """Levels of the headings in order."""
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]


def make_targets() -> set[str]:
    """Targets that `make help` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", text_of(Path("Makefile")), re.MULTILINE))


def is_command_of_ours(words: list[str]) -> bool:
    """Whether the ``yibao`` command has this subcommand (further words are its arguments)."""
    command: Any = typer.main.get_command(app)
    for word in words:
        if not hasattr(command, "commands"):
            return True
        if word not in command.commands:
            return False
        command = command.commands[word]
    return not hasattr(command, "commands")


def can_be_typed(command: str) -> bool:
    words = shlex.split(command)
    match words:
        case ["make", *targets]:
            return set(targets) <= make_targets()
        case [".venv/bin/yibao", *rest]:
            return is_command_of_ours(rest[: rest.index(">")] if ">" in rest else rest)
        case ["docker", "compose", *_]:
            return True
        case _:
            return False


@pytest.mark.parametrize("document", READMES, ids=str)
def test_every_command_can_be_typed(document: Path) -> None:
    commands = commands_in(text_of(document))
    assert commands
    assert [command for command in commands if not can_be_typed(command)] == []


@pytest.mark.parametrize(
    "command", ["make sandwich", ".venv/bin/yibao sing", ".venv/bin/yibao catalogue", "ls"]
)
def test_a_command_that_does_not_exist_would_be_found(command: str) -> None:
    assert not can_be_typed(command)


def test_both_readmes_have_the_same_headings_and_commands() -> None:
    english, chinese = (text_of(path) for path in READMES)
    assert headings_in(english) == headings_in(chinese)
    assert commands_in(english) == commands_in(chinese)
    assert english.count("\n|") == chinese.count("\n|")


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_every_file_a_document_names_exists(document: Path) -> None:
    text = text_of(document)
    beside = document.parent
    links = [(beside, target) for target in re.findall(r"\]\(([^):]+)\)", text)]
    named = [(Path(), place) for place in re.findall(r"`((?:[\w.-]+/)+[\w.*-]*)`", text)]
    missing = [
        place
        for folder, place in links + named
        if not place.startswith(MADE_BY_A_RUN) and not list(ROOT.glob(str(folder / place).rstrip("/")))
    ]
    assert missing == []


@pytest.mark.parametrize("decision", DECISIONS, ids=str)
def test_a_decision_has_its_four_parts_and_half_a_page(decision: Path) -> None:
    text = text_of(decision)
    assert text.startswith(f"# {decision.name[:4]} ")
    assert [text.count(section) for section in SECTIONS] == [1, 1, 1, 1]
    assert len(text.splitlines()) <= 30
    assert "tests" in text.split(SECTIONS[-1])[1]


def test_decisions_are_numbered_without_gaps_and_listed() -> None:
    assert [path.name[:4] for path in DECISIONS] == [f"{n:04d}" for n in range(1, len(DECISIONS) + 1)]
    listed = re.findall(r"\]\((\d{4}-[^)]+)\)", text_of(Path("docs/decisions/README.md")))
    assert listed == [path.name for path in DECISIONS]


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    makefile = text_of(Path("Makefile"))
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert make_targets() == set(phony[1].split())


def test_the_ci_runs_make_check_and_nothing_else() -> None:
    lines = [line for line in text_of(Path(".ci/run")).splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "CI=true exec make check"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111 == 0o111
    makefile = text_of(Path("Makefile"))
    assert re.search(r"^check: lint types walls generated test ## ", makefile, re.MULTILINE)
