"""A case and its record: one line and one fact a move, in a chain nobody can change unseen."""

from __future__ import annotations

import asyncio
import datetime as dt

import asyncpg
import pytest

from libs.casebook.cases import Case, Move, mask_name
from libs.casebook.record import faults_in_record, line_hash
from libs.casework.actors import SYSTEM, Actor
from libs.casework.case_numbers import parse
from libs.casework.clock import SHANGHAI
from libs.casework.deadlines import CaseClock, TimeAllowed
from libs.casework.lifecycle import Action, Status
from libs.catalogue.schema import Unit
from libs.refusals.faults import Fault, Refusal, RefusalKind
from libs.runtime.databases import OWNER, login_of
from libs.runtime.postgres import SUPERUSER
from libs.webapp.database import ALL_REGIONS
from tests.libs.casebook.conftest import CLERK, IDENTITY_NUMBER, NOW, REGION, Desk

FAULT = Fault("missing_material", "缺少材料。", "/materials/a", "test-2026 第11项")


async def history(desk: Desk) -> Case:
    """A case with four lines, one of them with a notice."""
    case = await desk.open()
    case = await desk.move(case, Action.REQUEST_SUPPLEMENT, notice=[FAULT], reason="缺材料")
    case = await desk.move(case, Action.SUPPLEMENT, details={"pages": 3})
    return await desk.move(case, Action.ACCEPT, at=NOW + dt.timedelta(days=1))


async def faults(desk: Desk, case: Case) -> list[str]:
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        stored = await desk.book.load(session, case.case_no)
        return faults_in_record(await desk.book.record(session, stored), stored.version)


async def test_a_case_is_read_as_it_was_written(desk: Desk) -> None:
    case = await desk.open()
    assert await desk.load(case) == case
    number = parse(case.case_no)
    assert (number.region_code, number.applied_on) == (REGION, dt.date(2026, 3, 9))


async def test_the_number_bears_the_day_of_shanghai(desk: Desk) -> None:
    """At 23:30 UTC the new day has begun."""
    case = await desk.open(at=dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC))
    assert parse(case.case_no).applied_on == dt.date(2027, 1, 1)
    assert (await desk.load(case)).submitted_on == dt.date(2027, 1, 1)


async def test_a_whole_clock_survives_the_way_through_the_database(desk: Desk) -> None:
    case = await desk.open()
    clock = CaseClock.start(TimeAllowed(9, Unit.WORKING_DAY), dt.date(2026, 12, 25)).pause(
        dt.date(2026, 12, 28)
    )
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        await desk.book.move(session, case, Move(Action.ACCEPT, CLERK, NOW, "checking"), clock=clock)
    stored = (await desk.load(case)).clock
    assert stored == clock
    assert stored is not None
    assert stored.resume(dt.date(2026, 12, 30)) == clock.resume(dt.date(2026, 12, 30))


async def test_every_move_is_one_line_and_one_fact(desk: Desk) -> None:
    case = await history(desk)

    facts = await desk.facts()

    assert [fact.version for fact in facts] == [1, 2, 3, 4]
    assert [fact.action_name for fact in facts] == ["申请", "一次性告知补正", "补正", "受理"]
    assert [fact.status for fact in facts] == ["submitted", "supplementing", "submitted", "accepted"]
    assert facts[1].notice[0].rule == FAULT.rule
    assert (facts[1].reason, facts[0].stage_name) == ("缺材料", "受理审查")
    assert await faults(desk, case) == []


async def test_a_fact_names_nobody_in_full_and_bears_no_number(desk: Desk) -> None:
    case = await desk.open()
    await desk.move(case, Action.ACCEPT)
    facts = await desk.facts()
    assert {fact.subject_name_masked for fact in facts} == {"王**"}
    assert {fact.actor_name for fact in facts} == {"张受理"}, "officers answer with their names"
    assert not [fact for fact in facts if IDENTITY_NUMBER in fact.model_dump_json()]


async def test_a_citizen_at_work_is_masked_too(desk: Desk) -> None:
    case = await desk.open()
    step = Move(Action.WITHDRAW, Actor("citizen", "k", "王小五"), NOW, "checking")
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        await desk.book.move(session, case, step)
    assert (await desk.facts())[-1].actor_name == "王**"


async def test_an_illegal_move_leaves_no_trace(desk: Desk) -> None:
    case = await desk.open()
    with pytest.raises(Refusal):
        await desk.move(case, Action.APPROVE)
    assert (len(await desk.facts()), (await desk.load(case)).version) == (1, 1)


async def test_who_holds_an_old_version_is_told(desk: Desk) -> None:
    case = await desk.open()
    await desk.move(case, Action.ACCEPT)
    with pytest.raises(Refusal, match="您看到的是第1版") as refused:
        await desk.move(case, Action.ACCEPT)
    assert refused.value.kind is RefusalKind.STALE_VERSION


async def test_of_many_moves_at_once_one_wins(desk: Desk) -> None:
    case = await desk.open()
    outcomes = await asyncio.gather(
        *(desk.move(case, Action.ACCEPT) for _ in range(8)), return_exceptions=True
    )
    lost = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert (len(lost), {refusal.kind for refusal in lost}) == (7, {RefusalKind.STALE_VERSION})
    assert [fact.version for fact in await desk.facts()] == [1, 2]


async def test_a_case_ends_and_a_revived_one_has_not_ended(desk: Desk) -> None:
    case = await desk.open()
    ended = await desk.move(case, Action.WITHDRAW)
    assert (ended.ended_at, ended.status) == (NOW, Status.WITHDRAWN)
    revived = await desk.move(ended, Action.REVIVE)
    assert (revived.ended_at, (await desk.load(case)).ended_at) == (None, None)


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE case_record SET reason = '齐全' WHERE version = 2", ["第2条记录被改动"]),
        ("UPDATE case_record SET actor_subject = 'x' WHERE version = 1", ["第1条记录被改动"]),
        ("UPDATE case_record SET at = at + interval '1 microsecond' WHERE version = 3", ["第3条记录被改动"]),
        (
            "UPDATE case_record SET details = jsonb_set(details, '{pages}', '4') WHERE version = 3",
            ["第3条记录被改动"],
        ),
        ("UPDATE case_record SET details = details - 'notice' WHERE version = 2", ["第2条记录被改动"]),
        (
            "DELETE FROM case_record WHERE version = 2",
            ["第2条记录缺失或次序不对", "第3条记录缺失或次序不对", "办件已到第4版，记录只有3条"],
        ),
        ("DELETE FROM case_record WHERE version = 4", ["办件已到第4版，记录只有3条"]),
        (
            "UPDATE case_record SET hash = repeat('0', 64) WHERE version = 2",
            ["第2条记录被改动", "第3条记录缺失或次序不对"],
        ),
    ],
)
async def test_what_a_superuser_changes_in_the_record_is_found(
    desk: Desk, tampering: str, found: list[str]
) -> None:
    case = await history(desk)
    await desk.run_as(SUPERUSER, "ALTER TABLE case_record DISABLE TRIGGER ALL", tampering)
    assert await faults(desk, case) == found


@pytest.mark.parametrize(
    "statement", ["UPDATE case_record SET reason = 'x'", "DELETE FROM case_record", "TRUNCATE case_record"]
)
async def test_the_record_is_append_only_for_the_service_and_for_the_owner(
    desk: Desk, statement: str
) -> None:
    case = await history(desk)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.run_as(login_of("remote_care"), statement)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await desk.run_as(OWNER, statement)
    assert await faults(desk, case) == []


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM cases",
        "UPDATE case_notices SET reason = 'x'",
        "DELETE FROM case_documents",
        "DELETE FROM case_materials",
    ],
)
async def test_the_service_takes_nothing_out_of_the_file(desk: Desk, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.run_as(login_of("remote_care"), statement)


async def test_a_foreign_regions_cases_do_not_exist(desk: Desk) -> None:
    case = await desk.open("370600")
    for regions in (("370400",), ("370400", "420100"), ()):
        async with desk.resources.database.transaction(regions) as session:
            with pytest.raises(Refusal) as refused:
                await desk.book.load(session, case.case_no)
            assert refused.value.kind is RefusalKind.NOT_FOUND
            assert await desk.book.record(session, case) == []
            with pytest.raises(Refusal) as refused:
                await desk.book.move(session, case, Move(Action.ACCEPT, SYSTEM, NOW, "checking"))
            assert refused.value.kind is RefusalKind.STALE_VERSION


async def test_numbers_are_unique_under_concurrency(desk: Desk) -> None:
    cases = await asyncio.gather(*(desk.open() for _ in range(30)))
    assert len({case.case_no for case in cases}) == 30


async def test_nothing_personal_is_kept_in_plain(desk: Desk) -> None:
    await history(desk)
    connection = await asyncpg.connect(desk.url())
    try:
        rows = await connection.fetch("SELECT cases::text AS row FROM cases")
        rows += await connection.fetch("SELECT case_record::text AS row FROM case_record")
    finally:
        await connection.close()
    assert not [row for row in rows if IDENTITY_NUMBER in row["row"] or "王小五" in row["row"]]


@pytest.mark.parametrize(("name", "masked"), [("王五", "王*"), ("欧阳小五", "欧***"), ("王", "王"), ("", "")])
def test_names_are_masked_after_the_first_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


def test_moments_are_hashed_alike_in_any_zone() -> None:
    utc = dt.datetime(2026, 3, 9, 1, 0, tzinfo=dt.UTC)
    assert line_hash({"at": utc}) == line_hash({"at": utc.astimezone(SHANGHAI)})
