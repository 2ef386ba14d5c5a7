"""个人账户一次性支取: who may withdraw, why, and to which account.

Sources: hubei-2022 item 九 (L2223-2530) with form 7 (L8987-9054); shandong-2020 item 9, shandong-2023 item 9
and guide 3.3 (L625-649); yantai item 13 (L22); zaozhuang 一、4 (L878-924). Which reasons an edition has,
and which accounts it pays to, are its item's parameters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from libs.catalogue.lookup import parameter
from libs.catalogue.schema import ServiceItem
from libs.money.amounts import yuan_of
from libs.refusals.faults import Fault
from services.enrollment.domain.enrolling import Spell, evidence, faults_of_stop
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.rules import rules
from services.enrollment.domain.transfers import OpenTransfer, under_way

OWN_CARD = "own_social_security_card"
_AT_FOUR_BANKS = "designated_account_at_four_state_banks"


class Reason(StrEnum):
    """支取原因: all editions' together (catalogue parameter ``withdrawal.reasons``)."""

    DEATH = "death"
    INHERITANCE = "inheritance"
    EMIGRATION = "emigration"
    GIVING_UP = "giving_up"
    TRANSFER_OUT = "transfer_out_of_pooling_area"
    CROSS_REGION = "cross_region_enrolment"
    REMOTE_RESETTLEMENT = "remote_resettlement"
    OTHER = "other"


REASON_NAMES = {
    Reason.DEATH: "死亡",
    Reason.INHERITANCE: "账户继承",
    Reason.EMIGRATION: "出国（境）定居",
    Reason.GIVING_UP: "主动放弃",
    Reason.TRANSFER_OUT: "医疗保险关系转移至统筹范围外",
    Reason.CROSS_REGION: "跨统筹地区参保",
    Reason.REMOTE_RESETTLEMENT: "异地安置",
    Reason.OTHER: "其他",
}

# An account is inherited only when somebody died: 烟台's word for the same thing.
OF_DEATH = frozenset({Reason.DEATH, Reason.INHERITANCE})
# These stay insured while they withdraw: who gives up is stopped by the withdrawal itself (form 17 is the
# declaration); whoever is settled elsewhere (异地安置) goes on being insured, only the account is paid out.
_MAY_BE_INSURED = OF_DEATH | {Reason.GIVING_UP, Reason.REMOTE_RESETTLEMENT}


@dataclass(frozen=True)
class Payee:
    """The account the money goes to."""

    kind: str
    account_no: str
    bank_name: str
    holder_name: str


@dataclass(frozen=True)
class Heir:
    """A legal heir; ``agrees`` to the one representative."""

    name: str
    credential: str
    agrees: bool
    is_representative: bool


@dataclass(frozen=True)
class Wish:
    """What the form says. Credentials in canonical form; ``applicant`` is who signs as 支取人."""

    reason: Reason
    person_name: str
    person_credential: str
    applicant: str
    payee: Payee | None
    explanation: str | None = None
    died_on: dt.date | None = None
    heirs: Sequence[Heir] = ()
    has_waiver: bool = False


@dataclass(frozen=True)
class Standing:
    """What is known of the person and the account; amounts in fen.

    ``free_fen`` is what this withdrawal may take (its own hold included), ``held_fen`` is on hold for other
    business; ``other_case_no`` another open withdrawal. ``paid_months`` are own months of employee insurance.
    """

    birth_date: dt.date
    deceased_on: dt.date | None
    spells: Sequence[Spell]
    free_fen: int
    held_fen: int
    open_transfers: Sequence[OpenTransfer] = ()
    other_case_no: str | None = None
    paid_months: Sequence[str] = ()


def offered_reasons(item: ServiceItem) -> list[Reason]:
    """The reasons of this item; all of them where the document lists none (shandong-2020)."""
    listed = parameter(item, "withdrawal.reasons")
    if not isinstance(listed, list):
        return list(Reason)
    offered = [Reason(reason) for reason in listed]
    if parameter(item, "withdrawal.giving_up_allowed") is True and Reason.GIVING_UP not in offered:
        # shandong-2023 L76: the list takes giving up, the guide's sentence (L629) leaves it out.
        offered.append(Reason.GIVING_UP)
    return offered


def faults_of_form(wish: Wish, item: ServiceItem, today: dt.date) -> list[Fault]:
    """What the form itself says wrongly, whoever the person is. Pointers into the application."""
    faults = _faults_of_reason(wish, item)
    if wish.reason in OF_DEATH:
        faults += _faults_of_death(wish, today)
    else:
        faults += _faults_of_the_living(wish)
    return [*faults, *faults_of_payee(wish, wish.payee, item)]


def faults_of_payee(wish: Wish, payee: Payee | None, item: ServiceItem) -> list[Fault]:
    """Whose account it may be, and where (form 7: 汇入其名下银行账户; yantai L22)."""
    if payee is None:
        if any(field.key == "bank-account" for field in item.required_fields):
            return []  # noticed as a field of the item
        return [Fault("payee_missing", "请填写收款账户（账号、开户行、户名）。", "/payload/payee")]
    return [*_faults_of_holder(wish, payee), *_faults_of_bank(wish, payee, item)]


def faults_of_standing(wish: Wish, standing: Standing, today: dt.date) -> list[Fault]:
    """What the books say against it."""
    return [
        *_faults_of_life(wish, standing),
        *_faults_of_enrolment(wish, standing),
        *_faults_of_giving_up(wish, standing, today),
        *_faults_of_account(standing),
    ]


def stops_with(wish: Wish, spells: Sequence[Spell]) -> list[Spell]:
    """Enrolments that end with the withdrawal: of whoever gives up employee insurance."""
    if wish.reason is not Reason.GIVING_UP:
        return []
    return [spell for spell in spells if spell.is_active and spell.insurance_kind is InsuranceKind.EMPLOYEE]


def _faults_of_reason(wish: Wish, item: ServiceItem) -> list[Fault]:
    offered = offered_reasons(item)
    faults = []
    if wish.reason not in offered:
        names = "、".join(REASON_NAMES[reason] for reason in offered)
        message = f"本地目录的支取原因为：{names}；没有“{REASON_NAMES[wish.reason]}”。"
        faults.append(Fault("reason_not_offered", message, "/payload/reason"))
    if wish.reason is Reason.OTHER and wish.explanation is None:
        faults.append(Fault("explanation", "支取原因为其他的，请写明原因。", "/payload/explanation"))
    if wish.reason is Reason.GIVING_UP and not wish.has_waiver:
        message = "主动放弃参保的，请填写主动放弃承诺书（放弃的原因和权利）。"
        faults.append(Fault("waiver_missing", message, "/payload/waiver"))
    return faults


def _faults_of_death(wish: Wish, today: dt.date) -> list[Fault]:
    faults = []
    if wish.died_on is None:
        faults.append(Fault("died_on", "因死亡支取的，请填写死亡日期。", "/payload/died_on"))
    elif wish.died_on > today:
        faults.append(Fault("died_on", f"死亡日期不能晚于今天（{today}）。", "/payload/died_on"))
    if wish.person_credential == wish.applicant:
        message = "参保人已死亡的，由继承人申请：申请人填继承人代表，参保人填在person。"
        faults.append(Fault("applicant_is_deceased", message, "/payload/person"))
    return faults + _faults_of_heirs(wish)


def _faults_of_heirs(wish: Wish) -> list[Fault]:
    """Form 7: 经协商，由…代表全部继承人办理; hubei L2400: 协商一致后确定的收款人."""
    representatives = [heir for heir in wish.heirs if heir.is_representative]
    faults = []
    if len(representatives) != 1:
        message = f"继承人须协商确定一名代表（现填{len(representatives)}名）。"
        faults.append(Fault("one_representative", message, "/payload/heirs"))
    elif representatives[0].credential != wish.applicant:
        message = "申请人应为继承人代表本人；由他人代办的填写代办人（agent）。"
        faults.append(Fault("applicant_not_representative", message, "/applicant/credential_no"))
    first: dict[str, int] = {}
    for index, heir in enumerate(wish.heirs):
        at = f"/payload/heirs/{index}"
        if heir.credential == wish.person_credential:
            faults.append(Fault("heir_is_deceased", "参保人本人不能是继承人。", at))
        if first.setdefault(heir.credential, index) != index:
            message = f"与第{first[heir.credential] + 1}位继承人是同一人。"
            faults.append(Fault("heir_twice", message, at))
        if not heir.agrees:
            message = "该继承人未同意由代表领取；须全部继承人协商一致后申请。"
            faults.append(Fault("heir_disagrees", message, f"{at}/agrees"))
    return faults


def _faults_of_the_living(wish: Wish) -> list[Fault]:
    faults = []
    if wish.person_credential != wish.applicant:
        message = "应由参保人本人申请；由他人代办的填写代办人（agent）。"
        faults.append(Fault("not_own", message, "/payload/person"))
    if wish.died_on is not None or wish.heirs:
        message = "支取原因不是死亡，不填死亡日期和继承人；参保人已死亡的请改按死亡支取。"
        faults.append(Fault("not_of_death", message, "/payload/reason"))
    return faults


def _faults_of_holder(wish: Wish, payee: Payee) -> list[Fault]:
    """The person's own account (the deceased's if not cancelled, hubei L2400), or the representative's."""
    allowed = {wish.person_name}
    if wish.reason in OF_DEATH:
        allowed |= {heir.name for heir in wish.heirs if heir.is_representative}
    if payee.holder_name in allowed:
        return []
    whose = "参保人本人（未注销的账户）或继承人代表" if wish.reason in OF_DEATH else "参保人本人"
    return [Fault("payee_holder", f"收款账户的户名应为{whose}。", "/payload/payee/holder_name")]


def _faults_of_bank(wish: Wish, payee: Payee, item: ServiceItem) -> list[Fault]:
    allowed = parameter(item, "withdrawal.payee_accounts")
    if not isinstance(allowed, list):
        return []
    banks = rules().withdrawals.four_state_banks
    is_own_card = payee.kind == OWN_CARD and payee.holder_name == wish.person_name
    if is_own_card and OWN_CARD in allowed:
        return []
    if _AT_FOUR_BANKS in allowed and payee.bank_name.startswith(banks):
        return []
    message = f"本地只发放到本人社会保障卡金融账户，或以下银行的账户：{'、'.join(banks)}。"
    return [Fault("payee_bank", message, "/payload/payee/bank_name")]


def _faults_of_life(wish: Wish, standing: Standing) -> list[Fault]:
    known = standing.deceased_on
    if wish.reason not in OF_DEATH:
        if known is None:
            return []
        message = f"参保人已于{known}登记死亡，请由继承人按死亡支取申请。"
        return [Fault("deceased", message, "/payload/reason")]
    if wish.died_on is None:
        return []
    if known is not None and known != wish.died_on:
        message = f"数据共享（或已登记）的死亡日期为{known}，与填写的不一致，请核对。"
        return [Fault("died_on_disagrees", message, "/payload/died_on")]
    if wish.died_on < standing.birth_date:
        return [Fault("died_before_birth", "死亡日期不能早于出生日期。", "/payload/died_on")]
    return []


def _faults_of_enrolment(wish: Wish, standing: Standing) -> list[Fault]:
    """终止基本医疗保险关系 (hubei L2285): stopped already, unless the withdrawal itself ends it."""
    active = [
        spell
        for spell in standing.spells
        if spell.is_active and spell.insurance_kind is InsuranceKind.EMPLOYEE
    ]
    faults = []
    for spell in active:
        if wish.reason not in _MAY_BE_INSURED:
            message = f"参保人{evidence(spell)}，尚未停保，请先办理停保再支取。"
            faults.append(Fault("still_active", message, "/payload/reason"))
        elif wish.reason is Reason.GIVING_UP and spell.person_kind is PersonKind.EMPLOYEE:
            # Insurance of employees is their employer's duty, not theirs to give up.
            message = f"参保人{evidence(spell)}，在职期间不能主动放弃；请先由单位办理停保。"
            rule = "《中华人民共和国社会保险法》第二十三条"
            faults.append(Fault("employed", message, "/payload/reason", rule))
    return faults


def _faults_of_giving_up(wish: Wish, standing: Standing, today: dt.date) -> list[Fault]:
    """The enrolment ends today with the withdrawal: months paid ahead are refunded first."""
    return [
        replace(fault, pointer="/payload/reason")
        for spell in stops_with(wish, standing.spells)
        for fault in faults_of_stop(spell, today, paid_months=standing.paid_months, today=today)
    ]


def _faults_of_account(standing: Standing) -> list[Fault]:
    faults = [under_way(transfer) for transfer in standing.open_transfers]
    if standing.other_case_no is not None:
        message = f"该参保人的个人账户支取（办件编号{standing.other_case_no}）正在办理，不能重复申请。"
        faults.append(Fault("withdrawal_under_way", message))
    elif standing.held_fen and not standing.open_transfers:
        message = f"个人账户有{yuan_of(standing.held_fen)}元因其他业务冻结，请待该业务办结后再支取。"
        faults.append(Fault("account_on_hold", message))
    elif not standing.free_fen and not standing.held_fen:
        faults.append(Fault("nothing_to_withdraw", "个人账户没有余额，无可支取。"))
    return faults
