"""Which two records can become one, and what counts once then."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from uuid import UUID

from libs.identifiers.credentials import Credential, CredentialType
from services.enrollment.domain.contributing import OWN, KnownMonth
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.merging import (
    Record,
    differences,
    double_months,
    overlapping_spells,
    reasons_against,
)
from services.enrollment.domain.people import PersonalData
from services.enrollment.domain.transfers import OpenTransfer, Side

DAY = dt.date(2025, 1, 1)
PASSPORT = Credential(CredentialType.PASSPORT, "E12345678")
KEEP = Record(UUID(int=1), PersonalData(PASSPORT, "王某", None), "男", DAY, None, (), (), {}, (), ())
MERGE = replace(KEEP, id=UUID(int=2))


def spell(kind: InsuranceKind, start: dt.date, stop: dt.date | None = None) -> Spell:
    return Spell("370400", kind, PersonKind.FLEXIBLE_WORKER, start, stop)


def month(text: str, kind: InsuranceKind = InsuranceKind.EMPLOYEE, account_fen: int = 0) -> KnownMonth:
    return KnownMonth(text, kind, 500_000, account_fen, OWN, "370400", "枣庄", is_leaving=False)


def test_two_records_with_nothing_in_the_way_can_become_one() -> None:
    assert reasons_against(KEEP, MERGE) == []


def test_both_active_in_what_counts_the_same_is_told_with_both_pieces_of_evidence() -> None:
    one = replace(KEEP, spells=[spell(InsuranceKind.EMPLOYEE, DAY)])
    other = replace(MERGE, spells=[spell(InsuranceKind.RESIDENT, DAY)])
    (fault,) = reasons_against(one, other)
    assert fault.code == "both_active"
    assert "职工基本医疗保险" in fault.message
    assert "城乡居民基本医疗保险" in fault.message
    maternity = replace(MERGE, spells=[spell(InsuranceKind.MATERNITY, DAY)])
    assert reasons_against(one, maternity) == []


def test_all_reasons_come_at_once() -> None:
    open_transfer = OpenTransfer("case-1", Side.OUT, "370600")
    keep = replace(
        KEEP, held_fen={InsuranceKind.EMPLOYEE: 100}, open_transfers=[open_transfer], deceased_on=DAY
    )
    merge = replace(MERGE, open_withdrawals=["case-2"], deceased_on=DAY + dt.timedelta(days=1))
    assert [(fault.code, fault.pointer) for fault in reasons_against(keep, merge)] == [
        ("transfer_under_way", "/keep_id"),
        ("account_on_hold", "/keep_id"),
        ("withdrawal_under_way", "/merge_id"),
        ("deceased_disagrees", "/merge_id"),
    ]


def test_a_month_on_both_counts_once_and_the_kept_record_s_stays() -> None:
    keep = replace(KEEP, months=[month("2025-02", account_fen=10), month("2025-01")])
    merge = replace(MERGE, months=[month("2025-02", InsuranceKind.RESIDENT), month("2025-03")])
    (double,) = double_months(keep, merge)
    assert double.told()["month"] == "2025-02"
    assert double.told()["stays"]["account_fen"] == 10
    assert double.told()["counts_no_more"]["insurance_kind"] == "390"


def test_past_times_enrolled_twice_are_told() -> None:
    keep = replace(KEEP, spells=[spell(InsuranceKind.EMPLOYEE, DAY, dt.date(2025, 6, 30))])
    touching = replace(MERGE, spells=[spell(InsuranceKind.EMPLOYEE, dt.date(2025, 6, 30))])
    after = replace(MERGE, spells=[spell(InsuranceKind.EMPLOYEE, dt.date(2025, 7, 1))])
    assert len(overlapping_spells(keep, touching)) == 1
    assert overlapping_spells(keep, after) == []


def test_what_the_records_say_differently_is_named_without_the_values() -> None:
    merge = replace(MERGE, data=replace(KEEP.data, name="王谋", telephone="19900000001"), sex="女")
    assert differences(KEEP, merge) == ["姓名", "性别", "联系电话"]
