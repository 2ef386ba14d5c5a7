"""What no committed file may contain: places of one machine, package hosts, leftovers.

The words are put together from pieces, so that this file does not find itself.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.sources import ROOT, own_files

PLACES_OF_ONE_MACHINE = [
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/ho" + r"me/\w",
    "/Us" + r"ers/\w",
    "/fa" + "rm/",
]
PACKAGE_HOSTS = [
    "py" + r"pi\.org",
    "python" + "hosted",
    r"registry\." + "npmjs",
    r"repo1?\." + "maven",
    "maven" + r"\.org",
    r"mirrors?\." + r"(aliyun|tuna|ustc)",
]
LEFTOVERS = [
    r"\bTO" + r"DO\b",
    r"\bFIX" + r"ME\b",
    r"\bX" + r"XX\b(?!号)",  # a document number's placeholder is the documents' own
    "<" * 7 + " ",
    ">" * 7 + " ",
    "\u27e8",  # a figure still to be filled in
    r"\bbreak" + r"point\(\)",
    r"\bpdb\." + "set_trace",
]
AUTHORS_TOOLS = [
    r"\bclau" + "de",
    r"\banthro" + "pic",
    r"\bchat" + "gpt",
    r"\bco" + "pilot",
    r"\bsub-?" + "agent",
    r"\blanguage " + "model",
]
GROUPS = {
    "places of one machine": PLACES_OF_ONE_MACHINE,
    "package hosts": PACKAGE_HOSTS,
    "leftovers": LEFTOVERS,
    "authors' tools": AUTHORS_TOOLS,
}


def found_in(text: str, patterns: list[str]) -> list[str]:
    """What of the patterns stands in ``text``, with its surroundings."""
    pattern = re.compile("|".join(patterns), re.IGNORECASE if patterns is AUTHORS_TOOLS else 0)
    return [text[max(0, m.start() - 20) : m.end() + 20] for m in pattern.finditer(text)]


def readable(path: Path) -> str | None:
    """The text of a file, or None where it is no text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


@pytest.mark.parametrize("group", GROUPS)
def test_no_file_contains(group: str) -> None:
    found = {
        str(path): places
        for path in own_files()
        if (text := readable(path)) is not None and (places := found_in(text, GROUPS[group]))
    }
    assert not found


@pytest.mark.parametrize("group", GROUPS)
def test_the_patterns_would_find_them(group: str) -> None:
    samples = {
        "places of one machine": "see /ho" + "me/li/project",
        "package hosts": "https://py" + "pi.org/simple",
        "leftovers": "# TO" + "DO later",
        "authors' tools": "by Co" + "pilot",
    }
    assert found_in(samples[group], GROUPS[group])
