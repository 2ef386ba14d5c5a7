"""The repository as the house tests see it: its own files, nothing built or fetched."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Where there is no git (an unpacked archive), these are what .gitignore would leave out.
_NOT_OURS = frozenset({"__pycache__", "var", "build", "dist", "lib", "run"})


@cache
def own_files() -> tuple[Path, ...]:
    """Every file that is or would be committed, relative to the root, in order."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return tuple(sorted(_walk()))
    paths = (Path(name.decode()) for name in listed.split(b"\0") if name)
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def python_files(*folders: str) -> list[Path]:
    """Our Python files below these folders of the root, relative to it."""
    return [path for path in own_files() if path.suffix == ".py" and path.parts[0] in folders]


def text_of(path: Path) -> str:
    """Text of one of our files."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    """Syntax tree of one of our Python files."""
    return ast.parse(text_of(path), filename=str(path))


def services() -> list[str]:
    """Names of all services, by their folders."""
    return sorted({path.parts[1] for path in python_files("services") if len(path.parts) > 2})


def _walk() -> Iterator[Path]:
    for path in ROOT.rglob("*"):
        relative = path.relative_to(ROOT)
        hidden = any(part.startswith(".") for part in relative.parts[:-1] if part != ".ci")
        built = _NOT_OURS.intersection(relative.parts) or any(p.endswith(".egg-info") for p in relative.parts)
        if path.is_file() and not hidden and not built:
            yield relative
