"""Deaths learned: what ends with them, that each is taken once, and how a wrong one is taken back."""

from __future__ import annotations

from typing import Any

from libs.contracts.enrollment import DeathRevoked, EnrolmentStarted, EnrolmentStopped, PersonDeceased
from libs.identifiers.made_up import MadeUp
from libs.webapp.callers import Role
from tests.services.enrollment.applications import WUHAN, Applicant, acted, applied
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter
from tests.services.enrollment.withdrawals import (
    OF_WUHAN,
    clerk,
    data_sharing,
    form_of_heir,
    insured,
    registered,
    require_sound_ledger,
    reviewer,
)
from tests.support.service import published
from tests.support.tokens import officer, system

EVIDENCE = "a" * 64


def line(id_number: str, on: str = "2026-02-20", **more: Any) -> dict[str, Any]:
    credential = {"credential_type": "resident_id", "credential_no": id_number}
    return {"credential": credential, "deceased_on": on, "source": "公安", "reference": "GA-1", **more}


async def told(
    counter: Counter, *lines: dict[str, Any], caller: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    body = {"notices": list(lines)}
    answer = await counter.post("death-notices", body, caller or data_sharing())
    assert answer.status_code == 200, answer.text
    answers: list[dict[str, Any]] = answer.json()
    return answers


async def stopped_and_resumed(counter: Counter, notice: dict[str, Any]) -> dict[str, Any]:
    path = f"death-notices/{notice['id']}/revoke"
    await counter.done(path, {"reason": "同名误报"}, clerk())
    return await counter.done(f"{path}/confirm", {}, reviewer())


async def test_a_death_ends_every_enrolment_on_its_day(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    await counter.enrol(one.card, kind="330")
    (answer,) = await told(counter, line(one.card.id_number))
    assert answer["outcome"] == "recorded"
    facts = await published(counter.resources, EnrolmentStopped)
    assert {(fact.insurance_kind, fact.reason, str(fact.stopped_on)) for fact in facts} == {
        ("310", "deceased", "2026-02-20"),
        ("330", "deceased", "2026-02-20"),
    }
    (fact,) = await published(counter.resources, PersonDeceased)
    assert (fact.person_key, str(fact.deceased_on), fact.source) == (
        one.card.key,
        "2026-02-20",
        "data_sharing",
    )


async def test_it_ends_them_in_every_region_that_knows_the_person(counter: Counter) -> None:
    here = await insured(counter)
    there = await registered(counter, YANTAI, here.applicant)
    await counter.enrol(there.card, since="2026-03-01")
    (answer,) = await told(counter, line(here.card.id_number, "2026-03-05"))
    assert [notice["region_code"] for notice in answer["notices"]] == [YANTAI, WUHAN]
    stopped = await published(counter.resources, EnrolmentStopped)
    assert (stopped[-1].region_code, stopped[-1].reason) == (YANTAI, "deceased")


async def test_months_paid_for_the_time_after_are_listed_and_do_not_keep_it_open(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    (answer,) = await told(counter, line(one.card.id_number, "2025-12-31"))
    (notice,) = answer["notices"]
    assert notice["months_to_refund"] == {"310": ["2026-01", "2026-02"]}
    assert len(notice["stopped_enrolments"]) == 1


async def test_an_enrolment_begun_after_the_death_ends_on_its_first_day(counter: Counter) -> None:
    one = await insured(counter, stopped=False, months=())
    await told(counter, line(one.card.id_number, "2023-05-01"))
    (fact,) = await published(counter.resources, EnrolmentStopped)
    assert str(fact.stopped_on) == "2024-01-01"


async def test_each_death_is_taken_once_and_another_day_is_told(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    first, again, other = await told(
        counter,
        line(one.card.id_number),
        line(one.card.id_number, source="民政", reference="MZ-9"),
        line(one.card.id_number, "2026-02-21"),
    )
    assert [answer["outcome"] for answer in (first, again, other)] == ["recorded", "known", "disagrees"]
    assert first["notices"][0]["id"] == again["notices"][0]["id"]
    assert len(await published(counter.resources, PersonDeceased)) == 1


async def test_people_nobody_knows_are_answered_line_by_line(counter: Counter) -> None:
    one, stranger = await insured(counter, stopped=False), MadeUp(seed=1).person("420102")
    answers = await told(counter, line(stranger.id_number), line(one.card.id_number))
    assert [answer["outcome"] for answer in answers] == ["unknown_person", "recorded"]


async def test_a_death_to_come_is_refused_and_nothing_is_taken(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    lines = [line(one.card.id_number), line(one.card.id_number, "2026-03-11")]
    answer = await counter.post("death-notices", {"notices": lines}, data_sharing())
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/notices/1/deceased_on"]
    assert await published(counter.resources, PersonDeceased) == []


async def test_an_officer_needs_the_paper_and_works_for_their_region(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    body = {"notices": [line(one.card.id_number)]}
    for caller, status in [
        (system("enrollment.write"), 403),
        (officer(WUHAN, Role.CLERK), 403),
        (officer(WUHAN, Role.REVIEWER), 422),
    ]:
        assert (await counter.post("death-notices", body, caller)).status_code == status
    proven = line(one.card.id_number, evidence_digest=EVIDENCE)
    foreign = await told(counter, proven, caller=officer(ZAOZHUANG, Role.REVIEWER))
    assert foreign[0]["outcome"] == "unknown_person"
    assert (await told(counter, proven, caller=reviewer()))[0]["outcome"] == "recorded"


async def test_the_dead_are_not_enrolled_at_the_window_either(counter: Counter) -> None:
    one = await insured(counter)
    await told(counter, line(one.card.id_number))
    body = {
        "person_id": one.card.id,
        "insurance_kind": "310",
        "person_kind": "flexible_worker",
        "started_on": "2026-03-01",
    }
    answer = await counter.post("enrolments", body, clerk())
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "deceased")


async def test_the_dead_are_enrolled_nowhere_by_application(counter: Counter) -> None:
    one = await insured(counter)
    await told(counter, line(one.card.id_number))
    row = {
        "person": one.applicant.body(),
        "change": "add",
        "effective_on": "2026-03-01",
        "declared_wage_yuan": "5000.00",
    }
    body = {
        "region_code": WUHAN,
        "item_key": "002036001002",
        "channel": "window",
        "applicant": one.applicant.body(),
        "payload": {"kind": "employee_registration", "insurance_kinds": ["310"], "people": [row]},
        "materials": [],
    }
    case = await applied(counter, body, clerk())
    assert "deceased" in {item["code"] for item in case["notice"]}


async def test_a_wrong_death_is_taken_back_by_two_and_insurance_goes_on_the_day_after(
    counter: Counter,
) -> None:
    one = await insured(counter, stopped=False)
    ((notice,),) = [answer["notices"] for answer in await told(counter, line(one.card.id_number))]
    done = await stopped_and_resumed(counter, notice)
    assert (done["notice"]["state"], done["not_resumed"]) == ("revoked", [])
    facts = await published(counter.resources, EnrolmentStarted)
    assert (str(facts[-1].started_on), facts[-1].insurance_kind) == ("2026-02-21", "310")
    (fact,) = await published(counter.resources, DeathRevoked)
    assert fact.notice_id == notice["id"]
    assert await counter.rows("SELECT deceased_on FROM persons") == [(None,)]
    # Dead after all: it is a death of its own.
    (answer,) = await told(counter, line(one.card.id_number, "2026-03-01"))
    assert answer["outcome"] == "recorded"


async def test_whoever_asks_for_it_does_not_confirm_it(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    ((notice,),) = [answer["notices"] for answer in await told(counter, line(one.card.id_number))]
    path = f"death-notices/{notice['id']}/revoke"
    assert (await counter.post(f"{path}/confirm", {}, reviewer())).json()["code"] == "nothing_asked"
    await counter.done(path, {"reason": "误报"}, reviewer())
    assert (await counter.post(f"{path}/confirm", {}, reviewer())).json()["code"] == "maker_checker"
    assert (await counter.post(path, {"reason": "误报"}, clerk(YANTAI))).status_code == 404
    assert await published(counter.resources, DeathRevoked) == []


async def test_what_cannot_go_on_is_told_and_the_person_lives_all_the_same(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    ((notice,),) = [answer["notices"] for answer in await told(counter, line(one.card.id_number))]
    elsewhere = await registered(counter, YANTAI, one.applicant)
    await counter.enrol(elsewhere.card, since="2026-03-01")
    done = await stopped_and_resumed(counter, notice)
    assert done["resumed_enrolments"] == []
    assert "烟台市" in done["not_resumed"][0]
    assert len(await published(counter.resources, DeathRevoked)) == 1


async def test_a_death_with_a_withdrawal_under_way_is_not_taken_back(counter: Counter) -> None:
    one, widow = await insured(counter), Applicant(counter.people.person("420102"))
    ((notice,),) = [answer["notices"] for answer in await told(counter, line(one.card.id_number))]
    papers = (*OF_WUHAN, "agreed-payee-identity-and-account")
    case = await applied(counter, form_of_heir(one, widow, *papers), clerk())
    case = await acted(counter, case, "accept", clerk())
    await acted(counter, case, "approve", reviewer())
    answer = await counter.post(f"death-notices/{notice['id']}/revoke", {"reason": "误报"}, clerk())
    assert (answer.status_code, answer.json()["code"]) == (409, "withdrawal_under_way")
    await require_sound_ledger(counter)


async def test_a_death_told_today_is_taken_back_tomorrow(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    ((notice,),) = [
        answer["notices"] for answer in await told(counter, line(one.card.id_number, "2026-03-10"))
    ]
    path = f"death-notices/{notice['id']}/revoke"
    await counter.done(path, {"reason": "误报"}, clerk())
    answer = await counter.post(f"{path}/confirm", {}, reviewer())
    assert (answer.status_code, answer.json()["code"]) == (409, "too_early")
