"""Notices, materials, documents: kept, numbered without gaps, encrypted, each region its own."""

from __future__ import annotations

import asyncio
import datetime as dt

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casebook.contents import HandedIn
from libs.casework.clock import SHANGHAI
from libs.refusals.faults import Fault
from libs.webapp.database import ALL_REGIONS
from tests.libs.casebook.conftest import CLERK, IDENTITY_NUMBER, NOW, REGION, Desk

KIND = "information_sheet"


async def take_number(desk: Desk, *, fail: bool = False, region: str = REGION, year: int = 2026) -> int:
    async with desk.resources.database.transaction((region,)) as session:
        number = await contents.next_number(session, region, KIND, year)
        await asyncio.sleep(0)
        if fail:
            raise RuntimeError("not issued after all")
        return number


async def test_documents_are_numbered_without_gaps_under_concurrency(desk: Desk) -> None:
    """Every third taker fails: its number goes to the next."""
    outcomes = await asyncio.gather(
        *(take_number(desk, fail=index % 3 == 0) for index in range(30)), return_exceptions=True
    )
    numbers = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert sorted(numbers) == list(range(1, 21))


async def test_each_region_kind_and_year_counts_for_itself(desk: Desk) -> None:
    taken = [await take_number(desk), await take_number(desk), await take_number(desk, region="370600")]
    assert [*taken, await take_number(desk, year=2027)] == [1, 2, 1, 1]


async def test_notices_are_kept_in_order_and_repetitions_are_told_apart(desk: Desk) -> None:
    case = await desk.open()
    first, second = Fault("a", "缺一。", "/a", "规定"), Fault("b", "缺二。")
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        await contents.add_notice(session, case, [first], CLERK, NOW)
        await contents.add_notice(session, case, [second], CLERK, NOW, repeated=True, reason="看漏了")
        assert await contents.noticed_items(session, case) == [first, second]
        rows = (await session.execute(text("SELECT ordinal, repeated, supervisor FROM case_notices"))).all()
    assert [tuple(row) for row in rows] == [(1, False, None), (2, True, "clerk-1")]


async def test_later_materials_stand_beside_earlier_ones(desk: Desk) -> None:
    case = await desk.open()
    one = HandedIn("id", "身份凭证", "original", "a" * 64)
    two = HandedIn("id", "身份凭证", "commitment", commitment_text="本人承诺……")
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        await contents.add_materials(session, case, [one], NOW)
        await contents.add_materials(session, case, [], NOW)
        await contents.add_materials(session, case, [two], NOW)
        assert await contents.materials_of(session, case) == [one, two]


@pytest.mark.parametrize(
    ("handed_in", "keep_until"),
    [
        (dt.datetime(2026, 3, 9, 9, 0, tzinfo=SHANGHAI), dt.date(2028, 3, 9)),
        (dt.datetime(2026, 3, 31, 9, 0, tzinfo=SHANGHAI), dt.date(2028, 3, 31)),
        (dt.datetime(2028, 2, 29, 9, 0, tzinfo=SHANGHAI), dt.date(2030, 3, 1)),
        (dt.datetime(2026, 12, 31, 23, 30, tzinfo=dt.UTC), dt.date(2029, 1, 1)),
    ],
)
async def test_a_commitment_is_kept_two_years_and_not_a_day_less(
    desk: Desk, handed_in: dt.datetime, keep_until: dt.date
) -> None:
    case = await desk.open()
    commitment = HandedIn("id", "身份凭证", "commitment", commitment_text="本人承诺……")
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        await contents.add_materials(
            session, case, [commitment, HandedIn("x", "其他", "original")], handed_in
        )
        rows = await session.scalars(
            text("SELECT commitment_keep_until FROM case_materials ORDER BY ordinal")
        )
        assert rows.all() == [keep_until, None]


async def test_documents_come_back_as_issued_oldest_first_and_are_encrypted(desk: Desk) -> None:
    case, protector = await desk.open(), desk.resources.protector
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        for ordinal in (2, 1):
            await contents.add_document(
                session,
                case,
                protector,
                kind=KIND,
                number=f"第{ordinal}号",
                title="信息表",
                content={"credential_no": IDENTITY_NUMBER, "ordinal": ordinal},
                at=NOW + dt.timedelta(days=ordinal),
            )
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        documents = await contents.documents_of(session, case, protector)
        assert await contents.has_document(session, REGION, KIND, "第1号")
        assert not await contents.has_document(session, "370600", KIND, "第1号")
    assert [document.content["ordinal"] for document in documents] == [1, 2]
    connection = await asyncpg.connect(desk.url())
    try:
        assert IDENTITY_NUMBER not in str(await connection.fetch("SELECT * FROM case_documents"))
    finally:
        await connection.close()


async def issue(desk: Desk, case: Case, number: str) -> None:
    async with desk.resources.database.transaction(ALL_REGIONS) as session:
        await contents.add_document(
            session,
            case,
            desk.resources.protector,
            kind=KIND,
            number=number,
            title="信息表",
            content={},
            at=NOW,
        )


async def test_one_number_is_one_document(desk: Desk) -> None:
    case = await desk.open()
    await issue(desk, case, "第1号")
    with pytest.raises(IntegrityError):
        await issue(desk, case, "第1号")


TABLES = ("cases", "case_record", "case_notices", "case_materials", "case_documents", "document_counters")


async def test_every_table_of_the_file_shows_each_region_its_own_rows(desk: Desk) -> None:
    for region in (REGION, "370600"):
        case = await desk.open(region)
        async with desk.resources.database.transaction((region,)) as session:
            await contents.add_notice(session, case, [], CLERK, NOW)
            await contents.add_materials(session, case, [HandedIn("x", "其他", "original")], NOW)
            await contents.next_number(session, region, KIND, 2026)
        await issue(desk, case, "第1号")
    for table in TABLES:
        for regions, count in ((("*",), 2), ((REGION,), 1), (("420100",), 0), ((), 0)):
            async with desk.resources.database.transaction(regions) as session:
                assert await session.scalar(text(f"SELECT count(*) FROM {table}")) == count, table
