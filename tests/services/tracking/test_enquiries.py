"""The work queue, the timeline and my cases: who sees what, in which order."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from libs.casework.clock import AdjustableClock
from libs.casework.lifecycle import Action, Status
from libs.contracts.cases import CaseMoved, NoticeItem
from libs.webapp.callers import Role
from libs.webapp.edge import Resources
from tests.services.tracking.conftest import Hear
from tests.services.tracking.facts import LI, WANG, WUHAN, YANTAI, ZAOZHUANG, case_number, moved, told
from tests.support.service import NOW
from tests.support.tokens import citizen, officer, system

QUEUE = "/v1/applications"
CLERK = officer(ZAOZHUANG, Role.CLERK)
TODAY = NOW.date()
DAY = dt.timedelta(days=1)


def accepted(serial: int, due_on: dt.date | None, region_code: str = ZAOZHUANG, **more: object) -> CaseMoved:
    number = case_number(serial, region_code)
    return moved(number, 2, Action.ACCEPT, Status.ACCEPTED, due_on=due_on, **more)


async def numbers(client: httpx.AsyncClient, headers: dict[str, str], **params: object) -> list[str]:
    answer = await client.get(QUEUE, params=params, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [case["case_no"] for case in answer.json()["items"]]


async def test_what_is_due_first_stands_first(client: httpx.AsyncClient, hear: Hear) -> None:
    ended = moved(case_number(4), 3, Action.COMPLETE, Status.COMPLETED, due_on=TODAY - 9 * DAY)
    await hear(accepted(1, TODAY + DAY), accepted(2, TODAY), accepted(3, TODAY), ended)
    assert await numbers(client, CLERK) == [case_number(n) for n in (2, 3, 1, 4)]


async def test_paging_passes_every_case_once(client: httpx.AsyncClient, hear: Hear) -> None:
    await hear(*(accepted(n, TODAY + (n % 3) * DAY) for n in range(1, 8)))
    seen, cursor = [], None
    while True:
        params = {"page_size": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(QUEUE, params=params, headers=CLERK)).json()
        seen += [case["case_no"] for case in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(case_number(n) for n in range(1, 8))
    assert len(seen) == 7


@pytest.mark.parametrize(("days_late", "overdue"), [(-1, False), (0, False), (1, True)])
async def test_overdue_begins_the_day_after_the_due_date(
    client: httpx.AsyncClient, hear: Hear, resources: Resources, days_late: int, overdue: bool
) -> None:
    await hear(accepted(1, TODAY))
    assert isinstance(resources.clock, AdjustableClock)
    resources.clock.advance(days_late * DAY)
    case = (await client.get(QUEUE, headers=CLERK)).json()["items"][0]
    assert case["overdue"] is overdue
    assert bool(await numbers(client, CLERK, overdue=True)) is overdue


async def test_filters_narrow_the_queue(client: httpx.AsyncClient, hear: Hear) -> None:
    await hear(
        accepted(1, TODAY, assignee="officer-7"),
        accepted(2, TODAY + DAY, operation="transfer.out", item_key="zaozhuang-transfer-out"),
        moved(case_number(3)),
    )
    assert await numbers(client, CLERK, assignee="officer-7") == [case_number(1)]
    assert await numbers(client, CLERK, operation="transfer.out") == [case_number(2)]
    assert await numbers(client, CLERK, item="zaozhuang-transfer-out") == [case_number(2)]
    assert await numbers(client, CLERK, status="submitted") == [case_number(3)]
    assert await numbers(client, CLERK, status=["submitted", "accepted"], due_by=str(TODAY)) == [
        case_number(1)
    ]


async def test_an_officer_sees_the_own_region_only(client: httpx.AsyncClient, hear: Hear) -> None:
    await hear(accepted(1, TODAY), accepted(2, TODAY, YANTAI))
    assert await numbers(client, CLERK) == [case_number(1)]
    answer = await client.get(QUEUE, params={"region": YANTAI}, headers=CLERK)
    assert answer.status_code == 403
    assert answer.json()["code"] == "foreign_region"


async def test_the_counterpart_region_reads_the_timeline_but_has_no_work_of_it(
    client: httpx.AsyncClient, hear: Hear
) -> None:
    await hear(accepted(1, TODAY, counterpart_region_code=YANTAI), told(case_number(1), "您的申请已受理。"))
    path = f"{QUEUE}/{case_number(1)}/timeline"
    assert await numbers(client, officer(YANTAI, Role.CLERK)) == []
    answer = await client.get(path, headers=officer(YANTAI, Role.CLERK))
    assert [entry["kind"] for entry in answer.json()["entries"]] == ["move", "message"]
    stranger = await client.get(path, headers=officer(WUHAN, Role.CLERK))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "no_case")


async def test_a_citizen_sees_the_own_cases_only(client: httpx.AsyncClient, hear: Hear) -> None:
    await hear(accepted(1, TODAY), accepted(2, TODAY, subject_key=WANG))
    assert await numbers(client, citizen(LI)) == [case_number(1)]
    foreign = await client.get(f"{QUEUE}/{case_number(2)}/timeline", headers=citizen(LI))
    assert (foreign.status_code, foreign.json()["code"]) == (404, "no_case")


async def test_a_system_needs_the_scope(client: httpx.AsyncClient, hear: Hear) -> None:
    await hear(accepted(1, TODAY))
    assert await numbers(client, system("tracking.read")) == [case_number(1)]
    for path in (QUEUE, f"{QUEUE}/{case_number(1)}/timeline"):
        answer = await client.get(path, headers=system("enrollment.read"))
        assert (answer.status_code, answer.json()["code"]) == (403, "scope")


async def test_the_timeline_tells_steps_notices_and_messages_in_order(
    client: httpx.AsyncClient, hear: Hear
) -> None:
    case_no = case_number()
    missing = NoticeItem(code="missing_material", message="缺少材料“参保凭证”，请补交。", rule="第11项")
    await hear(
        moved(case_no, 2, Action.REQUEST_SUPPLEMENT, Status.SUPPLEMENTING, notice=[missing]),
        told(case_no, "请补正材料。", minutes=2, kind="supplement"),
        moved(case_no, 1),
    )
    answer = await client.get(f"{QUEUE}/{case_no}/timeline", headers=CLERK)
    entries = answer.json()["entries"]
    assert [(e["kind"], e.get("action") or e["message_kind"]) for e in entries] == [
        ("move", "submit"),
        ("move", "request-supplement"),
        ("message", "supplement"),
    ]
    assert entries[1]["notice"] == [missing.model_dump()]
    assert answer.json()["case"]["status_name"] == "待补正"


async def test_my_cases_say_what_is_missing_and_where_to_ask(client: httpx.AsyncClient, hear: Hear) -> None:
    case_no = case_number()
    missing = NoticeItem(code="missing_material", message="缺少材料“参保凭证”，请补交。")
    await hear(
        moved(case_no, 1),
        moved(case_no, 2, Action.REQUEST_SUPPLEMENT, Status.SUPPLEMENTING, notice=[missing]),
    )
    [case] = (await client.get("/v1/tracking/my-cases", headers=citizen(LI))).json()["items"]
    assert [item["message"] for item in case["notice"]] == [missing.message]
    assert case["offices"][0]["name"] == "枣庄市医疗保险服务大厅"
    assert {"purpose": "progress", "number": "3312027"} in case["offices"][0]["telephones"]
    assert case["ratable"] is False


async def test_a_notice_that_was_answered_is_no_longer_missing(client: httpx.AsyncClient, hear: Hear) -> None:
    case_no = case_number()
    missing = NoticeItem(code="missing_material", message="缺少材料“参保凭证”，请补交。")
    await hear(
        moved(case_no, 2, Action.REQUEST_SUPPLEMENT, Status.SUPPLEMENTING, notice=[missing]),
        moved(case_no, 3, Action.SUPPLEMENT, Status.SUBMITTED),
    )
    [case] = (await client.get("/v1/tracking/my-cases", headers=citizen(LI))).json()["items"]
    assert case["notice"] == []


async def test_my_cases_are_for_citizens(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/tracking/my-cases", headers=CLERK)
    assert (answer.status_code, answer.json()["code"]) == (403, "applicant_only")


async def test_without_a_token_nothing_is_told(client: httpx.AsyncClient) -> None:
    for path in (QUEUE, f"{QUEUE}/{case_number()}/timeline", "/v1/tracking/my-cases"):
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("path", "params", "pointer"),
    [
        (QUEUE, {"cursor": "made-up"}, "/query/cursor"),
        (QUEUE, {"status": "lost"}, "/query/status/0"),
        (QUEUE, {"due_by": "31 February"}, "/query/due_by"),
        (QUEUE, {"item": "a\0b"}, "/query/item"),
        (QUEUE, {"unknown": "1"}, "/query/unknown"),
        (f"{QUEUE}/370400-33-20260310-000001-0/timeline", {}, "/case_no"),
        ("/v1/tracking/my-cases", {"page_size": "0"}, "/query/page_size"),
    ],
)
async def test_bad_input_is_refused_naming_the_field(
    client: httpx.AsyncClient, path: str, params: dict[str, str], pointer: str
) -> None:
    answer = await client.get(path, params=params, headers=citizen(LI))
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]
