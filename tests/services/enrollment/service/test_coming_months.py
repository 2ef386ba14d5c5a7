from __future__ import annotations

import datetime as dt

import pytest

from libs.casework.clock import SHANGHAI, AdjustableClock
from services.enrollment.service.coming_months import record_chunk
from services.enrollment.worker import work_off
from tests.services.enrollment.counter import Card, Counter, accepted, cancelled
from tests.services.enrollment.tax import Tax, row_of

RESIDENT = {"insurance": "390", "person_kind": "城乡居民", "base": "", "unit": "640.00", "personal": "400.00"}


@pytest.fixture
def tax(counter: Counter) -> Tax:
    return Tax(counter)


async def resident(counter: Counter, tax: Tax, year: str = "2026") -> tuple[Card, dict[str, str]]:
    """Somebody enrolled since February 2026 whose year is paid."""
    card = await counter.person()
    enrolment = await counter.enrol(card, kind="390", person_kind="resident", since="2026-02-15")
    file = await tax.book(await row_of(counter, card, f"SN-{card.id}", period=year, **RESIDENT))
    assert await tax.outcomes(file) == [("matched", [])]
    return card, enrolment


async def months(counter: Counter, card: Card) -> list[str]:
    told = (await counter.get(f"persons/{card.id}/contributions")).json()["months"]
    return [month["month"][2:] for month in told]


async def later(counter: Counter, clock: AdjustableClock, day: dt.date) -> None:
    """The worker's look on a later day."""
    clock.set(dt.datetime.combine(day, dt.time(9), SHANGHAI))
    await work_off(counter.resources, record_chunk)


async def test_months_paid_ahead_are_recorded_as_they_come(
    counter: Counter, tax: Tax, clock: AdjustableClock
) -> None:
    card, _ = await resident(counter, tax)
    assert await months(counter, card) == ["26-02", "26-03"]
    await later(counter, clock, dt.date(2026, 5, 1))
    await later(counter, clock, dt.date(2026, 5, 2))
    assert await months(counter, card) == ["26-02", "26-03", "26-04", "26-05"]
    await later(counter, clock, dt.date(2027, 2, 1))
    assert (await months(counter, card))[-1] == "26-12"
    rows = await counter.rows("SELECT recorded_through FROM contribution_payments")
    assert [row[0] for row in rows] == [None]


async def test_a_year_paid_ahead_begins_with_its_january(
    counter: Counter, tax: Tax, clock: AdjustableClock
) -> None:
    card, _ = await resident(counter, tax, year="2027")
    await later(counter, clock, dt.date(2026, 12, 31))
    assert await months(counter, card) == []
    await later(counter, clock, dt.date(2027, 1, 1))
    assert await months(counter, card) == ["27-01"]


async def test_who_takes_up_work_is_paid_for_as_an_employee_from_then_on(
    counter: Counter, tax: Tax, clock: AdjustableClock
) -> None:
    card, enrolment = await resident(counter, tax)
    clock.set(dt.datetime(2026, 4, 1, 9, tzinfo=SHANGHAI))
    await counter.stop(enrolment, on="2026-03-31")
    await counter.enrol(card, since="2026-04-01")
    await later(counter, clock, dt.date(2026, 5, 4))
    assert await months(counter, card) == ["26-02", "26-03"]
    file = await tax.book(await row_of(counter, card, "SN-EMPLOYEE", period="2026-04"))
    assert await tax.outcomes(file) == [("matched", [])]


async def test_a_relation_on_its_way_out_takes_no_months_until_it_stays(
    counter: Counter, tax: Tax, clock: AdjustableClock
) -> None:
    card, enrolment = await resident(counter, tax)
    clock.set(dt.datetime(2026, 5, 4, 9, tzinfo=SHANGHAI))
    await counter.stop(enrolment, on="2026-04-30")
    await counter.deliver(accepted(card, kind="390"))
    await work_off(counter.resources, record_chunk)
    assert await months(counter, card) == ["26-02", "26-03"]
    await counter.deliver(cancelled(card, kind="390"))
    await work_off(counter.resources, record_chunk)
    assert await months(counter, card) == ["26-02", "26-03", "26-04"]
