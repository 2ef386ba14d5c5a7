"""The lock: every dependency pinned with its hashes, no package host named, the image's part the same."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.support.sources import ROOT

LOCKS = ("requirements.lock", "requirements-runtime.lock")
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """Package -> version pinned in a lock file."""
    return dict(PIN.findall((ROOT / lock).read_text(encoding="utf-8")))


def wanted(extra: str | None = None) -> set[str]:
    """Names of the packages that pyproject.toml asks for, always or for an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {re.split(r"[\[<>=!~; ]", name)[0].lower() for name in asked}


def test_every_dependency_is_pinned() -> None:
    assert wanted() | wanted("dev") | wanted("build") <= set(pins("requirements.lock"))


def test_the_image_lacks_nothing_and_has_no_test_tools() -> None:
    runtime = set(pins("requirements-runtime.lock"))
    assert wanted() | wanted("build") <= runtime
    assert not runtime & {"pytest", "mypy", "ruff", "hypothesis", "schemathesis", "confluent-kafka"}


def test_both_locks_pin_the_same_versions() -> None:
    assert pins("requirements-runtime.lock").items() <= pins("requirements.lock").items()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_a_host(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert not re.findall(r"https?:|--(?:extra-)?index|--find-links", text)
