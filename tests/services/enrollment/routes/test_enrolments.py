from __future__ import annotations

import asyncio
from typing import Any

from libs.contracts.enrollment import EnrolmentStarted, EnrolmentStopped
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Card, Counter, accepted, clerk_of
from tests.support.service import published, published_events

ACTIVE = "SELECT count(*) FROM enrolments WHERE stopped_on IS NULL"


def enrolment_of(card: Card, **changes: Any) -> dict[str, Any]:
    return {
        "person_id": card.id,
        "insurance_kind": "310",
        "person_kind": "flexible_worker",
        "started_on": "2026-03-01",
        **changes,
    }


async def test_an_enrolment_starts_and_is_told_to_the_others(counter: Counter) -> None:
    card = await counter.person()
    created = await counter.post("enrolments", enrolment_of(card))
    assert created.status_code == 201
    told = created.json()
    read = await counter.client.get(created.headers["location"], headers=clerk_of(ZAOZHUANG))
    assert read.json() == told
    assert (told["insurance_name"], told["person_kind_name"]) == ("职工基本医疗保险", "灵活就业人员")
    (fact,) = await published(counter.resources, EnrolmentStarted)
    assert (fact.enrolment_id, fact.person_key, fact.region_code) == (told["id"], card.key, ZAOZHUANG)
    event = (await published_events(counter.resources))[-1]
    assert (event.partitionkey, event.regioncode) == (card.key, ZAOZHUANG)


async def test_a_second_active_enrolment_is_refused_with_the_evidence(counter: Counter) -> None:
    card, employer = await counter.person(), await counter.employer()
    body = enrolment_of(card, person_kind="employee", employer_id=employer["id"], started_on="2025-07-01")
    first = await counter.done("enrolments", body)
    answer = await counter.post("enrolments", enrolment_of(card))
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    for evidence in ("2025-07-01", "枣庄市", employer["name"], first["id"]):
        assert evidence in error["message"]
    assert len(await published(counter.resources, EnrolmentStarted)) == 1


async def test_nobody_is_employee_and_resident_at_once(counter: Counter) -> None:
    card = await counter.person()
    await counter.enrol(card, kind="390", person_kind="resident")
    answer = await counter.post("enrolments", enrolment_of(card))
    assert answer.status_code == 409
    assert "城乡居民基本医疗保险" in answer.json()["errors"][0]["message"]


async def test_nobody_is_enrolled_in_two_regions_at_once(counter: Counter) -> None:
    there = await counter.person(YANTAI)
    await counter.enrol(there, since="2025-01-01")
    here = await counter.person(id_number=there.id_number)
    answer = await counter.post("enrolments", enrolment_of(here))
    assert answer.status_code == 409
    (error,) = answer.json()["errors"]
    assert "2025-01-01起在烟台市参加职工基本医疗保险" in error["message"]
    assert "编号" not in error["message"], "of another region no more than where, since when and as what"


async def test_after_a_stop_elsewhere_one_may_enrol_here_from_the_next_day(counter: Counter) -> None:
    there = await counter.person(YANTAI)
    await counter.stop(await counter.enrol(there), on="2026-02-28")
    here = await counter.person(id_number=there.id_number)
    overlapping = await counter.post("enrolments", enrolment_of(here, started_on="2026-02-28"))
    assert overlapping.status_code == 409
    assert (await counter.post("enrolments", enrolment_of(here, started_on="2026-03-01"))).status_code == 201


async def test_of_many_enrolments_at_once_one_wins(counter: Counter) -> None:
    card = await counter.person()
    answers = await asyncio.gather(*(counter.post("enrolments", enrolment_of(card)) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert await counter.rows(ACTIVE) == [(1,)]
    assert len(await published(counter.resources, EnrolmentStarted)) == 1


async def test_of_enrolments_in_two_regions_at_once_one_wins(counter: Counter) -> None:
    for _ in range(5):
        here = await counter.person()
        there = await counter.person(YANTAI, id_number=here.id_number)
        answers = await asyncio.gather(
            counter.post("enrolments", enrolment_of(here)),
            counter.post("enrolments", enrolment_of(there), clerk_of(YANTAI)),
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_the_same_request_again_gets_the_same_answer_and_enrols_once(counter: Counter) -> None:
    card = await counter.person()
    headers = {"Idempotency-Key": "enrol-once"}
    first = await counter.post("enrolments", enrolment_of(card), **headers)
    again = await counter.post("enrolments", enrolment_of(card), **headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert await counter.rows(ACTIVE) == [(1,)]
    other = await counter.post("enrolments", enrolment_of(card, started_on="2026-03-02"), **headers)
    assert other.status_code == 422


async def test_all_faults_of_an_enrolment_are_told_at_once_and_nothing_changes(counter: Counter) -> None:
    card = await counter.person()
    body = enrolment_of(card, insurance_kind="390", employer_id=card.id, started_on="2026-03-11")
    answer = await counter.post("enrolments", body)
    assert answer.status_code == 422
    found = [error["code"] for error in answer.json()["errors"]]
    assert found == ["started_in_future", "kinds_disagree", "employer_unexpected", "no_employer"]
    assert await counter.rows(ACTIVE) == [(0,)]


async def test_an_employer_of_another_region_is_no_employer_here(counter: Counter) -> None:
    card, employer = await counter.person(), await counter.employer(YANTAI)
    body = enrolment_of(card, person_kind="employee", employer_id=employer["id"])
    answer = await counter.post("enrolments", body)
    assert [error["code"] for error in answer.json()["errors"]] == ["no_employer"]


async def test_while_a_transfer_out_is_under_way_nobody_enrols_anew(counter: Counter) -> None:
    card = await counter.insured(["2026-01"])
    await counter.deliver(accepted(card))
    answer = await counter.post("enrolments", enrolment_of(card))
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == ["transfer_under_way"]


async def test_a_stop_is_told_to_the_others_and_kept_with_before_and_after(counter: Counter) -> None:
    card = await counter.person()
    enrolment = await counter.enrol(card)
    body = {"stopped_on": "2026-02-28", "reason": "moved_away"}
    answer = await counter.post(f"enrolments/{enrolment['id']}/stop", body)
    assert answer.status_code == 200
    assert answer.headers["etag"] == '"2"'
    assert answer.json()["stop_reason_name"] == "转往外地参保"
    (fact,) = await published(counter.resources, EnrolmentStopped)
    assert (fact.enrolment_id, fact.stopped_on.isoformat(), fact.reason) == (
        enrolment["id"],
        "2026-02-28",
        "moved_away",
    )
    query = "SELECT before, after, changed_by FROM changes WHERE subject_id = :id AND version = 2"
    ((before, after, changed_by),) = await counter.rows(query, id=enrolment["id"])
    assert (before["stopped_on"], after["stopped_on"]) == (None, "2026-02-28")
    assert changed_by == "officer:officer-1"


async def test_a_stopped_enrolment_is_not_stopped_again(counter: Counter) -> None:
    card = await counter.person()
    enrolment = await counter.enrol(card)
    await counter.stop(enrolment, on="2026-02-28")
    body = {"stopped_on": "2026-03-01", "reason": "other"}
    answer = await counter.post(f"enrolments/{enrolment['id']}/stop", body)
    assert answer.status_code == 409
    assert "已于2026-02-28停保" in answer.json()["detail"]
    assert len(await published(counter.resources, EnrolmentStopped)) == 1


async def test_of_many_stops_at_once_one_wins(counter: Counter) -> None:
    enrolment = await counter.enrol(await counter.person())
    body = {"stopped_on": "2026-03-01", "reason": "other"}
    path = f"enrolments/{enrolment['id']}/stop"
    answers = await asyncio.gather(*(counter.post(path, body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 5


async def test_a_stop_with_a_stale_version_changes_nothing(counter: Counter) -> None:
    enrolment = await counter.enrol(await counter.person())
    path, body = f"enrolments/{enrolment['id']}/stop", {"stopped_on": "2026-03-01", "reason": "other"}
    stale = await counter.post(path, body, **{"If-Match": '"7"'})
    assert stale.status_code == 412
    broken = await counter.post(path, body, **{"If-Match": "seven"})
    assert (broken.status_code, broken.json()["errors"][0]["pointer"]) == (422, "/header/If-Match")
    assert (await counter.post(path, body, **{"If-Match": '"1"'})).status_code == 200


async def test_a_stop_before_paid_months_is_refused(counter: Counter) -> None:
    card = await counter.person()
    enrolment = await counter.enrol(card)
    await counter.contribute(card, ["2026-02"])
    body = {"stopped_on": "2026-01-31", "reason": "other"}
    answer = await counter.post(f"enrolments/{enrolment['id']}/stop", body)
    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == ["paid_after_stop"]


async def test_after_a_stop_one_may_enrol_again(counter: Counter) -> None:
    card = await counter.person()
    await counter.stop(await counter.enrol(card), on="2026-02-28")
    assert (await counter.post("enrolments", enrolment_of(card))).status_code == 201
