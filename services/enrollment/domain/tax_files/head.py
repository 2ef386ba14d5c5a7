"""The head of the tax authority's file, and whether the body is what the head says.

A file whose head and body disagree, or in which an amount or a serial number cannot be read, is refused
as a whole: money that cannot be added up cannot be booked. Any other fault concerns its row alone.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from libs.money.amounts import fen_of, yuan_of
from libs.refusals.faults import Fault, Refusal, conflict, invalid
from libs.regions import names
from services.enrollment.domain.months import month_of, number_of
from services.enrollment.domain.tax_files.rows import COLUMNS, Money, TaxRow, money_of, row_of

MARK = "YBJF1"
MOST_ROWS = 50_000
"""Of one file; a larger month comes in several files, each with its own number."""
MOST_FAULTS_TOLD = 100
HEAD_FIELDS = ("格式标识", "文件编号", "统筹区", "入账月份", "行数", "合计金额", "正文摘要")

_FILE_NO = re.compile(r"[0-9A-Za-z-]{4,40}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NUMBER = re.compile(r"\d{1,7}", re.ASCII)


@dataclass(frozen=True)
class Head:
    """What the first line says. ``digest`` is sha256 of all bytes after that line."""

    file_no: str
    region_code: str
    month: str
    rows: int
    total_fen: int
    digest: str


@dataclass(frozen=True)
class TaxFile:
    """A file whose head is right and whose body adds up."""

    head: Head
    content: bytes
    digest: str
    """sha256 of the whole file: the same number with another digest is another file."""

    def rows(self, today: dt.date) -> Iterator[TaxRow]:
        """The rows, read one by one; broken ones carry their faults."""
        for row_no, cells in _records(self.content):
            money = money_of(cells)
            assert isinstance(money, Money), "require_file refuses such a file"
            yield row_of(row_no, money, cells, today=today)


def require_file(content: bytes, *, today: dt.date) -> TaxFile:
    """Check the whole file. Raises Refusal (invalid) with everything wrong about it at once."""
    first_line, _, body = content.partition(b"\n")
    head, faults = _head_of(first_line, today)
    try:
        faults += _faults_of_body(head, content, body)
    except (UnicodeDecodeError, csv.Error):
        faults.append(Fault("encoding", "文件应为UTF-8编码的CSV，逐行以换行结束，请按格式说明重新生成。"))
    if faults or head is None:
        message = f"缴费文件有{len(faults)}处不符合格式，整份文件未收。"
        raise invalid("tax_file", message, faults[:MOST_FAULTS_TOLD])
    return TaxFile(head, content, hashlib.sha256(content).hexdigest())


def _head_of(line: bytes, today: dt.date) -> tuple[Head | None, list[Fault]]:
    cells = _cells_of(line.decode("utf-8-sig", errors="replace").rstrip("\r"))
    if len(cells) != len(HEAD_FIELDS) or cells[0] != MARK:
        told = f"首行应为{len(HEAD_FIELDS)}项：{'、'.join(HEAD_FIELDS)}，以{MARK}开头。"
        return None, [Fault("head", told, "/head")]
    _, file_no, region_code, month, rows, total, digest = cells
    faults = [
        *_unless(_FILE_NO.fullmatch(file_no), "文件编号", "应为4至40位字母、数字或短横线"),
        *_unless(names.find(region_code), "统筹区", "应为现行有效的6位行政区划代码"),
        *_faults_of_month(month, today),
        *_unless(_NUMBER.fullmatch(rows) and 0 < int(rows) <= MOST_ROWS, "行数", f"应为1至{MOST_ROWS}"),
        *_unless(_signed_fen(total) is not None, "合计金额", "应为元，两位小数"),
        *_unless(_DIGEST.fullmatch(digest), "正文摘要", "应为首行之后全部字节的SHA-256（64位小写十六进制）"),
    ]
    if faults:
        return None, faults
    return Head(file_no, region_code, month, int(rows), _signed_fen(total) or 0, digest), []


def _cells_of(line: str) -> list[str]:
    """The first line's cells; none of a line that is no CSV (a spreadsheet sent as it is, UTF-16)."""
    try:
        return next(csv.reader([line]), [])
    except csv.Error:
        return []


def _faults_of_month(month: str, today: dt.date) -> list[Fault]:
    try:
        number_of(month)
    except ValueError:
        return _unless(False, "入账月份", "应形如2026-03")
    return _unless(month <= month_of(today), "入账月份", f"不能晚于本月（{month_of(today)}）")


def _faults_of_body(head: Head | None, content: bytes, body: bytes) -> list[Fault]:
    faults: list[Fault] = []
    if head is not None and hashlib.sha256(body).hexdigest() != head.digest:
        faults.append(
            Fault("digest", "正文与首行的摘要不符，文件可能传输不全，请重新传送。", "/head/正文摘要")
        )
    columns, count, total_fen = next(_lines(body), []), 0, 0
    if columns != list(COLUMNS.values()):
        return [*faults, Fault("columns", f"第二行应为列名：{'、'.join(COLUMNS.values())}。", "/columns")]
    seen: set[str] = set()
    for row_no, cells in _records(content):
        count += 1
        money = money_of(cells)
        if isinstance(money, Money):
            total_fen += money.total_fen
            if money.serial in seen:
                faults.append(
                    Fault("serial_twice", f"第{row_no}行的缴费流水号在文件中重复。", f"/rows/{row_no}")
                )
            seen.add(money.serial)
        else:
            faults += [_of_row(row_no, fault) for fault in money]
    return faults if head is None else [*faults, *_faults_of_sums(head, count, total_fen)]


def _of_row(row_no: int, fault: Fault) -> Fault:
    return Fault(fault.code, f"第{row_no}行{fault.message}", f"/rows/{row_no}")


def _faults_of_sums(head: Head, count: int, total_fen: int) -> list[Fault]:
    faults = []
    if count != head.rows:
        faults.append(Fault("rows", f"首行写明{head.rows}行，实际{count}行。", "/head/行数"))
    if total_fen != head.total_fen:
        told = f"首行合计{yuan_of(head.total_fen)}元，各行合计{yuan_of(total_fen)}元。"
        faults.append(Fault("sum", told, "/head/合计金额"))
    return faults


def _records(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Rows after the head and the names of the columns, numbered from 1."""
    lines = _lines(content)
    next(lines, None)
    next(lines, None)
    yield from enumerate(lines, start=1)


def _lines(content: bytes) -> Iterator[list[str]]:
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    return csv.reader(text, strict=True)


def _signed_fen(text: str) -> int | None:
    try:
        amount_fen = fen_of(text.removeprefix("-"))
    except ValueError:
        return None
    return -amount_fen if text.startswith("-") else amount_fen


def _unless(right: object, field: str, wanted: str) -> list[Fault]:
    return [] if right else [Fault("head", f"{field}：{wanted}。", f"/head/{field}")]


def other_file(file_no: str) -> Refusal:
    """The same number was used for another file before."""
    message = f"文件编号{file_no}已用于内容不同的缴费文件，请核对后换新编号传送。"
    return conflict("file_no_used", message, [Fault("file_no_used", message, "/head/文件编号")])
