"""The file a payout batch goes to the bank in (docs/payout-file-format.md), version 1."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass

from libs.money.amounts import yuan_of
from services.enrollment.domain.withdrawals import Payee

FORMAT = "YIBAO-PAYOUT-1"
PURPOSE = "医保个人账户一次性支取"


@dataclass(frozen=True)
class FileLine:
    """One payment; ``amount_fen`` in fen."""

    end_to_end_id: str
    payee: Payee
    amount_fen: int


@dataclass(frozen=True)
class PayoutFile:
    """The bytes as they go to the bank, and the SHA-256 (hex) that stands in their last line."""

    content: bytes
    digest: str


def end_to_end_id(batch_number: str, ordinal: int) -> str:
    """``420100-2026-0001-00001``: names a payment for ever, at the bank and here."""
    return f"{batch_number}-{ordinal:05d}"


def batch_number(region_code: str, year: int, serial: int) -> str:
    """``420100-2026-0001``: numbered without gaps per region and year."""
    return f"{region_code}-{year}-{serial:04d}"


def payout_file(number: str, region_code: str, on: dt.date, lines: Sequence[FileLine]) -> PayoutFile:
    """The file of these lines; the same lines give the same bytes."""
    total = yuan_of(sum(line.amount_fen for line in lines))
    rows: list[list[object]] = [["H", FORMAT, number, region_code, on.isoformat(), len(lines), total]]
    for ordinal, line in enumerate(lines, start=1):
        payee = line.payee
        account = [payee.account_no, payee.holder_name, payee.bank_name]
        rows.append(["D", ordinal, line.end_to_end_id, *account, yuan_of(line.amount_fen), PURPOSE])
    body = _csv(rows)
    digest = hashlib.sha256(body).hexdigest()
    return PayoutFile(body + _csv([["T", len(lines), total, digest]]), digest)


def _csv(rows: list[list[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
