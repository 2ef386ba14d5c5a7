"""个人账户一次性支取: what an application must say, and the way to the payment."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts.enrollment import (
    EnrollmentMessageSent,
    EnrolmentStopped,
    PersonDeceased,
    TransferRecordRefused,
)
from libs.webapp.callers import Role
from tests.services.enrollment.applications import WUHAN, Applicant, act, acted, applied
from tests.services.enrollment.counter import YANTAI, ZAOZHUANG, Counter, accepted
from tests.services.enrollment.withdrawals import (
    OF_WUHAN,
    Insured,
    accountant,
    answered,
    batch_of,
    chief,
    clerk,
    data_sharing,
    form,
    form_of_heir,
    heir,
    insured,
    paid_line,
    payable,
    payee,
    require_sound_ledger,
    reviewer,
    status_of,
    withdrawal_of,
)
from tests.support.service import published
from tests.support.tokens import citizen, officer

ZIBO = "370300"  # by the province's catalogue of 2023
WAIVER = {
    "reason": "不再需要",
    "waived_rights": "职工基本医疗保险待遇",
    "telephone": "19900000000",
    "postal_address": "武汉市江岸区一号",
    "signed_on": "2026-03-10",
}
COMMITMENT = {
    "missing_material": "死亡医学证明",
    "telephone": "19900000000",
    "postal_address": "武汉市江岸区一号",
    "signed_on": "2026-03-10",
}


def codes(case: dict[str, Any]) -> set[str]:
    return {item["code"] for item in case["notice"]}


def pointers(case: dict[str, Any]) -> set[str]:
    return {item["pointer"] for item in case["notice"]}


def widow_of(counter: Counter) -> Applicant:
    return Applicant(counter.people.person("420102"))


async def learn_of(counter: Counter, one: Insured) -> None:
    notice = {
        "credential": {"credential_type": "resident_id", "credential_no": one.card.id_number},
        "deceased_on": "2026-02-20",
        "source": "公安",
        "reference": "1",
    }
    await counter.done("death-notices", {"notices": [notice]}, data_sharing())


async def test_the_whole_balance_goes_the_whole_way_and_the_account_is_closed(counter: Counter) -> None:
    one = await insured(counter)
    case = await payable(counter, form(one))
    assert (case["status"], case["stage"]) == ("approved", "payment")
    batch = await batch_of(counter)
    assert (batch["sum_yuan"], len(batch["lines"])) == ("200.00", 1)
    done = await answered(counter, batch, paid_line(batch["lines"][0]))
    assert (done["paid"], done["failed"], done["repeated"]) == (1, 0, 0)
    assert await status_of(counter, case, clerk()) == "completed"
    assert await counter.balances(WUHAN) == {"bank_mirror": 0, "personal_account": 0}
    query = "SELECT state FROM ledger_accounts WHERE kind = 'personal_account'"
    assert await counter.rows(query) == [("closed",)]
    await require_sound_ledger(counter)


async def test_the_applicant_is_told_when_it_is_paid(counter: Counter) -> None:
    one = await insured(counter)
    case = await payable(counter, form(one))
    batch = await batch_of(counter)
    await answered(counter, batch, paid_line(batch["lines"][0]))
    (message,) = await published(counter.resources, EnrollmentMessageSent)
    assert message.case_no == case["case_no"]
    assert "已完成参保人员个人账户一次性支取" in message.text


async def test_all_the_form_lacks_is_noticed_at_once(counter: Counter) -> None:
    one = await insured(counter)
    body = form(one, employer_name=None, payee=None)
    body["applicant"]["telephone"] = None
    body["materials"] = []
    case = await applied(counter, body)
    assert case["status"] == "supplementing"
    assert pointers(case) == {
        "/payload/employer_name",
        "/payload/payee",
        "/applicant/telephone",
        "/materials/identity-proof",
        "/materials/account-withdrawal-form",
    }


@pytest.mark.parametrize(
    ("region_code", "reason", "offered"),
    [
        (WUHAN, "remote_resettlement", "死亡、出国（境）定居、主动放弃、其他"),
        (YANTAI, "giving_up", "出国（境）定居、跨统筹地区参保、账户继承"),
        (ZAOZHUANG, "other", "出国（境）定居、医疗保险关系转移至统筹范围外、死亡、异地安置"),
        (ZIBO, "other", "出国（境）定居、医疗保险关系转移至统筹范围外、死亡、异地安置、主动放弃"),
    ],
)
async def test_a_reason_the_edition_has_not_is_told_with_those_it_has(
    counter: Counter, region_code: str, reason: str, offered: str
) -> None:
    one = await insured(counter, region_code)
    case = await applied(counter, form(one, reason=reason, explanation="无", waiver=WAIVER))
    (fault,) = [item for item in case["notice"] if item["code"] == "reason_not_offered"]
    assert f"本地目录的支取原因为：{offered}；" in fault["message"]


@pytest.mark.parametrize(
    ("region_code", "channel", "allowed", "due_on"),
    [
        (WUHAN, "window", "15个工作日", "2026-03-31"),
        (ZAOZHUANG, "window", "即时办结", "2026-03-10"),
        (ZIBO, "window", "即时办结", "2026-03-10"),
        (YANTAI, "window", "即时办结", "2026-03-10"),
        (YANTAI, "online", "1个工作日", "2026-03-11"),
    ],
)
async def test_how_long_it_may_take_is_the_edition_s_data(
    counter: Counter, region_code: str, channel: str, allowed: str, due_on: str
) -> None:
    one = await insured(counter, region_code)
    case = await applied(counter, form(one, channel=channel), clerk(region_code))
    assert (case["status"], case["stage"]) == ("submitted", "checking"), case["notice"]
    case = await acted(counter, case, "accept", clerk(region_code))
    assert (case["due"]["allowed"], case["due"]["on"]) == (allowed, due_on)


async def test_immediate_or_not_nothing_is_paid_without_finance_and_chief(counter: Counter) -> None:
    one = await insured(counter, ZAOZHUANG)
    case = await payable(counter, form(one))
    assert case["stage"] == "payment"
    record = await counter.rows("SELECT actor_subject, stage FROM case_record ORDER BY version")
    assert [stage for _, stage in record] == [
        "checking",
        "checking",
        "review",
        "finance_check",
        "chief_approval",
        "payment",
    ]


async def test_nobody_does_two_steps_of_it(counter: Counter) -> None:
    one = await insured(counter)
    everything = officer(WUHAN, Role.CLERK, Role.REVIEWER, Role.FINANCE, Role.CHIEF, subject="everything")
    case = await applied(counter, form(one), everything)
    case = await acted(counter, case, "accept", everything)
    assert (await act(counter, case, "approve", everything)).json()["code"] == "maker_checker"
    case = await acted(counter, case, "approve", reviewer())
    assert (await act(counter, case, "finance-check", everything)).json()["code"] == "maker_checker"
    case = await acted(counter, case, "finance-check", accountant())
    both = officer(WUHAN, Role.FINANCE, Role.CHIEF, subject="accountant")
    assert (await act(counter, case, "chief-approve", both)).json()["code"] == "maker_checker"


async def test_whoever_checked_it_does_not_send_it_to_the_bank(counter: Counter) -> None:
    one = await insured(counter)
    await payable(counter, form(one))
    answer = await counter.post("payout-batches", {"region_code": WUHAN}, accountant())
    assert (answer.status_code, answer.json()["code"]) == (409, "own_checks")
    assert len((await batch_of(counter))["lines"]) == 1


async def test_the_balance_is_on_hold_from_the_approval_and_free_again_after_a_rejection(
    counter: Counter,
) -> None:
    one = await insured(counter)
    case = await applied(counter, form(one), clerk())
    case = await acted(counter, case, "accept", clerk())
    case = await acted(counter, case, "approve", reviewer())
    held = "SELECT amount_fen, state FROM ledger_holds"
    assert await counter.rows(held) == [(20_000, "active")]
    case = await acted(counter, case, "reject", chief(), {"reasons": ["材料不实"]})
    assert case["status"] == "rejected"
    assert await counter.rows(held) == [(20_000, "released")]
    assert (await withdrawal_of(counter, case))["state"] == "released"
    await payable(counter, form(one))


async def test_a_second_withdrawal_waits_for_the_first(counter: Counter) -> None:
    one = await insured(counter)
    first = await applied(counter, form(one), clerk())
    second = await applied(counter, form(one), clerk())
    for case in (first, second):
        await acted(counter, case, "accept", clerk())
    await acted(counter, first, "approve", reviewer())
    answer = await act(counter, second, "approve", reviewer())
    assert answer.status_code == 409
    assert [fault["code"] for fault in answer.json()["errors"]] == ["withdrawal_under_way"]
    third = await applied(counter, form(one), clerk())
    assert codes(third) == {"withdrawal_under_way"}
    assert first["case_no"] in third["notice"][0]["message"]


async def test_whoever_is_leaving_or_still_insured_or_has_nothing_cannot_withdraw(counter: Counter) -> None:
    leaving, active, poor = (
        await insured(counter, ZAOZHUANG),
        await insured(counter, ZAOZHUANG, stopped=False),
        await insured(counter, ZAOZHUANG, months=()),
    )
    await counter.deliver(accepted(leaving.card))
    assert codes(await applied(counter, form(leaving))) == {"transfer_under_way"}
    assert codes(await applied(counter, form(active))) == {"still_active"}
    assert codes(await applied(counter, form(poor))) == {"nothing_to_withdraw"}


async def test_a_relation_whose_account_is_being_withdrawn_does_not_leave(counter: Counter) -> None:
    one = await insured(counter, ZAOZHUANG)
    await payable(counter, form(one))
    await counter.deliver(accepted(one.card))
    (refused,) = await published(counter.resources, TransferRecordRefused)
    assert "冻结" in refused.reasons[0]


async def test_settled_elsewhere_one_stays_insured_and_the_account_open(counter: Counter) -> None:
    one = await insured(counter, ZAOZHUANG, stopped=False)
    await payable(counter, form(one, reason="remote_resettlement"))
    batch = await batch_of(counter, ZAOZHUANG)
    await answered(counter, batch, paid_line(batch["lines"][0]), region_code=ZAOZHUANG)
    assert await published(counter.resources, EnrolmentStopped) == []
    assert await counter.rows("SELECT state FROM ledger_accounts WHERE owner IS NOT NULL") == [("open",)]


async def test_giving_up_stops_the_insurance_when_the_chief_has_approved(counter: Counter) -> None:
    one = await insured(counter, stopped=False)
    papers = (*OF_WUHAN, "voluntary-withdrawal-statement")
    case = await applied(counter, form(one, *papers, reason="giving_up"), clerk())
    assert codes(case) == {"waiver_missing"}
    case = await payable(counter, form(one, *papers, reason="giving_up", waiver=WAIVER))
    (stopped,) = await published(counter.resources, EnrolmentStopped)
    assert (stopped.reason, str(stopped.stopped_on)) == ("gave_up", "2026-03-10")


async def test_an_employee_does_not_give_up_what_is_the_employer_s_duty(counter: Counter) -> None:
    one = await insured(counter, months=())
    employer = await counter.employer(WUHAN)
    body = {
        "person_id": one.card.id,
        "insurance_kind": "310",
        "person_kind": "employee",
        "employer_id": employer["id"],
        "started_on": "2026-03-01",
    }
    await counter.done("enrolments", body, clerk())
    await counter.contribute(one.card, ["2026-03"])
    papers = (*OF_WUHAN, "voluntary-withdrawal-statement")
    case = await applied(counter, form(one, *papers, reason="giving_up", waiver=WAIVER), clerk())
    assert codes(case) == {"employed"}


async def test_heirs_withdraw_by_a_commitment_and_the_death_is_recorded(counter: Counter) -> None:
    one, widow = await insured(counter, stopped=False), widow_of(counter)
    papers = (*OF_WUHAN, "agreed-payee-identity-and-account")
    case = await applied(counter, form_of_heir(one, widow, *papers), clerk())
    assert pointers(case) == {"/materials/death-commitment", "/payload/death_commitment"}
    body = form_of_heir(one, widow, *papers, "death-commitment", death_commitment=COMMITMENT)
    await payable(counter, body)
    (fact,) = await published(counter.resources, PersonDeceased)
    assert (fact.person_key, str(fact.deceased_on), fact.source) == (
        one.card.key,
        "2026-02-20",
        "withdrawal",
    )
    (stopped,) = await published(counter.resources, EnrolmentStopped)
    assert (stopped.reason, str(stopped.stopped_on)) == ("deceased", "2026-02-20")


async def test_a_death_learned_needs_no_paper_but_the_same_day(counter: Counter) -> None:
    one, widow = await insured(counter), widow_of(counter)
    await learn_of(counter, one)
    papers = (*OF_WUHAN, "deceased-bank-account")
    own_card = form_of_heir(one, widow, *papers, payee=payee(one.name))
    wrong = await applied(counter, {**own_card, "payload": {**own_card["payload"], "died_on": "2026-02-21"}})
    assert codes(wrong) == {"died_on_disagrees"}
    case = await payable(counter, own_card)
    assert case["stage"] == "payment"
    own = await applied(counter, form(one), clerk())
    assert "deceased" in codes(own)


@pytest.mark.parametrize(
    ("region_code", "learned", "missing"),
    [
        (ZAOZHUANG, False, {"death-certificate", "proxy-or-notarial-material"}),
        (ZAOZHUANG, True, {"proxy-or-notarial-material"}),
        # The province's list of 2023 asks for the certificate whatever data sharing knows.
        (ZIBO, False, {"death-certificate"}),
        (ZIBO, True, {"death-certificate"}),
        (YANTAI, True, set()),
    ],
)
async def test_which_papers_a_death_needs_is_the_edition_s_data(
    counter: Counter, region_code: str, learned: bool, missing: set[str]
) -> None:
    one, widow = await insured(counter, region_code), widow_of(counter)
    if learned:
        await learn_of(counter, one)
    reason = "inheritance" if region_code == YANTAI else "death"
    body = form_of_heir(one, widow, "identity-proof", reason=reason)
    case = await applied(counter, body, clerk(region_code))
    assert pointers(case) == {f"/materials/{key}" for key in missing}


async def test_where_no_paper_proves_a_death_it_must_be_learned_first(counter: Counter) -> None:
    one, widow = await insured(counter, YANTAI), widow_of(counter)
    case = await applied(counter, form_of_heir(one, widow, "identity-proof", reason="inheritance"))
    assert codes(case) == {"death_unknown"}


async def test_heirs_agree_on_one_of_them_who_applies_and_is_paid(counter: Counter) -> None:
    one, widow, son = await insured(counter), widow_of(counter), widow_of(counter)
    stranger = widow_of(counter)
    heirs = [heir(widow), heir(son), {**heir(stranger), "agrees": False, "is_representative": False}]
    body = form_of_heir(one, widow, *OF_WUHAN, heirs=heirs, payee=payee(stranger.made_up.name))
    case = await applied(counter, body, clerk())
    assert {"one_representative", "heir_disagrees", "payee_holder"} <= codes(case)
    body = form_of_heir(one, widow, *OF_WUHAN, heirs=[heir(son)])
    case = await applied(counter, body, clerk())
    assert "applicant_not_representative" in codes(case)


async def test_nobody_else_s_account_is_paid_to(counter: Counter) -> None:
    one = await insured(counter)
    case = await applied(counter, form(one, payee=payee("别人")), clerk())
    assert codes(case) == {"payee_holder"}


@pytest.mark.parametrize(
    ("bank", "kind", "faults"),
    [
        ("中国农业银行烟台分行", "bank_account", set()),
        ("烟台演示银行", "bank_account", {"payee_bank"}),
        ("烟台演示银行", "own_social_security_card", set()),
    ],
)
async def test_yantai_pays_to_the_own_card_or_to_four_banks(
    counter: Counter, bank: str, kind: str, faults: set[str]
) -> None:
    one = await insured(counter, YANTAI)
    account = payee(one.name, bank_name=bank, account_kind=kind)
    case = await applied(counter, form(one, payee=account), clerk(YANTAI))
    assert codes(case) == faults


async def test_whoever_names_a_person_wrongly_learns_nothing_about_them(counter: Counter) -> None:
    one = await insured(counter, months=(), stopped=False)
    body = form(one)
    body["applicant"]["name"] = "别的姓名"
    body["payload"]["payee"]["holder_name"] = "别的姓名"
    assert codes(await applied(counter, body, clerk())) == {"no_person"}


async def test_the_account_is_masked_below_clearance(counter: Counter) -> None:
    one = await insured(counter)
    case = await payable(counter, form(one))
    in_full = await withdrawal_of(counter, case, reviewer())
    masked = await withdrawal_of(counter, case, clerk())
    assert in_full["payee"]["account_no"] == "6222020200011122"
    assert (masked["payee"]["account_no"], masked["amount_yuan"]) == ("************1122", "200.00")
    assert (await counter.get(f"withdrawals/{case['case_no']}", clerk(YANTAI))).status_code == 404


async def test_whoever_names_a_stranger_does_not_learn_how_they_stand(counter: Counter) -> None:
    """Alive, dead, unknown here: an heir who signs in is told the same, and an officer the truth."""
    living, dead = await insured(counter, stopped=False), await insured(counter)
    await learn_of(counter, dead)
    unknown = await insured(counter, ZIBO)
    told = []
    for one in (living, dead, unknown):
        widow = widow_of(counter)
        key = counter.resources.protector.blind_index(f"resident_id:{widow.made_up.id_number}")
        body = form_of_heir(one, widow, "agreed-payee-identity-and-account")
        body |= {"region_code": WUHAN, "channel": "mini_program"}
        told.append(await applied(counter, body, citizen(key)))
    assert [(case["status"], case["notice"]) for case in told] == [("submitted", [])] * 3
    codes_told = [
        {error["code"] for error in (await act(counter, case, "accept", clerk())).json().get("errors", [])}
        for case in told
    ]
    assert codes_told[0] >= {"missing_material"}, "the living one's death must be proven"
    assert codes_told[2] & {"no_person", "unknown_person", "no_account"}, codes_told
