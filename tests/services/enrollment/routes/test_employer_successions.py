"""拆分、合并、分立: nobody is lost, nobody doubled, every day is covered once."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from libs.contracts.enrollment import (
    EmployerRegistered,
    EmployerSucceeded,
    EnrolmentStarted,
    EnrolmentStopped,
)
from tests.services.enrollment.counter import Card, Counter
from tests.services.enrollment.employer_applications import (
    company,
    credential,
    decided,
    details,
    hired,
    registration,
)
from tests.support.service import published, published_events
from tests.support.statements import assert_statements

EFFECTIVE = "2026-03-01"


def merger(predecessors: list[dict[str, Any]], successor: dict[str, Any]) -> dict[str, Any]:
    codes = [one["credit_code"] for one in predecessors]
    return {
        "registration_kind": "merge",
        "predecessors": codes,
        "effective_on": EFFECTIVE,
        "successor": successor,
    }


def division(kind: str, employer: dict[str, Any], *shares: dict[str, Any]) -> dict[str, Any]:
    return {
        "registration_kind": kind,
        "credit_code": employer["credit_code"],
        "effective_on": EFFECTIVE,
        "successors": list(shares),
    }


def known(employer: dict[str, Any], *people: Card, **more: Any) -> dict[str, Any]:
    return {"credit_code": employer["credit_code"], "people": [credential(one) for one in people], **more}


@dataclass
class Expected:
    """What the test itself knows: with whom each enrolment (person, kind) is on any day."""

    employers: list[str]
    first_days: dict[tuple[str, str], dt.date] = field(default_factory=dict)
    before: dict[tuple[str, str], str] = field(default_factory=dict)
    after: dict[tuple[str, str], str] = field(default_factory=dict)

    def employer_on(self, who: tuple[str, str], day: dt.date) -> str | None:
        if day < self.first_days[who]:
            return None
        return self.before[who] if day < dt.date.fromisoformat(EFFECTIVE) else self.after[who]


async def assert_every_day_is_covered_once(counter: Counter, expected: Expected) -> None:
    rows = await counter.rows(
        "SELECT person_id::text, insurance_kind, employer_id::text, started_on, stopped_on FROM enrolments"
    )
    assert {(row[0], row[1]) for row in rows} == set(expected.before)
    days = [dt.date(2025, 1, 1) + dt.timedelta(days=number) for number in range(0, 450)]
    for who in expected.before:
        theirs = [row for row in rows if (row[0], row[1]) == who]
        for day in days:
            covering = [
                row.employer_id for row in theirs if row.started_on <= day <= (row.stopped_on or dt.date.max)
            ]
            wanted = expected.employer_on(who, day)
            assert covering == ([] if wanted is None else [wanted]), (who, day)


@pytest.mark.parametrize(
    ("kind", "seed"), [(kind, seed) for kind in ("split", "merge", "separate") for seed in (1, 2)]
)
async def test_random_people_are_neither_lost_nor_doubled(counter: Counter, kind: str, seed: int) -> None:
    draw = random.Random(seed)
    olds = [await counter.employer() for _ in range(3 if kind == "merge" else 1)]
    news = [await counter.employer() for _ in range(1 if kind == "merge" else 3)]
    expected, shares = Expected([]), {one["id"]: list[Card]() for one in news}
    for _ in range(12):
        old = draw.choice(olds)
        to = draw.choice([*news, *(olds if kind == "separate" else [])])
        since = dt.date(2025, 1, 1) + dt.timedelta(days=draw.randrange(420))
        kinds = draw.choice([("310",), ("310", "510"), ("310", "330", "510")])
        quality = draw.choice(["employee", "employee", "retiree"])
        card = await hired(counter, old, *kinds, since=since.isoformat(), person_kind=quality)
        if to in news:
            shares[to["id"]].append(card)
        for insurance in kinds:
            expected.first_days[(card.id, insurance)] = since
            expected.before[(card.id, insurance)] = old["id"]
            expected.after[(card.id, insurance)] = to["id"]
    form = (
        merger(olds, {"credit_code": news[0]["credit_code"]})
        if kind == "merge"
        else division(kind, olds[0], *(known(one, *shares[one["id"]]) for one in news))
    )
    case = await decided(counter, registration(counter, form))
    assert case["status"] == "completed", case["notice"]
    await assert_every_day_is_covered_once(counter, expected)
    ended = "SELECT count(*) FROM employers WHERE state = 'cancelled'"
    assert await counter.rows(ended) == [(0 if kind == "separate" else len(olds),)]
    told = await published(counter.resources, EmployerSucceeded)
    moved = {who[0] for who, to in expected.after.items() if to != expected.before[who]}
    assert sum(fact.people for fact in told) == len(moved)
    assert await counter.rows("SELECT sum(people)::int FROM employer_successions") == [(len(moved),)]


async def test_each_person_s_facts_come_in_order_and_what_was_declared_is_kept(counter: Counter) -> None:
    olds = [await counter.employer() for _ in range(2)]
    cards = [await hired(counter, old, "310", "510") for old in olds for _ in range(2)]
    target = company(counter)
    form = merger(olds, details(counter, target))
    case = await decided(counter, registration(counter, form))
    assert case["status"] == "completed", case["notice"]
    events = await published_events(counter.resources)
    for card in cards:
        theirs = [event.type.split(".")[-2] for event in events if event.partitionkey == card.key]
        moved = ["enrolment_stopped"] * 2 + ["enrolment_started"] * 2
        assert theirs == ["person_registered"] + ["enrolment_started"] * 2 + moved
    stops = await published(counter.resources, EnrolmentStopped)
    starts = await published(counter.resources, EnrolmentStarted)
    assert {str(stop.stopped_on) for stop in stops} == {"2026-02-28"}
    assert {str(start.started_on) for start in starts[4 * 2 :]} == {EFFECTIVE}
    assert (await published(counter.resources, EmployerRegistered))[-1].credit_code == target.credit_code
    versions = "SELECT DISTINCT version FROM persons"
    assert await counter.rows(versions) == [(7,)]  # 1, two starts, then two stops and two starts
    history = "SELECT count(*) FROM changes WHERE subject_kind = 'enrolment'"
    assert await counter.rows(history) == [(8 + 16,)]


async def test_a_declared_wage_goes_along(counter: Counter) -> None:
    old, new = await counter.employer(), await counter.employer()
    await hired(counter, old)
    await counter.rows("UPDATE enrolments SET declared_wage_fen = 512345 RETURNING 1")
    await decided(counter, registration(counter, merger([old], {"credit_code": new["credit_code"]})))
    wages = "SELECT declared_wage_fen, version FROM enrolments ORDER BY started_on"
    assert await counter.rows(wages) == [(512345, 2), (512345, 1)]


async def codes_told(counter: Counter, form: dict[str, Any]) -> dict[str, str]:
    """Code -> message of what stands against the form; nothing has changed."""
    case = await decided(counter, registration(counter, form))
    assert case["status"] == "supplementing"
    assert await counter.rows("SELECT count(*) FROM employer_successions") == [(0,)]
    assert await counter.rows("SELECT count(*) FROM enrolments WHERE stopped_on IS NOT NULL") == [(0,)]
    return {item["code"]: item["message"] for item in case["notice"]}


async def test_whoever_is_left_over_in_a_split_is_told_masked(counter: Counter) -> None:
    old, one, two = [await counter.employer() for _ in range(3)]
    cards = [await hired(counter, old) for _ in range(5)]
    told = await codes_told(counter, division("split", old, known(one, cards[0]), known(two)))
    assert set(told) == {"left_over"}
    assert "等4人" in told["left_over"]
    assert not any(card.id_number in told["left_over"] for card in cards)


async def test_the_rest_may_go_to_one_successor(counter: Counter) -> None:
    old, one, two = [await counter.employer() for _ in range(3)]
    cards = [await hired(counter, old) for _ in range(3)]
    form = division("split", old, known(one, cards[0]), known(two, takes_rest=True))
    case = await decided(counter, registration(counter, form))
    assert case["status"] == "completed", case["notice"]
    (fact_one, fact_two) = await published(counter.resources, EmployerSucceeded)
    assert (fact_one.people, fact_two.people) == (1, 2)


async def test_nobody_is_assigned_twice_nor_who_is_not_there_nor_before_they_came(counter: Counter) -> None:
    old, one, two = [await counter.employer() for _ in range(3)]
    card, late = await hired(counter, old), await hired(counter, old, since="2026-03-02")
    stranger = await counter.person()
    form = division("separate", old, known(one, card, late), known(two, card, stranger))
    told = await codes_told(counter, form)
    assert set(told) == {"person_twice", "not_enrolled_here", "started_too_late"}


async def test_what_is_wrong_with_the_employers_is_told_at_once(counter: Counter) -> None:
    old = await counter.employer()
    unknown = company(counter).credit_code
    form = division("split", old, known(old), {"credit_code": unknown})
    form["effective_on"] = "2026-03-11"
    assert set(await codes_told(counter, form)) == {"own_successor", "no_employer", "in_future"}
    single = division("split", old, {"credit_code": unknown, "name": "新单位"})
    assert "too_few_successors" in await codes_told(counter, single)
    twice = merger([old, old], known(await counter.employer()) | {"name": "另一个名字"})
    twice["successor"].pop("people")
    assert set(await codes_told(counter, twice)) == {"employer_twice", "successor_known"}


async def test_a_merged_employer_cannot_be_merged_again(counter: Counter) -> None:
    old, new = await counter.employer(), await counter.employer()
    form = merger([old], {"credit_code": new["credit_code"]})
    await decided(counter, registration(counter, form))
    case = await decided(counter, registration(counter, form))
    assert [item["code"] for item in case["notice"]] == ["employer_state"]


async def test_people_of_a_merged_employer_are_stopped_at_the_new_one(counter: Counter) -> None:
    old, new = await counter.employer(), await counter.employer()
    await hired(counter, old)
    await decided(counter, registration(counter, merger([old], {"credit_code": new["credit_code"]})))
    form = {
        "registration_kind": "suspend",
        "credit_code": new["credit_code"],
        "last_day": "2026-03-09",
    }
    assert (await decided(counter, registration(counter, form)))["status"] == "completed"
    assert await counter.rows("SELECT count(*) FROM enrolments WHERE stopped_on IS NULL") == [(0,)]


async def test_more_people_are_moved_by_no_more_statements(counter: Counter) -> None:
    counts = []
    for people in (2, 9):
        old, new = await counter.employer(), await counter.employer()
        for _ in range(people):
            await hired(counter, old)
        body = registration(counter, merger([old], {"credit_code": new["credit_code"]}))
        with assert_statements(counter.resources.database.engine, 200) as sent:
            await decided(counter, body)
        counts.append(len(sent))
    assert counts[0] == counts[1], counts
