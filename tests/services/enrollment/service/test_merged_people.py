"""Money, months and papers of people whose records were merged or whose credential was changed."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from sqlalchemy import text

from libs.casework.clock import SHANGHAI, AdjustableClock
from libs.contracts.enrollment import ContributionsTakenBack
from libs.ledger.verification import verify
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from services.enrollment.repository import payers, retiree_credits
from services.enrollment.service.coming_months import record_chunk
from services.enrollment.service.retiree_credits import credit_chunk
from services.enrollment.worker import work_off
from tests.services.enrollment import certificates
from tests.services.enrollment.changes import changed, credential, key_of, line, same_birth_and_sex
from tests.services.enrollment.counter import ZAOZHUANG, Card, Counter, accepted
from tests.services.enrollment.tax import Row, Tax, row_of
from tests.services.enrollment.withdrawals import data_sharing
from tests.support.service import published
from tests.support.tokens import citizen, officer

RESIDENT = {"insurance": "390", "person_kind": "城乡居民", "base": "", "unit": "640.00", "personal": "400.00"}


@pytest.fixture
def tax(counter: Counter) -> Tax:
    return Tax(counter)


async def merged(counter: Counter, keep: Card, merge: Card) -> None:
    body = {"keep_id": keep.id, "merge_id": merge.id, "evidence": [{"name": "户口簿"}], "reason": "重复建档"}
    region = keep.region_code
    request = await counter.done("person-merges", body, officer(region, Role.CLERK, subject="a"))
    reviewer = officer(region, Role.REVIEWER, subject="b")
    await counter.done(f"person-merges/{request['id']}/approve", {}, reviewer)


async def paid_up(counter: Counter, tax: Tax, serial: str, **told: str) -> tuple[Card, Row]:
    """Somebody stopped on 28 February 2026 with one payment of the tax authority's files."""
    card = await counter.person()
    kind, quality = told.get("insurance", "310"), "resident" if told else "flexible_worker"
    enrolment = await counter.enrol(card, kind, quality)
    row = await row_of(counter, card, serial, **told)
    assert await tax.outcomes(await tax.book(row)) == [("matched", [])]
    if not told:
        await counter.stop(enrolment)
    return card, row


async def balance(counter: Counter, card: Card) -> str:
    told: str = (await counter.get(f"persons/{card.id}/account")).json()["balance_yuan"]
    return told


async def months(counter: Counter, card: Card) -> list[str]:
    told = (await counter.get(f"persons/{card.id}/contributions")).json()["months"]
    return [month["month"] for month in told]


async def require_sound_ledger(counter: Counter) -> None:
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []


async def test_a_red_entry_takes_back_where_the_merged_record_s_money_is_now(
    counter: Counter, tax: Tax
) -> None:
    keep = await counter.person()
    merge, row = await paid_up(counter, tax, "SN-0001")
    await merged(counter, keep, merge)
    assert (await balance(counter, keep), await months(counter, keep)) == ("100.00", ["2026-02"])
    assert await tax.outcomes(await tax.book(row.red("SN-0002"))) == [("matched", [])]
    assert (await balance(counter, keep), await months(counter, keep)) == ("0.00", [])
    assert set((await counter.balances(ZAOZHUANG)).values()) == {0}
    (fact,) = await published(counter.resources, ContributionsTakenBack)
    assert (fact.payment, fact.person_key) == ("SN-0001", keep.key)
    await require_sound_ledger(counter)


async def test_of_a_month_paid_on_both_records_the_one_left_counts(counter: Counter, tax: Tax) -> None:
    (keep, row), (merge, _) = [await paid_up(counter, tax, serial) for serial in ("SN-0001", "SN-0002")]
    await merged(counter, keep, merge)
    assert await months(counter, keep) == ["2026-02"]
    await tax.book(row.red("SN-0003"))
    assert (await balance(counter, keep), await months(counter, keep)) == ("100.00", ["2026-02"])
    (month,) = await counter.rows("SELECT person_id::text, paid_with FROM contribution_months")
    assert tuple(month) == (keep.id, "SN-0002")


async def test_a_resident_s_year_paid_on_both_records_is_no_hindrance(
    counter: Counter, tax: Tax, clock: AdjustableClock
) -> None:
    people = [
        await paid_up(counter, tax, serial, period="2026", **RESIDENT) for serial in ("SN-0001", "SN-0002")
    ]
    (keep, row), (merge, _) = people
    ((enrolment,),) = await counter.rows(
        "SELECT id::text FROM enrolments WHERE person_id::text = :id", id=merge.id
    )
    clock.set(dt.datetime(2026, 4, 1, 9, tzinfo=SHANGHAI))
    await counter.stop({"id": enrolment, "region_code": ZAOZHUANG}, on="2026-03-31")
    await merged(counter, keep, merge)
    await work_off(counter.resources, record_chunk)
    assert await months(counter, keep) == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert await tax.outcomes(await tax.book(row.red("SN-0003"))) == [("matched", [])]
    assert (await months(counter, keep))[:3] == ["2026-01", "2026-02", "2026-03"]
    ((owner,),) = await counter.rows(
        "SELECT person_id::text FROM contribution_payments WHERE outcome = 'matched' AND kind <> 'correction'"
    )
    assert owner == keep.id


async def test_a_month_credited_to_both_records_moves_no_money_again(counter: Counter) -> None:
    finance = officer(ZAOZHUANG, Role.FINANCE)
    cards = [await counter.person() for _ in range(2)]
    for card in cards:
        await counter.stop(await counter.enrol(card, person_kind="retiree"))
    for round_no in range(2):
        await counter.done("retiree-credits", {"region_code": ZAOZHUANG, "month": "2026-02"}, finance)
        await work_off(counter.resources, credit_chunk)
        if round_no == 0:
            await merged(counter, *cards)
    assert await balance(counter, cards[0]) == "145.00"
    assert await counter.rows("SELECT count(*) FROM retiree_credits") == [(2,)]


async def test_a_year_s_months_go_on_coming_under_another_credential(
    counter: Counter, tax: Tax, clock: AdjustableClock
) -> None:
    card, _ = await paid_up(counter, tax, "SN-0001", period="2026", **RESIDENT)
    new = same_birth_and_sex(counter, card.id_number)
    await changed(counter, card, line("credential", credential(new)), kind="resident_change")
    clock.set(dt.datetime(2026, 5, 1, 9, tzinfo=SHANGHAI))
    await work_off(counter.resources, record_chunk)
    assert (await months(counter, card))[-1] == "2026-05"


async def test_a_leaving_relation_takes_no_months_under_another_credential(
    counter: Counter, tax: Tax, clock: AdjustableClock
) -> None:
    card, _ = await paid_up(counter, tax, "SN-0001", period="2026", **RESIDENT)
    new = same_birth_and_sex(counter, card.id_number)
    await changed(counter, card, line("credential", credential(new)), kind="resident_change")
    clock.set(dt.datetime(2026, 5, 4, 9, tzinfo=SHANGHAI))
    ((enrolment, key),) = await counter.rows("SELECT id::text, person_key FROM enrolments")
    await counter.stop({"id": enrolment, "region_code": ZAOZHUANG}, on="2026-04-30")
    await counter.deliver(accepted(Card(card.id, key, new, ZAOZHUANG), kind="390"))
    await work_off(counter.resources, record_chunk)
    assert (await months(counter, card))[-1] == "2026-03"


async def test_a_file_may_name_the_credential_of_before(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    row = await row_of(counter, card, "SN-0001")
    await changed(counter, card, line("credential", credential(same_birth_and_sex(counter, card.id_number))))
    assert await tax.outcomes(await tax.book(row)) == [("matched", [])]
    assert await tax.outcomes(await tax.book(row.red("SN-0002"))) == [("matched", [])]
    (fact,) = await published(counter.resources, ContributionsTakenBack)
    assert [(fact.person_key,)] == await counter.rows("SELECT person_key FROM persons")


async def test_nothing_is_booked_for_the_months_after_a_death(counter: Counter, tax: Tax) -> None:
    card = await counter.person()
    await counter.enrol(card)
    told = {"credential_type": "resident_id", "credential_no": card.id_number}
    notice = {"credential": told, "deceased_on": "2026-01-20", "source": "公安", "reference": "GA-1"}
    await counter.done("death-notices", {"notices": [notice]}, data_sharing())
    before, after = [
        await row_of(counter, card, serial, period=period)
        for serial, period in (("SN-0001", "2026-01"), ("SN-0002", "2026-02"))
    ]
    file = await tax.book(before, after)
    assert await tax.outcomes(file) == [("matched", []), ("unmatched", ["month_outside_enrolment"])]
    assert (await balance(counter, card), await months(counter, card)) == ("100.00", ["2026-01"])


async def test_a_row_s_cause_cured_by_a_merge_is_attributed_once(counter: Counter, tax: Tax) -> None:
    keep, merge = await counter.person(), await counter.person()
    await counter.stop(await counter.enrol(keep))
    row = await row_of(counter, merge, "SN-0001")
    file = await tax.book(row)
    assert await tax.outcomes(file) == [("unmatched", ["month_outside_enrolment"])]
    await merged(counter, keep, merge)
    answer = await tax.reapply(file, 1)
    assert [one["code"] for one in answer.json()["reasons"]] == ["other_name"]
    await changed(counter, keep, line("name", row.name))
    for _ in range(2):
        assert (await tax.reapply(file, 1)).json()["outcome"] == "matched"
    assert (await balance(counter, keep), await months(counter, keep)) == ("100.00", ["2026-02"])
    await require_sound_ledger(counter)


async def test_the_credential_of_before_under_another_name_is_somebody_else(
    counter: Counter, tax: Tax
) -> None:
    card = await counter.person()
    await counter.enrol(card)
    await changed(counter, card, line("credential", credential(same_birth_and_sex(counter, card.id_number))))
    file = await tax.book(Row("SN-0001", card.id_number, "别人"))
    assert await tax.outcomes(file) == [("unmatched", ["other_name"])]


async def certified(counter: Counter) -> tuple[Card, str]:
    """Somebody of 武汉 with a certificate: its document."""
    card = await counter.person(certificates.WUHAN)
    await counter.stop(await counter.enrol(card))
    filled_in = certificates.form(await certificates.applicant(counter, card))
    document, _ = await certificates.issued(counter.client, filled_in, certificates.bearer(card))
    return card, document["id"]


async def may_read(counter: Counter, document: str, key: str) -> bool:
    answer = await counter.get(f"papers/{document}", citizen(key))
    assert answer.status_code in (200, 404)
    return answer.status_code == 200


async def test_a_certificate_of_before_is_its_bearer_s_under_another_credential(counter: Counter) -> None:
    card, document = await certified(counter)
    new = same_birth_and_sex(counter, card.id_number)
    await changed(counter, card, line("credential", credential(new)))
    readers = [await may_read(counter, document, key) for key in (card.key, key_of(counter, new))]
    assert readers == [False, True]


async def test_a_certificate_of_a_merged_record_is_the_kept_one_s(counter: Counter) -> None:
    merge, document = await certified(counter)
    keep = await counter.person(certificates.WUHAN)
    assert not await may_read(counter, document, keep.key)
    await merged(counter, keep, merge)
    readers = [await may_read(counter, document, card.key) for card in (merge, keep)]
    assert readers == [False, True]


async def test_whoever_waits_for_a_record_that_is_merged_gets_the_one_that_goes_on(counter: Counter) -> None:
    keep, merge = await counter.person(), await counter.person()
    database = counter.resources.database
    async with database.transaction(ALL_REGIONS) as merging, database.transaction(ALL_REGIONS) as waiting:
        end = text("UPDATE persons SET merged_into = CAST(:keep AS uuid) WHERE id = CAST(:merge AS uuid)")
        await merging.execute(end, {"keep": keep.id, "merge": merge.id})
        pid = await waiting.scalar(text("SELECT pg_backend_pid()"))
        found = asyncio.create_task(payers.lock_people(waiting, ZAOZHUANG, [merge.key]))
        blocked = text("SELECT cardinality(pg_blocking_pids(:pid))")
        while not await merging.scalar(blocked, {"pid": pid}):
            assert not found.done()
        await merging.commit()
        assert str((await found)[merge.key].id) == keep.id


async def test_a_merge_waits_for_payments_before_it_takes_the_people(counter: Counter, tax: Tax) -> None:
    """Red entries lock the payment, then its person: the other way round they would wait in a circle."""
    keep = await counter.person()
    merge, _ = await paid_up(counter, tax, "SN-0001")
    async with counter.resources.database.transaction(ALL_REGIONS) as red:
        await red.execute(text("SELECT 1 FROM contribution_payments FOR UPDATE"))
        merging = asyncio.create_task(merged(counter, keep, merge))
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'")
        while not await red.scalar(waits):
            assert not merging.done()
        lock = text("SELECT 1 FROM persons WHERE id = CAST(:id AS uuid) FOR NO KEY UPDATE SKIP LOCKED")
        assert await red.scalar(lock, {"id": merge.id}) == 1
    await merging


async def crossed(counter: Counter) -> list[Card]:
    """Two people whose keys and ids are in opposite order; the lower key first."""
    first = await counter.person()
    while (second := await counter.person()).key > first.key:
        pass
    assert second.id > first.id
    return [second, first]


@pytest.mark.parametrize("who", ["payments", "credits"])
async def test_people_are_locked_in_the_order_of_their_keys(counter: Counter, who: str) -> None:
    lower, higher = await crossed(counter)
    if who == "credits":
        for card in (lower, higher):
            await counter.enrol(card, person_kind="retiree")
    database = counter.resources.database
    lock = text("SELECT 1 FROM persons WHERE id = CAST(:id AS uuid) FOR NO KEY UPDATE SKIP LOCKED")
    async with database.transaction(ALL_REGIONS) as held, database.transaction(ALL_REGIONS) as waiting:
        await held.execute(lock, {"id": lower.id})
        pid = await waiting.scalar(text("SELECT pg_backend_pid()"))
        locking = asyncio.create_task(
            payers.lock_people(waiting, ZAOZHUANG, [lower.key, higher.key])
            if who == "payments"
            else retiree_credits.lock_retirees(waiting, ZAOZHUANG, "2026-02", 10)  # type: ignore[arg-type]
        )
        while not await held.scalar(text("SELECT cardinality(pg_blocking_pids(:pid))"), {"pid": pid}):
            assert not locking.done()
        # Whoever holds the lower key may go on to the higher: nobody waits in a circle.
        assert await held.scalar(lock, {"id": higher.id}) == 1
        await held.rollback()
        await locking
