from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from libs.catalogue.editions import load_edition
from libs.catalogue.schema import ServiceItem
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.withdrawals import (
    Heir,
    Payee,
    Reason,
    Standing,
    Wish,
    faults_of_form,
    faults_of_payee,
    faults_of_standing,
    offered_reasons,
    stops_with,
)

TODAY = dt.date(2026, 3, 10)
ACCOUNT = Payee("bank_account", "6222020200011122", "中国银行武汉分行", "张三")
LIVING = Wish(Reason.EMIGRATION, "张三", "resident_id:1", "resident_id:1", ACCOUNT)
WIDOW = Heir("李四", "resident_id:2", agrees=True, is_representative=True)
OF_HEIRS = replace(
    LIVING,
    reason=Reason.DEATH,
    applicant=WIDOW.credential,
    died_on=dt.date(2026, 2, 20),
    heirs=[WIDOW],
    payee=replace(ACCOUNT, holder_name=WIDOW.name),
)
ACTIVE = Spell(
    region_code="420100",
    insurance_kind=InsuranceKind.EMPLOYEE,
    person_kind=PersonKind.FLEXIBLE_WORKER,
    started_on=dt.date(2020, 1, 1),
    stopped_on=None,
)
STOPPED = replace(ACTIVE, stopped_on=dt.date(2026, 2, 28))
READY = Standing(dt.date(1980, 1, 1), None, [STOPPED], free_fen=20_000, held_fen=0)


def item_of(edition: str) -> ServiceItem:
    items = load_edition(edition).items
    (found,) = [i for i in items if "enrollment.account_withdrawal" in i.operations and not i.list_item]
    return found


HUBEI, YANTAI = item_of("hubei-2022"), item_of("yantai")


def codes_of_form(wish: Wish, item: ServiceItem = HUBEI) -> list[str]:
    return [fault.code for fault in faults_of_form(wish, item, TODAY)]


def codes(wish: Wish, standing: Standing) -> list[str]:
    return [fault.code for fault in faults_of_standing(wish, standing, TODAY)]


@pytest.mark.parametrize(
    ("edition", "reasons"),
    [
        ("hubei-2022", "death emigration giving_up other"),
        ("shandong-2020", " ".join(Reason)),
        (
            "shandong-2023",
            "emigration transfer_out_of_pooling_area death remote_resettlement giving_up",
        ),
        ("yantai", "emigration cross_region_enrolment inheritance"),
        ("zaozhuang", "emigration transfer_out_of_pooling_area death remote_resettlement"),
    ],
)
def test_the_reasons_are_the_edition_s(edition: str, reasons: str) -> None:
    assert " ".join(offered_reasons(item_of(edition))) == reasons


def test_nothing_stands_against_good_forms() -> None:
    assert codes_of_form(LIVING) == codes_of_form(OF_HEIRS) == []
    assert codes(LIVING, READY) == codes(OF_HEIRS, READY) == []


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (replace(LIVING, reason=Reason.OTHER), ["explanation"]),
        (replace(LIVING, reason=Reason.GIVING_UP), ["waiver_missing"]),
        (replace(LIVING, applicant="resident_id:9"), ["not_own"]),
        (replace(LIVING, died_on=TODAY), ["not_of_death"]),
        (replace(LIVING, heirs=[WIDOW]), ["not_of_death"]),
        (replace(OF_HEIRS, died_on=None), ["died_on"]),
        (replace(OF_HEIRS, died_on=dt.date(2026, 3, 11)), ["died_on"]),
        (replace(OF_HEIRS, heirs=[]), ["one_representative", "payee_holder"]),
        (replace(OF_HEIRS, heirs=[WIDOW, WIDOW]), ["one_representative", "heir_twice"]),
        (replace(OF_HEIRS, heirs=[replace(WIDOW, agrees=False)]), ["heir_disagrees"]),
        (replace(OF_HEIRS, applicant="resident_id:9"), ["applicant_not_representative"]),
        (
            replace(OF_HEIRS, heirs=[replace(WIDOW, credential="resident_id:1")], applicant="resident_id:1"),
            ["applicant_is_deceased", "heir_is_deceased"],
        ),
    ],
)
def test_a_form_says_what_its_reason_asks_for(wish: Wish, expected: list[str]) -> None:
    assert codes_of_form(wish) == expected


def test_the_deceased_s_own_account_will_do() -> None:
    assert codes_of_form(replace(OF_HEIRS, payee=ACCOUNT)) == []


def test_yantai_pays_to_the_own_card_or_the_four_banks() -> None:
    elsewhere = replace(ACCOUNT, bank_name="烟台演示银行")
    own_card = replace(elsewhere, kind="own_social_security_card")
    assert faults_of_payee(LIVING, own_card, YANTAI) == []
    assert [fault.code for fault in faults_of_payee(LIVING, elsewhere, YANTAI)] == ["payee_bank"]
    # A card of somebody else is not the person's own, whatever the form calls it.
    of_widow = replace(own_card, holder_name=WIDOW.name)
    inherited = replace(OF_HEIRS, reason=Reason.INHERITANCE)
    assert [fault.code for fault in faults_of_payee(inherited, of_widow, YANTAI)] == ["payee_bank"]


@pytest.mark.parametrize(
    "reason", [Reason.EMIGRATION, Reason.TRANSFER_OUT, Reason.CROSS_REGION, Reason.OTHER]
)
def test_whoever_ends_it_has_stopped_before(reason: Reason) -> None:
    assert codes(replace(LIVING, reason=reason), replace(READY, spells=[ACTIVE])) == ["still_active"]


def test_only_giving_up_stops_what_is_active() -> None:
    giving_up = replace(LIVING, reason=Reason.GIVING_UP)
    large_amount = replace(ACTIVE, insurance_kind=InsuranceKind.LARGE_AMOUNT)
    assert stops_with(giving_up, [STOPPED, ACTIVE, large_amount]) == [ACTIVE]
    assert stops_with(LIVING, [ACTIVE]) == []


def test_months_paid_ahead_are_refunded_before_one_gives_up() -> None:
    standing = replace(READY, spells=[ACTIVE], paid_months=["2026-04"])
    assert codes(replace(LIVING, reason=Reason.GIVING_UP), standing) == ["paid_after_stop"]


def test_the_dead_withdraw_as_dead_and_on_the_day_known() -> None:
    dead = replace(READY, deceased_on=dt.date(2026, 2, 19))
    assert codes(LIVING, dead) == ["deceased"]
    assert codes(OF_HEIRS, dead) == ["died_on_disagrees"]
    assert codes(replace(OF_HEIRS, died_on=dt.date(1979, 1, 1)), READY) == ["died_before_birth"]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [
        (replace(READY, free_fen=0), ["nothing_to_withdraw"]),
        (replace(READY, held_fen=1), ["account_on_hold"]),
        (replace(READY, other_case_no="1"), ["withdrawal_under_way"]),
    ],
)
def test_the_account_is_free_and_not_empty(standing: Standing, expected: list[str]) -> None:
    assert codes(LIVING, standing) == expected
