"""TransferOutAccepted: may the relation leave, and with what?"""

from __future__ import annotations

from uuid import UUID

from libs.contracts.enrollment import TransferRecordPrepared, TransferRecordRefused
from libs.ledger import holds
from libs.webapp.database import ALL_REGIONS
from tests.services.enrollment.counter import (
    CONVERSATION,
    TODAY,
    YANTAI,
    ZAOZHUANG,
    Card,
    Counter,
    accepted,
    period,
    received,
    taken_up,
)
from tests.support.service import published, published_events

MONTHS = ["2025-01", "2025-02", "2025-04"]


async def prepared(counter: Counter) -> list[TransferRecordPrepared]:
    return await published(counter.resources, TransferRecordPrepared)


async def refusals(counter: Counter) -> list[list[str]]:
    return [fact.reasons for fact in await published(counter.resources, TransferRecordRefused)]


async def account(counter: Counter, card: Card) -> tuple[str, str, str]:
    told = (await counter.get(f"persons/{card.id}/account")).json()
    return told["balance_yuan"], told["held_yuan"], told["available_yuan"]


async def test_the_periods_are_stated_and_the_whole_balance_is_set_aside(counter: Counter) -> None:
    card = await counter.insured(MONTHS)
    await counter.deliver(accepted(card))
    (fact,) = await prepared(counter)
    assert (fact.conversation, fact.case_no, fact.balance_fen) == (CONVERSATION, "case-of-370400", 30_000)
    spans = [(p.from_month, p.to_month, p.months_paid, p.insurance_kind) for p in fact.periods]
    assert spans == [("2025-01", "2025-02", 2, "310"), ("2025-04", "2025-04", 1, "310")]
    assert {p.agency_name for p in fact.periods} == {"枣庄市医疗保障经办机构"}
    assert await account(counter, card) == ("300.00", "300.00", "0.00")
    event = (await published_events(counter.resources))[-1]
    assert (event.partitionkey, event.subject, event.regioncode) == (card.key, CONVERSATION, ZAOZHUANG)


async def test_asked_twice_it_answers_the_same_and_holds_once(counter: Counter) -> None:
    card = await counter.insured(MONTHS)
    await counter.deliver(accepted(card), times=2)
    first, second = await prepared(counter)
    assert first == second
    assert await counter.rows("SELECT count(*), sum(amount_fen)::bigint FROM ledger_holds") == [(1, 30_000)]


async def test_without_money_nothing_is_held_and_the_months_still_go(counter: Counter) -> None:
    card = await counter.insured(MONTHS, account="0.00")
    await counter.deliver(accepted(card))
    (fact,) = await prepared(counter)
    assert (fact.balance_fen, len(fact.periods)) == (0, 2)
    assert await counter.rows("SELECT count(*) FROM ledger_holds") == [(0,)]


async def test_only_the_kind_asked_for_is_stated(counter: Counter) -> None:
    card = await counter.insured(["2025-01"])
    resident = await counter.enrol(card, kind="390", person_kind="resident", since="2026-03-01")
    month = {"month": "2026-03", "base_yuan": "400.00"}
    await counter.done("contributions", {"person_id": card.id, "insurance_kind": "390", "months": [month]})
    await counter.deliver(accepted(card))
    (fact,) = await prepared(counter)
    assert [p.from_month for p in fact.periods] == ["2025-01"]
    assert resident["stopped_on"] is None


async def test_months_that_came_from_elsewhere_keep_their_origin(counter: Counter) -> None:
    card = await counter.person(YANTAI)
    enrolment = await counter.enrol(card, since="2025-03-01")
    await counter.contribute(card, ["2025-03"])
    came = taken_up(card, 0, [period("2025-01", "2025-02", 2)], conversation="earlier")
    await counter.deliver(came)
    await counter.stop(enrolment)
    await counter.deliver(accepted(card))
    (fact,) = await prepared(counter)
    told = [(p.from_month, p.to_month, p.region_code, p.agency_name, p.remark) for p in fact.periods]
    assert told == [
        ("2025-01", "2025-02", ZAOZHUANG, "枣庄市医疗保障经办机构", "由枣庄市转入"),
        ("2025-03", "2025-03", YANTAI, "烟台市医疗保障经办机构", ""),
    ]


async def test_a_person_unknown_here_cannot_leave(counter: Counter) -> None:
    nobody = Card(id=str(UUID(int=0)), key="f" * 64, id_number="", region_code=ZAOZHUANG)
    await counter.deliver(accepted(nobody))
    ((reason,),) = await refusals(counter)
    assert "本地没有该人员的职工基本医疗保险参保记录" in reason
    assert await prepared(counter) == []


async def test_a_person_known_in_another_region_only_cannot_leave_from_here(counter: Counter) -> None:
    there = await counter.person(YANTAI)
    await counter.stop(await counter.enrol(there))
    here = Card(there.id, there.key, there.id_number, ZAOZHUANG)
    await counter.deliver(accepted(here))
    ((reason,),) = await refusals(counter)
    assert "本地没有" in reason


async def test_who_is_still_active_cannot_leave_and_once_stopped_can(counter: Counter) -> None:
    card = await counter.person()
    enrolment = await counter.enrol(card)
    await counter.deliver(accepted(card))
    ((reason,),) = await refusals(counter)
    assert "尚未停保" in reason
    assert enrolment["id"] in reason
    await counter.stop(enrolment)
    await counter.deliver(accepted(card))
    assert len(await prepared(counter)) == 1


async def test_every_reason_is_told_at_once_and_nothing_is_set_aside(counter: Counter) -> None:
    card = await counter.insured(MONTHS)
    await counter.enrol(card, person_kind="retiree", since="2026-03-01")
    await _hold_elsewhere(counter, card)
    await counter.deliver(received(card, 500, conversation="coming-in"))
    await counter.deliver(accepted(card))
    (reasons,) = await refusals(counter)
    assert len(reasons) == 4
    for reason, words in zip(reasons, ("尚未停保", "退休人员", "转入自烟台市", "冻结"), strict=True):
        assert words in reason
    assert await account(counter, card) == ("300.00", "1.00", "299.00")
    query = "SELECT count(*) FROM contribution_months WHERE travels_with IS NOT NULL"
    assert await counter.rows(query) == [(0,)]


async def test_two_transfers_of_one_relation_at_once_are_refused(counter: Counter) -> None:
    card = await counter.insured(MONTHS)
    await counter.deliver(accepted(card))
    await counter.deliver(accepted(card, conversation="another"))
    ((reason,),) = await refusals(counter)
    assert "转往烟台市，办件编号case-of-370400" in reason
    assert len(await prepared(counter)) == 1


async def test_another_kind_of_insurance_may_leave_beside_it(counter: Counter) -> None:
    card = await counter.insured(MONTHS)
    await counter.stop(await counter.enrol(card, kind="410", since="2025-01-01"))
    await counter.deliver(accepted(card))
    await counter.deliver(accepted(card, conversation="care", kind="410"))
    assert [fact.insurance_kind for fact in await prepared(counter)] == ["310", "410"]


async def test_the_history_says_what_was_set_aside(counter: Counter) -> None:
    card = await counter.insured(MONTHS)
    await counter.deliver(accepted(card))
    query = "SELECT before, after, changed_by FROM changes WHERE subject_kind = 'transfer'"
    assert await counter.rows(query) == [
        (None, {"state": "prepared", "amount_fen": 30_000, "months": 3}, "system")
    ]


async def _hold_elsewhere(counter: Counter, card: Card) -> None:
    """One yuan is set aside for other business."""
    query = "SELECT id FROM ledger_accounts WHERE kind = 'personal_account' AND owner = :owner"
    ((account_id,),) = await counter.rows(query, owner=card.id)
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        await holds.place(session, account_id=account_id, amount_fen=100, source_id=f"other:{TODAY}")
