"""Hot reads through the gateway, against bare FastAPI and asyncpg with the same queries and JSON.

The floor checks nobody, sees everything, opens no sealed field and tells the columns as they stand. It
and the product take turns, so whatever else the machine does falls on both; medians are told.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter
from pydantic import BaseModel

from libs.runtime.bench import http_load
from libs.runtime.bench.figures import Row, Sample

CONNECTIONS = 8
TURNS = 3

_FILE = """
    SELECT p.id, p.region_code, p.credential_type, p.credential, p.name, p.telephone, p.sex, p.birth_date,
           p.version, e.id AS enrolment_id, e.insurance_kind, e.person_kind, e.started_on, e.stopped_on,
           e.stop_reason, e.transferred_out_on, e.version AS enrolment_version, o.id AS employer_id,
           o.name AS employer_name
    FROM persons p
    LEFT JOIN enrolments e ON e.person_id = p.id
    LEFT JOIN employers o ON o.id = e.employer_id
    WHERE p.id = $1 ORDER BY e.started_on, e.id
"""
_PERSON = "SELECT id, region_code FROM persons WHERE id = $1"
_ACCOUNT = """
    SELECT coalesce(last.balance_after_fen, 0) AS balance_fen, coalesce(last.version, 0) AS of_version,
           held.fen AS held_fen, line.*
    FROM ledger_accounts a
    LEFT JOIN LATERAL (SELECT version, balance_after_fen FROM ledger_entries
                       WHERE account_id = a.id ORDER BY version DESC LIMIT 1) AS last ON true
    CROSS JOIN LATERAL (SELECT coalesce(sum(amount_fen), 0)::bigint AS fen FROM ledger_holds
                        WHERE account_id = a.id AND state = 'active') AS held
    LEFT JOIN LATERAL (
        SELECT e.version, t.occurred_on, t.purpose, e.amount_fen, e.balance_after_fen, e.transaction_id
        FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
        WHERE e.account_id = a.id ORDER BY e.version LIMIT 50) AS line ON true
    WHERE a.region_code = $1 AND a.fund = '310' AND a.kind = 'personal_account' AND a.owner = $2
    ORDER BY line.version
"""


class Employer(BaseModel):
    id: UUID
    name: str


class Enrolment(BaseModel):
    id: UUID
    person_id: UUID
    region_code: str
    insurance_kind: str
    insurance_name: str
    person_kind: str
    person_kind_name: str
    employer: Employer | None
    started_on: dt.date
    stopped_on: dt.date | None
    stop_reason: str | None
    stop_reason_name: str | None
    transferred_out_on: dt.date | None
    version: int


class Credential(BaseModel):
    type: str
    type_name: str
    number: str


class Person(BaseModel):
    """What the service's answer consists of, as the columns stand."""

    id: UUID
    region_code: str
    region_name: str
    credential: Credential
    name: str
    telephone: str | None
    sex: str
    birth_date: dt.date
    version: int
    enrolments: list[Enrolment]


class Line(BaseModel):
    version: int
    occurred_on: dt.date
    purpose: str
    purpose_name: str
    amount_yuan: str
    balance_after_yuan: str
    transaction_id: UUID


class Account(BaseModel):
    """What the service's answer consists of, as the columns stand."""

    person_id: UUID
    insurance_kind: str
    insurance_name: str
    balance_yuan: str
    held_yuan: str
    available_yuan: str
    version: int
    lines: list[Line]
    next_cursor: str | None


def bare_router(pool: asyncpg.Pool) -> APIRouter:
    """The two reads, as little as a typed service can do."""
    router = APIRouter()

    @router.get("/persons/{person_id}/file")
    async def read_file(person_id: UUID) -> Person:
        return _person(await pool.fetch(_FILE, person_id))

    @router.get("/persons/{person_id}/account")
    async def read_account(person_id: UUID) -> Account:
        async with pool.acquire() as connection:
            person = await connection.fetchrow(_PERSON, person_id)
            rows = await connection.fetch(_ACCOUNT, person["region_code"], str(person["id"]))
        return _account(person_id, rows)

    return router


async def through_the_gateway(told: dict[str, Any], seconds: float) -> list[Row]:
    """Both reads, from a caller's side."""
    return [
        await _row("查人员（经网关）", told, "/file", "", seconds),
        await _row("查个人账户（经网关）", told, "/account", "/account", seconds),
    ]


async def _row(name: str, told: dict[str, Any], bare: str, path: str, seconds: float) -> Row:
    headers = {"Authorization": f"Bearer {told['token']}"}
    product_url = f"{told['gateway']}/v1/enrollment/persons/{told['person_id']}{path}"
    floor_url = f"{told['floor']}/persons/{told['person_id']}{bare}"
    product, floor = [], []
    for _ in range(TURNS):
        product.append(await _measured(product_url, headers, seconds / TURNS))
        floor.append(await _measured(floor_url, {}, seconds / TURNS))
    return Row(name, "裸FastAPI+asyncpg，同样的查询与JSON", "次", _median(product), _median(floor), 0.42)


async def _measured(url: str, headers: dict[str, str], seconds: float) -> Sample:
    return await http_load.measure(url, headers, connections=CONNECTIONS, seconds=seconds)


def _median(samples: list[Sample]) -> Sample:
    return sorted(samples, key=lambda sample: sample.rate_per_s)[len(samples) // 2]


def _person(rows: list[asyncpg.Record]) -> Person:
    first = rows[0]
    return Person(
        id=first["id"],
        region_code=first["region_code"],
        region_name=first["region_code"],
        credential=Credential(type=first["credential_type"], type_name="", number=first["credential"]),
        name=first["name"],
        telephone=first["telephone"],
        sex=first["sex"],
        birth_date=first["birth_date"],
        version=first["version"],
        enrolments=[_enrolment(row) for row in rows if row["enrolment_id"]],
    )


def _enrolment(row: asyncpg.Record) -> Enrolment:
    return Enrolment(
        id=row["enrolment_id"],
        person_id=row["id"],
        region_code=row["region_code"],
        insurance_kind=row["insurance_kind"],
        insurance_name="",
        person_kind=row["person_kind"],
        person_kind_name="",
        employer=Employer(id=row["employer_id"], name=row["employer_name"]) if row["employer_id"] else None,
        started_on=row["started_on"],
        stopped_on=row["stopped_on"],
        stop_reason=row["stop_reason"],
        stop_reason_name=row["stop_reason"],
        transferred_out_on=row["transferred_out_on"],
        version=row["enrolment_version"],
    )


def _account(person_id: UUID, rows: list[asyncpg.Record]) -> Account:
    balance_fen, held_fen, version = (
        (rows[0]["balance_fen"], rows[0]["held_fen"], rows[0]["of_version"]) if rows else (0, 0, 0)
    )
    return Account(
        person_id=person_id,
        insurance_kind="310",
        insurance_name="",
        balance_yuan=str(balance_fen),
        held_yuan=str(held_fen),
        available_yuan=str(balance_fen - held_fen),
        version=version,
        lines=[_line(row) for row in rows if row["version"]],
        next_cursor=None,
    )


def _line(row: asyncpg.Record) -> Line:
    return Line(
        version=row["version"],
        occurred_on=row["occurred_on"],
        purpose=row["purpose"],
        purpose_name="",
        amount_yuan=str(row["amount_fen"]),
        balance_after_yuan=str(row["balance_after_fen"]),
        transaction_id=row["transaction_id"],
    )
