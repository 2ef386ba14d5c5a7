from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.desk import CaseDesk, Caseflow
from libs.casework.actors import SYSTEM, Actor
from libs.refusals.faults import Refusal
from libs.webapp.database import ALL_REGIONS
from services.enrollment.schemas.applications_students import StudentRegistrationPayload
from services.enrollment.service.businesses.students import StudentRegistration
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter
from tests.services.enrollment.registry import Registry, pupils, school_file, worker_of
from tests.support.service import NOW

CASE = cast(Case, SimpleNamespace(case_no="370400-14-20260310-000001-0"))
NOBODY = "01970000-0000-7000-8000-000000000000"
SCHOOL = pupils(1, seed=5)[0]


def form(roster_id: str, region_code: str = ZAOZHUANG) -> Application[StudentRegistrationPayload]:
    body = {
        "region_code": region_code,
        "item_key": "yantai-student-registration",
        "channel": "window",
        "applicant": {
            "credential_type": "resident_id", "credential_no": SCHOOL.id_number, "name": SCHOOL.name,
        },
        "payload": {"kind": "student_registration", "roster_id": roster_id},
    }  # fmt: skip
    return Application[StudentRegistrationPayload].model_validate(body)


async def asked(counter: Counter, verb: str, *arguments: Any, actor: Actor = SYSTEM) -> Any:
    """The business's answer, in a transaction of its own."""
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        desk = CaseDesk(cast(Caseflow, None), session, actor, NOW)
        return await getattr(StudentRegistration(), verb)(desk, *arguments)


@pytest.fixture
def registry(counter: Counter) -> Registry:
    return Registry(counter)


async def test_a_roster_waits_for_its_case_and_is_then_worked_on(registry: Registry) -> None:
    roster_id = await registry.taken(school_file(pupils(20)), release="false")
    await worker_of(registry.resources).work_off()
    assert (await registry.seen(roster_id))["state"] == "received"
    assert await asked(registry.counter, "faults", form(roster_id)) == []
    details = await asked(registry.counter, "carry_out", CASE, form(roster_id))
    assert details == {"roster_id": roster_id, "people": 20}
    await worker_of(registry.resources).work_off()
    seen = await registry.seen(roster_id)
    assert (seen["state"], seen["enrolled"], seen["case_no"]) == ("finished", 20, CASE.case_no)


async def test_unknown_foreign_and_other_rosters_are_told(registry: Registry) -> None:
    foreign = await registry.taken(school_file(pupils(2)), region_code=YANTAI, release="false")
    for roster_id in (NOBODY, foreign):
        (fault,) = await asked(registry.counter, "faults", form(roster_id))
        assert (fault.code, fault.pointer) == ("no_roster", "/payload/roster_id")
        with pytest.raises(Refusal, match="没有此花名册"):
            await asked(registry.counter, "carry_out", CASE, form(roster_id))


async def test_a_roster_is_released_once(registry: Registry) -> None:
    roster_id = await registry.taken(school_file(pupils(2)), release="false")
    await asked(registry.counter, "carry_out", CASE, form(roster_id))
    (fault,) = await asked(registry.counter, "faults", form(roster_id))
    assert fault.code == "roster_released"
    with pytest.raises(Refusal, match="不能再次办理"):
        await asked(registry.counter, "carry_out", CASE, form(roster_id))


async def test_a_roster_is_not_released_at_once_by_whoever_applies_online(registry: Registry) -> None:
    roster_id = await registry.taken(school_file(pupils(2)), release="false")
    somebody = Actor("citizen", "0" * 64, "本人", None, None)
    (reason,) = await asked(registry.counter, "reasons_for_review", form(roster_id), actor=somebody)
    assert "授权" in reason
    assert await asked(registry.counter, "reasons_for_review", form(roster_id)) == []
