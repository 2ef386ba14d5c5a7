"""The tax authority as a test plays it: files of payments, sent and applied."""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import httpx

from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from libs.webapp.edge import Resources
from services.enrollment.domain.tax_files.rows import COLUMNS
from services.enrollment.service.contribution_files.applying import apply_chunk
from services.enrollment.service.desk import Desk
from tests.services.enrollment.counter import ZAOZHUANG, Card, Counter
from tests.support.tokens import officer, once, system

CSV = {"Content-Type": "text/csv"}
FILES = "/v1/enrollment/contribution-files"


@dataclass(frozen=True)
class Row:
    """A row as the tax authority writes it: an employee's month of 5000 yuan, 8 % and 2 %."""

    serial: str
    number: str
    name: str
    period: str = "2026-02"
    payer: str = "个人"
    credit_code: str = ""
    credential: str = "居民身份证"
    insurance: str = "310"
    person_kind: str = "灵活就业人员"
    base: str = "5000.00"
    unit: str = "400.00"
    personal: str = "100.00"
    late_fee: str = "0.00"
    kind: str = "正常缴费"
    corrects: str = ""
    paid_on: str = "2026-03-05"

    def cells(self) -> list[str]:
        return [
            self.serial,
            self.payer,
            self.credit_code,
            self.credential,
            self.number,
            self.name,
            self.insurance,
            self.person_kind,
            self.period,
            self.base,
            self.unit,
            self.personal,
            self.late_fee,
            self.kind,
            self.corrects,
            self.paid_on,
        ]

    @property
    def total(self) -> Decimal:
        return Decimal(self.unit) + Decimal(self.personal) + Decimal(self.late_fee)

    def red(self, serial: str, **other: str) -> Row:
        """The red entry that takes this row back."""
        unit, personal, late = (_minus(part) for part in (self.unit, self.personal, self.late_fee))
        told = {"unit": unit, "personal": personal, "late_fee": late, "kind": "更正", "corrects": self.serial}
        return replace(self, serial=serial, **{**told, **other})


def _minus(amount: str) -> str:
    return f"{-Decimal(amount):.2f}"


def file_of(
    rows: list[Row], /, file_no: str = "SW-0001", region: str = ZAOZHUANG, month: str = "2026-03", **head: str
) -> bytes:
    """A file of these rows; ``head`` puts other things into the first line than are true."""
    body = io.StringIO()
    writer = csv.writer(body, lineterminator="\n")
    writer.writerow(COLUMNS.values())
    writer.writerows(row.cells() for row in rows)
    content = body.getvalue().encode()
    told = {
        "mark": "YBJF1",
        "file_no": file_no,
        "region": region,
        "month": month,
        "rows": str(len(rows)),
        "sum": f"{sum((row.total for row in rows), Decimal('0.00')):.2f}",
        "digest": hashlib.sha256(content).hexdigest(),
        **head,
    }
    return ",".join(told.values()).encode() + b"\n" + content


@dataclass
class Tax:
    """Sends files to the counter's app, and does the worker's chunks."""

    counter: Counter
    caller: dict[str, str] = field(default_factory=lambda: system("enrollment.tax_files"))
    number: int = 0

    async def send(self, content: bytes, caller: dict[str, str] | None = None) -> httpx.Response:
        headers = {**once(caller or self.caller), **CSV}
        return await self.counter.client.post(FILES, content=content, headers=headers)

    async def book(self, *rows: Row, chunk: int = 500, **of: str) -> dict[str, Any]:
        """Send a file of these rows and apply it; the file as it then stands."""
        self.number += 1
        answer = await self.send(file_of(list(rows), **{"file_no": f"SW-{self.number:04d}", **of}))
        assert answer.status_code == 202, answer.text
        await apply_all(self.counter.resources, chunk)
        return await self.file(answer.json()["id"])

    async def file(self, file_id: str) -> dict[str, Any]:
        told: dict[str, Any] = (
            await self.counter.client.get(f"{FILES}/{file_id}", headers=self.caller)
        ).json()
        return told

    async def rows(self, file: dict[str, Any], query: str = "limit=200") -> list[dict[str, Any]]:
        answer = await self.counter.client.get(f"{FILES}/{file['id']}/rows?{query}", headers=self.caller)
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    async def outcomes(self, file: dict[str, Any]) -> list[tuple[str, list[str]]]:
        """Outcome and codes of the reasons, row by row."""
        return [
            (row["outcome"], [reason["code"] for reason in row["reasons"]]) for row in await self.rows(file)
        ]

    async def reapply(self, file: dict[str, Any], row_no: int) -> httpx.Response:
        finance = officer(ZAOZHUANG, Role.FINANCE)
        path = f"contribution-files/{file['id']}/rows/{row_no}/reapply"
        return await self.counter.post(path, {}, finance)


async def apply_all(resources: Resources, chunk: int = 500) -> None:
    """All chunks of all files, one transaction each, as the worker does."""
    while True:
        async with resources.database.transaction(ALL_REGIONS) as session:
            if not await apply_chunk(Desk(session, resources.protector, resources.clock.now()), chunk):
                return


async def name_of(counter: Counter, card: Card) -> str:
    """The name on the card's record."""
    told = await counter.get(f"persons/{card.id}", caller=officer(card.region_code, Role.REVIEWER))
    name: str = told.json()["name"]
    return name


async def row_of(counter: Counter, card: Card, serial: str, **told: str) -> Row:
    """A payment for this person."""
    return Row(serial, card.id_number, await name_of(counter, card), **told)
