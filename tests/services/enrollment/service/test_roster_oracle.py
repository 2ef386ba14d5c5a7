"""Two thousand rows of every kind, against a model of what they must come to that shares no code."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from libs.contracts.enrollment import EnrolmentStarted
from libs.identifiers.made_up import MadeUp, MadeUpPerson
from tests.libs.rosters.files import csv_file
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter
from tests.services.enrollment.registry import SCHOOL_HEADINGS, SINCE, Registry, row_of, worker_of
from tests.support.service import published

ROWS = 2000
# How often each kind of row is drawn.
KINDS = {
    "new": 50,
    "broken number": 8,
    "mangled number": 3,
    "no name": 4,
    "wrong sex": 4,
    "again": 8,
    "registered": 5,
    "registered otherwise": 3,
    "student here": 4,
    "student here later": 2,
    "resident here": 3,
    "employee here": 3,
    "employee elsewhere": 3,
    "retired elsewhere and stopped": 2,
    "born later": 2,
}


@dataclass
class World:
    """What a plain reading of the rules says there must be afterwards."""

    enrolled: set[str] = field(default_factory=set)
    expected: dict[int, tuple[str, set[str]]] = field(default_factory=dict)
    rows: list[list[str]] = field(default_factory=list)
    good: dict[str, int] = field(default_factory=dict)


def spoilt(number: str) -> str:
    """The number with another check digit."""
    return number[:-1] + random.Random(number).choice(
        [digit for digit in "0123456789" if digit != number[-1]]
    )


async def stage(counter: Counter, kind: str, person: MadeUpPerson) -> str | None:
    """Bring about what the kind says of the person; the name they are registered by here, if any."""
    if "elsewhere" in kind:
        there = await counter.person(YANTAI, person.id_number)
        if kind == "employee elsewhere":
            await counter.enrol(there, "310", "flexible_worker", since="2026-01-01")
        else:
            enrolment = await counter.enrol(there, "310", "retiree", since="2020-01-01")
            await counter.stop(enrolment, on="2026-02-28")
        return None
    if kind in ("registered", "registered otherwise") or "here" in kind:
        here = await counter.person(ZAOZHUANG, person.id_number)
        name = (await counter.get(f"persons/{here.id}")).json()["name"]
        if kind == "student here":
            await counter.enrol(here, "390", "student", since="2025-09-01")
        elif kind == "student here later":
            await counter.enrol(here, "390", "student", since="2026-03-05")
        elif kind == "employee here":
            await counter.enrol(here, "310", "flexible_worker", since="2025-01-01")
        elif kind == "resident here":
            await counter.enrol(here, "390", "resident", since="2025-01-01")
        return str(name)
    return None


def born_elsewhen(person: MadeUpPerson) -> str:
    return (person.birth_date + dt.timedelta(days=1)).isoformat()


# kind -> (what the row says, what it comes to)
PLAIN: dict[str, tuple[Callable[[MadeUpPerson], dict[str, str]], set[str]]] = {
    "broken number": (lambda person: {"number": spoilt(person.id_number)}, {"credential"}),
    "mangled number": (lambda _: {"number": "3.70402E+17"}, {"number_mangled"}),
    "no name": (lambda _: {"name": ""}, {"missing"}),
    "wrong sex": (lambda p: {"sex": "女" if p.sex == "男" else "男"}, {"credential_disagrees"}),
    "born later": (lambda p: {"born": born_elsewhen(p)}, {"credential_disagrees"}),
    "registered otherwise": (lambda _: {"name": "另外一人"}, {"name_disagrees"}),
    "student here later": (lambda _: {}, {"already_enrolled"}),
    "resident here": (lambda _: {}, {"already_enrolled"}),
    "employee here": (lambda _: {}, {"already_enrolled"}),
    "employee elsewhere": (lambda _: {}, {"already_enrolled"}),
}


async def build(counter: Counter, rng: random.Random) -> World:
    world, made_up = World(), MadeUp(77)
    for place in range(ROWS):
        row_no = place + 2
        (kind,) = rng.choices(list(KINDS), list(KINDS.values()))
        if kind == "again" and world.good:
            number = rng.choice(list(world.good))
            person = MadeUpPerson("重名者", number, "", dt.date(2015, 1, 1), "")
            world.rows.append(row_of(person))
            world.expected[row_no] = ("refused", {"double_in_file"})
            continue
        born = (1995, 2004) if "employee" in kind else (2012, 2018)
        person = made_up.person("370402", born=born)
        known_as = await stage(counter, kind, person)
        says, codes = PLAIN.get(kind, (lambda _: {}, set()))
        world.rows.append(row_of(person, **({"name": known_as} if known_as else {}) | says(person)))
        if kind not in ("broken number", "mangled number"):
            world.good[person.id_number] = row_no
        if codes:
            world.expected[row_no] = ("refused", codes)
        elif kind == "student here":
            world.expected[row_no] = ("already_enrolled", set())
        else:
            world.expected[row_no] = ("enrolled", set())
            world.enrolled.add(person.id_number)
    return world


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_thousand_rows_come_to_what_the_rules_say(counter: Counter) -> None:
    registry = Registry(counter)
    world = await build(counter, random.Random(20260310))
    before = len(await published(counter.resources, EnrolmentStarted))
    roster_id = await registry.taken(csv_file(world.rows, headings=SCHOOL_HEADINGS))
    await worker_of(counter.resources, chunk_rows=137).work_off()
    rows = await registry.rows(roster_id)
    told = {row["row_no"]: (row["outcome"], {fault["code"] for fault in row["faults"]}) for row in rows}
    assert told == world.expected
    keys = {counter.resources.protector.blind_index(f"resident_id:{number}") for number in world.enrolled}
    query = """
        SELECT person_key FROM enrolments WHERE region_code = '370400' AND insurance_kind = '390'
          AND person_kind = 'student' AND started_on = '2026-03-01' AND stopped_on IS NULL
    """
    assert sorted(row[0] for row in await counter.rows(query)) == sorted(keys)
    facts = (await published(counter.resources, EnrolmentStarted))[before:]
    assert sorted(fact.person_key for fact in facts) == sorted(keys)
    assert {fact.started_on.isoformat() for fact in facts} == {SINCE}
    seen = await registry.seen(roster_id)
    outcomes = [outcome for outcome, _ in world.expected.values()]
    assert [seen[name] for name in ("enrolled", "already_enrolled", "refused")] == [
        outcomes.count(name) for name in ("enrolled", "already_enrolled", "refused")
    ]
    await _the_history_says_the_same(counter, roster_id, len(keys))


async def _the_history_says_the_same(counter: Counter, roster_id: str, enrolled: int) -> None:
    query = """
        SELECT subject_kind, count(*), count(DISTINCT subject_id) FROM changes
        WHERE reason = :reason GROUP BY subject_kind
    """
    notes = {row[0]: row[1:] for row in await counter.rows(query, reason=f"花名册{roster_id}")}
    assert notes["enrolment"] == (enrolled, enrolled)
    # Everybody enrolled has a version more than registration alone gave.
    behind = """
        SELECT count(*) FROM persons p JOIN enrolments e ON e.person_id = p.id
        JOIN roster_rows r ON r.enrolment_id = e.id AND r.outcome = 'enrolled' WHERE p.version < 2
    """
    assert await counter.rows(behind) == [(0,)]
