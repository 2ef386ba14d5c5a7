"""The demonstration is a promise of the README: it ends with 0 and leaves nothing running."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A temporary folder whose name leaves room for a Unix socket below it (107 bytes in all)."""
    with tempfile.TemporaryDirectory(prefix="yb-", dir="/tmp") as folder:
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demonstration_tells_its_stories_and_leaves_nothing(short_folder: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "libs.runtime.command", "demo"],
        capture_output=True,
        text=True,
        env={
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(short_folder),
            "HOME": str(short_folder),
            "LANG": "C.UTF-8",
        },
        timeout=280,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for chapter in ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一"):
        assert f"（{chapter}）" in told.stdout
    assert "十一个故事讲完" in told.stdout
    assert not list(short_folder.glob("yibao-demo-*"))
    assert _processes_of(short_folder) == []


def _processes_of(folder: Path) -> list[list[str]]:
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [command for command in commands if any(str(folder) in part for part in command)]
