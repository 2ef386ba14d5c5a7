"""The demonstration is a promise of the README: it ends with 0 and leaves nothing running."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_demonstration_tells_five_stories_and_leaves_nothing(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "libs.runtime.command", "demo"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "HOME": str(tmp_path), "LANG": "C.UTF-8"},
        timeout=280,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for chapter in "一二三四五":
        assert f"（{chapter}）" in told.stdout
    assert "五个故事讲完" in told.stdout
    assert not list(tmp_path.glob("yibao-demo-*"))
    assert _processes_of(tmp_path) == []


def _processes_of(folder: Path) -> list[list[str]]:
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [command for command in commands if any(str(folder) in part for part in command)]
