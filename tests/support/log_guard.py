"""No identity number in any log line: whatever a test lets out is searched, and fails the test.

Looks at what pytest captured of standard output (structlog's JSON lines), standard error and the
standard library's logging, in each phase of each test. In tests/conftest.py::

    pytest_plugins = ["tests.support.log_guard"]
"""

from __future__ import annotations

import re
from collections.abc import Generator

import pytest

# Eighteen places with a believable date of birth; the check digit need not hold.
IDENTITY_NUMBER = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![0-9A-Za-z])"
)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a test that let an identity number out into a failed one."""
    report = yield
    leaks = [name for name, text in report.sections if leaked_in(name, text, report.when)]
    if leaks and report.outcome == "passed":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: an identity number stands in: {', '.join(leaks)}"
    return report


def leaked_in(section: str, text: str, when: str | None) -> bool:
    """Whether a section of this phase (later reports repeat the earlier ones) shows an identity number."""
    return section.endswith(f" {when}") and IDENTITY_NUMBER.search(text) is not None
