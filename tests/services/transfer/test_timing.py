"""Limits of case and stage by their catalogues; reminders; provisional dates."""

from __future__ import annotations

import datetime as dt

import chinese_calendar.constants as announced
import pytest

from libs.casework import working_days
from services.transfer.worker import RECOMPUTE, REMIND
from tests.services.transfer.world import DONGYING, WUHAN, YANTAI, ZAOZHUANG, ZIBO, Pair, World

# From Monday 9 March 2026.
AFTER = {5: "2026-03-16", 9: "2026-03-20", 10: "2026-03-23", 15: "2026-03-30", 20: "2026-04-07"}


TOTALS = [
    (YANTAI, ZAOZHUANG, 9),  # zaozhuang L623
    (WUHAN, ZAOZHUANG, 15),  # zaozhuang L623
    (ZAOZHUANG, YANTAI, 15),  # yantai L19, whatever the scope
    (YANTAI, WUHAN, 15),  # hubei-2022 L2894
    (ZIBO, DONGYING, 15),  # shandong-2020 L522-527
    (WUHAN, DONGYING, 20),  # shandong-2020 L515-520
]


async def test_the_whole_case_is_due_as_the_destinations_catalogue_says(
    world: World, subtests: pytest.Subtests
) -> None:
    for origin, destination, days in TOTALS:
        person = await world.mover(origin, destination)
        case_no = (await world.apply(world.application(person, origin, destination)))["case_no"]
        case = await world.act(case_no, "accept", "clerk")
        with subtests.test(f"{origin} {destination}"):
            assert (case["due"]["on"], case["due"]["provisional"]) == (AFTER[days], False)


async def test_stages_are_due_as_the_catalogue_of_whose_turn_it_is_says(world: World) -> None:
    pair = await world.accepted(YANTAI, WUHAN)
    waiting, preparing = await world.transfer(pair.incoming), await world.transfer(pair.outgoing)
    assert (waiting["case"]["stage"], waiting["stage_due_on"]) == ("awaiting_sheet", AFTER[10])
    assert (preparing["case"]["stage"], preparing["stage_due_on"]) == ("preparing", AFTER[10])

    world.go_to(2026, 3, 11)
    await world.prepared(pair.outgoing, 0)
    issuing = await world.transfer(pair.outgoing)
    assert (issuing["case"]["stage"], issuing["stage_due_on"]) == ("information_sheet", AFTER[10])

    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    await world.exchange()
    taking, closing = await world.transfer(pair.incoming), await world.transfer(pair.outgoing)
    assert (taking["case"]["stage"], taking["stage_due_on"]) == ("take_up", "2026-03-18")
    assert (closing["case"]["stage"], closing["stage_due_on"]) == ("awaiting_completion", "2026-03-18")


async def test_a_city_that_states_no_stage_limit_has_its_provinces(world: World) -> None:
    """In 2022 烟台's province is still at its list of 2020: 5 working days for the sheet (L547-550)."""
    world.go_to(2022, 3, 7)
    person = await world.mover(YANTAI, DONGYING)
    case_no = (await world.apply(world.application(person, YANTAI, DONGYING)))["case_no"]
    await world.act(case_no, "accept", "clerk")
    await world.act(case_no, "issue-contact-letter", "clerk")
    await world.exchange()

    assert (await world.transfer(case_no))["stage_due_on"] == "2022-03-14"
    assert (await world.transfer(await world.counterpart(case_no)))["stage_due_on"] == "2022-03-14"


async def test_the_letter_has_five_working_days(world: World) -> None:
    person = await world.mover(ZIBO, DONGYING)
    case_no = (await world.apply(world.application(person, ZIBO, DONGYING)))["case_no"]
    await world.act(case_no, "accept", "clerk")

    assert (await world.transfer(case_no))["stage_due_on"] == AFTER[5]


async def test_our_stage_is_never_due_after_the_whole_case(world: World) -> None:
    pair = await world.with_sheet(0)
    assert (await world.transfer(pair.incoming))["stage_due_on"] == AFTER[5]
    world.go_to(2026, 3, 18)
    await returned_and_sent_again(world, pair)

    assert (await world.transfer(pair.incoming))["stage_due_on"] == AFTER[9]


@pytest.mark.parametrize(
    ("day", "said"),
    [(17, []), (18, ["时限提醒"]), (20, ["时限提醒"]), (21, ["超期督办"])],
)
async def test_two_working_days_ahead_and_the_day_after_it_is_said(
    world: World, day: int, said: list[str]
) -> None:
    """Due on Friday 20 March."""
    pair = await world.accepted()
    world.go_to(2026, 3, day)

    assert await world.run(REMIND) == (1 if said else 0)

    assert (await world.steps(pair.incoming))[2:] == said


async def test_each_reminder_is_said_once_and_is_visible_in_the_timeline(world: World) -> None:
    pair = await world.accepted()
    for day in (18, 19, 20, 21, 22, 23):
        world.go_to(2026, 3, day)
        await world.run(REMIND)
        await world.run(REMIND)

    reminders = (await world.timeline(pair.incoming))[2:]

    assert [line.action_name for line in reminders] == ["时限提醒", "超期督办"]
    assert reminders[1].reason == "办理时限为2026-03-20（9个工作日），已超期，请主管人员督办。"
    assert {line.status for line in reminders} == {"accepted"}


async def test_of_a_case_that_ended_nothing_is_said(world: World) -> None:
    pair = await world.accepted()
    await world.act(pair.incoming, "withdraw", "clerk", {"reason": "不再转移。"})
    await world.exchange()
    world.go_to(2026, 4, 9)

    assert await world.run(REMIND) == 0


async def test_across_the_year_end_the_date_is_provisional_until_announced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if 4 January 2027 were made a holiday: the case and its stage are due a day later."""
    world.go_to(2026, 12, 25)
    pair = await world.accepted(WUHAN, ZAOZHUANG)
    before = await world.case(pair.incoming)
    assert (before["due"]["on"], before["due"]["provisional"]) == ("2027-01-18", True)
    assert await world.run(RECOMPUTE) == 0

    announce_2027(monkeypatch, dt.date(2027, 1, 1), dt.date(2027, 1, 4))
    assert await world.run(RECOMPUTE) == 2
    assert await world.run(RECOMPUTE) == 0

    after = await world.case(pair.incoming)
    assert (after["due"]["on"], after["due"]["provisional"]) == ("2027-01-19", False)
    assert (await world.transfer(pair.incoming))["stage_due_on"] == "2027-01-12"
    line = (await world.timeline(pair.incoming))[-1]
    assert (line.action_name, line.due_on, line.due_provisional) == (
        "办理时限重算",
        dt.date(2027, 1, 19),
        False,
    )


async def test_the_day_of_application_is_shanghais(world: World) -> None:
    """At 7 in the morning it is still yesterday in UTC: the catalogue of today must hold."""
    world.go_to(2026, 3, 10, 7)
    person = await world.mover(ZAOZHUANG, WUHAN)
    case_no = (await world.apply(world.application(person, ZAOZHUANG, WUHAN)))["case_no"]

    async with world.resources.database.transaction(("*",)) as session:
        case = await world.office.casebook.load(session, case_no)

    assert case.submitted_on == dt.date(2026, 3, 10)


def announce_2027(monkeypatch: pytest.MonkeyPatch, *holidays: dt.date) -> None:
    """The State Council announces the holidays of 2027; the last of them says the year is known."""
    for day in (*holidays, dt.date(2027, 10, 1)):
        monkeypatch.setitem(announced.holidays, day, "test")
    monkeypatch.setattr(working_days, "LAST_ANNOUNCED_YEAR", 2027)
    monkeypatch.setattr(working_days, "SETTLED_UNTIL", dt.date(2027, 12, 28))


async def returned_and_sent_again(world: World, pair: Pair) -> None:
    body = {"reason": "有误。", "faults": ["有误。"]}
    await world.act(pair.incoming, "return-for-correction", "reviewer", body)
    await world.exchange()
    rows = [{"from_month": "2020-01", "to_month": "2025-12", "insurance_kind": "310"}]
    await world.act(pair.outgoing, "correct", "second-reviewer", {"reason": "更正。", "periods": rows})
    await world.act(pair.outgoing, "issue-information-sheet", "reviewer")
    await world.exchange()
