"""A service that joins late: it knows the contracts and the bus, nothing else, and builds a view.

Its handlers merge what a fact says in any order, any number of times: the highest version of a
record knows its key, a merged record leads to the kept one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from libs.contracts.base import topic_of
from libs.contracts.enrollment import (
    EnrolmentStarted,
    EnrolmentStopped,
    PersonChanged,
    PersonKeyChanged,
    PersonRegistered,
    PersonsMerged,
)
from libs.eventbus.envelope import Event
from libs.eventbus.handlers import Handlers

TOPIC = topic_of(EnrolmentStarted.event_type)

TABLES = (
    """
    CREATE TABLE seen_enrolments (
        enrolment_id text PRIMARY KEY, person_id text, region_code text, insurance_kind text,
        person_kind text, started_on date, stopped_on date)
    """,
    "CREATE TABLE seen_keys (person_id text, person_key text, version bigint, PRIMARY KEY (person_id))",
    "CREATE TABLE seen_merges (merged_id text PRIMARY KEY, kept_id text)",
)

VIEW = """
    WITH RECURSIVE leads AS (
        SELECT person_id, person_id AS kept_id FROM seen_keys
        UNION SELECT l.person_id, m.kept_id FROM leads l JOIN seen_merges m ON m.merged_id = l.kept_id
    ), present AS (
        SELECT * FROM leads WHERE kept_id NOT IN (SELECT merged_id FROM seen_merges)
    )
    SELECT e.enrolment_id, p.kept_id, k.person_key, e.region_code, e.insurance_kind, e.person_kind,
           e.started_on, e.stopped_on
    FROM seen_enrolments e JOIN present p ON p.person_id = e.person_id
    JOIN seen_keys k ON k.person_id = p.kept_id ORDER BY 1
"""
"""Who is insured where, in which kind, since when."""

_KEY = text("""
    INSERT INTO seen_keys AS known VALUES (:person_id, :person_key, :version)
    ON CONFLICT (person_id) DO UPDATE SET person_key = excluded.person_key, version = excluded.version
    WHERE known.version < excluded.version
""")
_ENROLMENT = text("""
    INSERT INTO seen_enrolments AS known
    VALUES (:enrolment_id, :person_id, :region_code, :insurance_kind, :person_kind, :started_on, :stopped_on)
    ON CONFLICT (enrolment_id) DO UPDATE SET stopped_on = coalesce(known.stopped_on, excluded.stopped_on)
""")
_MERGE = text("INSERT INTO seen_merges VALUES (:merged_id, :kept_id) ON CONFLICT DO NOTHING")


async def _key(session: AsyncSession, person_id: str | None, key: str, version: int) -> None:
    assert person_id is not None, "every fact of today names the record"
    await session.execute(_KEY, {"person_id": person_id, "person_key": key, "version": version})


async def _enrolment(session: AsyncSession, fact: EnrolmentStarted | EnrolmentStopped) -> None:
    told: dict[str, Any] = {"stopped_on": None, **fact.model_dump()}
    await session.execute(_ENROLMENT, told)
    await _key(session, fact.person_id, fact.person_key, fact.person_version)


def handlers() -> Handlers:
    """The newcomer's table."""
    table = Handlers()

    @table.on(PersonRegistered)
    async def _registered(session: AsyncSession, _: Event, fact: PersonRegistered) -> None:
        await _key(session, fact.person_id, fact.person_key, fact.person_version)

    @table.on(PersonChanged)
    async def _changed(session: AsyncSession, _: Event, fact: PersonChanged) -> None:
        await _key(session, fact.person_id, fact.person_key, fact.person_version)

    @table.on(PersonKeyChanged)
    async def _key_changed(session: AsyncSession, _: Event, fact: PersonKeyChanged) -> None:
        await _key(session, fact.person_id, fact.person_key, fact.person_version)

    @table.on(PersonsMerged)
    async def _merged(session: AsyncSession, _: Event, fact: PersonsMerged) -> None:
        await _key(session, fact.kept_id, fact.person_key, fact.kept_version)
        await session.execute(_MERGE, {"merged_id": fact.merged_id, "kept_id": fact.kept_id})

    @table.on(EnrolmentStarted)
    async def _started(session: AsyncSession, _: Event, fact: EnrolmentStarted) -> None:
        await _enrolment(session, fact)

    @table.on(EnrolmentStopped)
    async def _stopped(session: AsyncSession, _: Event, fact: EnrolmentStopped) -> None:
        await _enrolment(session, fact)

    return table
