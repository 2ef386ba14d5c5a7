"""``yibao papers verify FILE``: the verification of a paper as a few lines in Chinese."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from libs.casework.clock import Clock, SystemClock
from libs.documents.verification import trusted_roots, verify


def verify_file(path: Path, trusted: Path, console: Console | None = None, clock: Clock | None = None) -> int:
    """Verify a paper against the certificates in ``trusted`` (PEM) and print what was found.

    0: genuine; 1: not; 2: a file cannot be read.
    """
    page = console or Console()
    try:
        pdf, roots = path.read_bytes(), trusted_roots(trusted.read_bytes())
    except (OSError, ValueError) as error:
        page.print(f"无法读取：{error}", style="red", markup=False)
        return 2
    report = verify(pdf, roots, (clock or SystemClock()).now())
    if report.sealed_by:
        page.print(f"签章单位：{report.sealed_by}", markup=False)
    if report.sealed_at:
        page.print(f"签章时间：{report.sealed_at:%Y-%m-%d %H:%M:%S}（签章自述，无时间戳机构证明）")
    for number, fault in enumerate(report.faults, 1):
        page.print(f"{number}. {fault}", style="red", markup=False)
    page.print("核验通过：签章有效，内容完整，未被改动" if report.genuine else "核验未通过")
    return 0 if report.genuine else 1
