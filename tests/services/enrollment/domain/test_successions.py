from __future__ import annotations

import datetime as dt
from uuid import UUID, uuid4

from services.enrollment.domain.successions import Member, Share, SuccessionKind, assign

DAY = dt.date(2026, 3, 1)
OLD = uuid4()


def member(person_key: str, kind: str = "310", since: dt.date = dt.date(2025, 1, 1)) -> Member:
    return Member(
        enrolment_id=uuid4(),
        version=1,
        person_id=UUID(int=ord(person_key)),
        person_key=person_key,
        insurance_kind=kind,
        counts_as=kind,
        person_kind="employee",
        employer_id=OLD,
        started_on=since,
        declared_wage_fen=None,
    )


def test_all_enrolments_of_a_person_go_together() -> None:
    members = [member("a", "310"), member("a", "510"), member("b")]
    shares = [Share(("a",)), Share(("b",))]
    assignment = assign(SuccessionKind.SPLIT, members, shares, DAY)
    assert assignment.is_right
    assert [assignment.moves[one.enrolment_id] for one in members] == [0, 0, 1]


def test_whoever_is_not_named_stays_after_a_separation_and_is_left_over_in_a_split() -> None:
    members = [member("a"), member("b")]
    separated = assign(SuccessionKind.SEPARATE, members, [Share(("a",))], DAY)
    assert (separated.is_right, list(separated.moves)) == (True, [members[0].enrolment_id])
    split = assign(SuccessionKind.SPLIT, members, [Share(("a",)), Share()], DAY)
    assert (split.is_right, split.left_over) == (False, ["b"])


def test_the_rest_are_all_but_those_named_elsewhere() -> None:
    members = [member(key) for key in "abc"]
    shares = [Share(takes_rest=True), Share(("b",))]
    assignment = assign(SuccessionKind.SPLIT, members, shares, DAY)
    assert [assignment.moves[one.enrolment_id] for one in members] == [0, 1, 0]


def test_nobody_is_assigned_twice_and_only_who_is_there() -> None:
    shares = [Share(("a", "a", "x")), Share(("a",))]
    assignment = assign(SuccessionKind.SEPARATE, [member("a")], shares, DAY)
    assert (assignment.twice, assignment.unknown) == ([(0, 1), (1, 0)], [(0, 2)])


def test_whoever_comes_on_the_day_itself_is_too_late_unless_they_stay() -> None:
    members = [member("a", since=DAY), member("b", since=DAY - dt.timedelta(days=1))]
    assert assign(SuccessionKind.SEPARATE, members, [Share(("a", "b"))], DAY).too_late == ["a"]
    assert assign(SuccessionKind.SEPARATE, members, [Share(("b",))], DAY).is_right
