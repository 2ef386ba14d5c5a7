"""The hot reads: the first line of region isolation, where the second is wide open, and the second alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from libs.identifiers.credentials import Credential, CredentialType
from libs.refusals.faults import Refusal
from libs.webapp.database import ALL_REGIONS
from services.enrollment.service import reading
from services.enrollment.service.reading import Reader
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter
from tests.support.statements import assert_statements

Look = Callable[[Reader, Card], Awaitable[object]]

LOOKS: dict[str, Look] = {
    "person": lambda reader, card: reading.require_person(reader, UUID(card.id)),
    "file": lambda reader, card: reading.file_of(reader, UUID(card.id)),
    "file by credential": lambda reader, card: reading.file_by_credential(
        reader, ZAOZHUANG, Credential(CredentialType.RESIDENT_ID, card.id_number)
    ),
}


@pytest.mark.parametrize("look", LOOKS)
async def test_a_reader_of_another_region_finds_nothing_here(counter: Counter, look: str) -> None:
    card = await counter.person()
    protector = counter.resources.protector
    async with counter.resources.database.reading(ALL_REGIONS) as connection:
        with pytest.raises(Refusal, match="没有此"):
            await LOOKS[look](Reader(connection, protector, (YANTAI,)), card)
        assert await LOOKS[look](Reader(connection, protector, (ZAOZHUANG,)), card) is not None


@pytest.mark.parametrize("look", LOOKS)
async def test_nor_does_one_who_would_look_everywhere_through_another_regions_window(
    counter: Counter, look: str
) -> None:
    card = await counter.person()
    reads = counter.resources.database.reading
    for regions, seen in (((YANTAI,), False), ((), False), ((YANTAI, ZAOZHUANG), True), (ALL_REGIONS, True)):
        async with reads(regions) as connection:
            reader = Reader(connection, counter.resources.protector)
            if seen:
                assert await LOOKS[look](reader, card) is not None
            else:
                with pytest.raises(Refusal, match="没有此"):
                    await LOOKS[look](reader, card)


async def test_an_account_is_read_in_three_statements_however_much_is_on_it(counter: Counter) -> None:
    card = await counter.insured([f"2025-{month:02d}" for month in range(1, 13)])
    with assert_statements(counter.resources.database.engine, 3):  # regions, person, account
        told = (await counter.get(f"persons/{card.id}/account?limit=5")).json()
    assert (told["balance_yuan"], told["version"], len(told["lines"])) == ("1200.00", 12, 5)
