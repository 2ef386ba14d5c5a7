"""Receiving a file: checked whole, stored row by row with personal fields encrypted, told again as it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, Refusal, not_found
from services.enrollment.domain.payments import Outcome
from services.enrollment.domain.tax_files.head import Head, TaxFile, other_file, require_file
from services.enrollment.domain.tax_files.rows import TaxRow
from services.enrollment.models import ContributionFile, Payment
from services.enrollment.repository import contribution_files as files
from services.enrollment.service.desk import Desk

ROWS_AT_A_TIME = 1_000
"""Bounds the memory, and how long one thread works before others get a turn."""


@dataclass(frozen=True)
class FileView:
    """A file and how far it is: rows and fen by outcome."""

    file: ContributionFile
    progress: dict[Outcome, tuple[int, int]]


async def checked(desk: Desk, content: bytes) -> TaxFile:
    """The file, its head right and its sums too. Raises Refusal (invalid) with everything wrong."""
    return await asyncio.to_thread(require_file, content, today=desk.today)


async def receive(desk: Desk, told: TaxFile) -> FileView:
    """Take a file in; the same again is answered as it stands now.

    Raises Refusal (conflict) where its number was used for another content.
    """
    head = told.head
    await files.receive_alone(desk.session, head.region_code)
    known = await files.find_file_by_no(desk.session, head.region_code, head.file_no)
    if known is not None:
        if known.digest != told.digest:
            raise other_file(head.file_no)
        return await _view(desk, known)
    file = _file(desk, head, told.digest)
    await files.add_file(desk.session, file)
    rows = told.rows(desk.today)
    while batch := await asyncio.to_thread(_sealed, desk.protector, file, rows):
        serials = [row["serial"] for row in batch]
        repeated = await files.serials_known(desk.session, head.region_code, serials)
        for row in batch:
            if row["serial"] in repeated:
                row.update(outcome=Outcome.REPEATED.value, reasons=[_REPEATED])
        await files.add_payments(desk.session, batch)
    return await _view(desk, file)


async def find(desk: Desk, file_id: UUID) -> FileView:
    """A file by key. Raises Refusal (not found)."""
    return await _view(desk, await require_received(desk, file_id))


async def require_received(desk: Desk, file_id: UUID) -> ContributionFile:
    """A file the desk may see. Raises Refusal (not found)."""
    file = await files.find_file(desk.session, file_id)
    if file is None or not desk.may_see(file.region_code):
        raise no_file()
    return file


def no_file() -> Refusal:
    """The same answer whether there is none or it is another region's."""
    return not_found("no_file", "没有此缴费文件，或不在您可办理的统筹区内。")


def context_of(payment: Payment, field: str) -> str:
    """What a payment's encrypted field is bound to."""
    return _context(payment.region_code, payment.file_id, payment.row_no, field)


def reason_of(fault: Fault) -> dict[str, Any]:
    """A fault as it is kept with a row."""
    return {"code": fault.code, "message": fault.message}


_REPEATED = reason_of(Fault("repeated", "该缴费流水号此前已经收到，本行不再入账。"))


async def _view(desk: Desk, file: ContributionFile) -> FileView:
    return FileView(file, await files.progress_of(desk.session, file.id))


def _file(desk: Desk, head: Head, digest: str) -> ContributionFile:
    return ContributionFile(
        id=uuid7(),
        region_code=head.region_code,
        file_no=head.file_no,
        month=head.month,
        digest=digest,
        rows=head.rows,
        total_fen=head.total_fen,
        state=files.APPLYING,
        received_by=desk.actor,
        received_at=desk.now,
    )


def _sealed(
    protector: FieldProtector, file: ContributionFile, rows: Iterator[TaxRow]
) -> list[dict[str, Any]]:
    return list(_columns(protector, file, islice(rows, ROWS_AT_A_TIME)))


def _columns(
    protector: FieldProtector, file: ContributionFile, rows: Iterable[TaxRow]
) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {
            "file_id": file.id,
            "row_no": row.row_no,
            "region_code": file.region_code,
            "serial": row.money.serial,
            "insurance_kind": row.money.insurance_kind.value,
            "unit_fen": row.money.unit_fen,
            "personal_fen": row.money.personal_fen,
            "late_fee_fen": row.money.late_fee_fen,
            **_read(row),
            **_personal(protector, file, row),
            # A broken row waits like the others: its money is received all the same.
            "outcome": Outcome.PENDING.value,
            "reasons": [reason_of(fault) for fault in row.faults],
        }


def _read(row: TaxRow) -> dict[str, Any]:
    return {
        "payer_kind": row.payer_kind,
        # A wrong code may be of any length; it is told in the fault.
        "credit_code": row.credit_code if row.credit_code and len(row.credit_code) <= 18 else None,
        "person_kind": row.person_kind,
        "period": row.period,
        "base_fen": row.base_fen,
        "kind": row.kind,
        "corrects": row.corrects,
        "paid_on": row.paid_on,
    }


def _personal(protector: FieldProtector, file: ContributionFile, row: TaxRow) -> dict[str, Any]:
    def sealed(value: str | None, field: str) -> str | None:
        context = _context(file.region_code, file.id, row.row_no, field)
        return None if value is None else protector.encrypt(value, context)

    credential = row.credential
    return {
        "credential_type": credential.type if credential else None,
        "credential": sealed(credential.number if credential else None, "credential"),
        "name": sealed(row.name, "name"),
        "person_key": protector.blind_index(credential.canonical) if credential else None,
    }


def _context(region_code: str, file_id: UUID, row_no: int, field: str) -> str:
    return f"{region_code}/payment.{field}/{file_id}/{row_no}"
