"""Changes of a person's data (hubei-2022 items 五, 六; forms 5, 6): what may become what.

Values are compared as text: dates ISO, amounts yuan (``5000.00``), a credential ``type:number``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from libs.identifiers.credentials import Credential, CredentialType
from libs.refusals.faults import Fault
from services.enrollment.domain.enrolling import Spell, evidence
from services.enrollment.domain.kinds import counts_as
from services.enrollment.domain.people import NewPerson, faults_of_person


class ChangeItem(StrEnum):
    """变更项目; the first four are named as the catalogue's ``change.key_fields`` names them."""

    NAME = "name"
    SEX = "sex"
    CREDENTIAL = "credential"
    BIRTH_DATE = "birth-date"
    TELEPHONE = "telephone"
    ADDRESS = "address"
    APPLICANT_STATUS = "applicant-status"
    SUBSIDY_KIND = "subsidy-kind"
    DECLARED_WAGE = "declared-wage"


ITEM_NAMES = {
    ChangeItem.NAME: "姓名",
    ChangeItem.SEX: "性别",
    ChangeItem.CREDENTIAL: "证件类型及号码",
    ChangeItem.BIRTH_DATE: "出生日期",
    ChangeItem.TELEPHONE: "联系电话",
    ChangeItem.ADDRESS: "户籍地址（居住证登记地）",
    ChangeItem.APPLICANT_STATUS: "申请人身份",
    ChangeItem.SUBSIDY_KIND: "财政补助对象",
    ChangeItem.DECLARED_WAGE: "申报工资",
}
# What a credential's number may carry, so that one cannot change without the other.
_CARRIED = frozenset({ChangeItem.CREDENTIAL, ChangeItem.SEX, ChangeItem.BIRTH_DATE})

State = Mapping[ChangeItem, str | None]


@dataclass(frozen=True)
class DataChange:
    """One line of the form; ``before`` where the applicant told it."""

    item: ChangeItem
    after: str
    before: str | None = None


def faults_of_changes(changes: Sequence[DataChange], state: State, today: dt.date) -> list[Fault]:
    """Every reason against these changes of a record that says ``state``; pointers relative to the row.

    No message repeats what the record says: whoever told another value may be a stranger.
    """
    first: dict[ChangeItem, int] = {}
    faults = []
    for index, change in enumerate(changes):
        at, name = f"/changes/{index}", ITEM_NAMES[change.item]
        if first.setdefault(change.item, index) != index:
            faults.append(Fault("item_twice", f"“{name}”只能变更一次，请合并为一行。", f"{at}/item"))
        if change.before is not None and change.before != state[change.item]:
            message = f"变更前的{name}与参保档案不一致，请核对；也可能刚被他人变更，请重新查询后再办。"
            faults.append(Fault("before_disagrees", message, f"{at}/before"))
        if change.after == state[change.item]:
            message = f"变更后的{name}与参保档案现有内容相同，无须变更。"
            faults.append(Fault("nothing_changes", message, f"{at}/after"))
    return faults + _faults_of_carried(changes, first, state, today)


def enrolled_twice(active: Sequence[Spell], elsewhere: Sequence[Spell]) -> list[Fault]:
    """Under the new credential the person would be actively enrolled twice: ``elsewhere`` is its bearer's."""
    return [
        Fault(
            "already_enrolled",
            f"变更后的证件号码{evidence(other)}，与本地在保的参保关系（{evidence(spell)}）重复，请先停保其一。",
        )
        for spell in active
        for other in elsewhere
        if other.is_active and counts_as(other.insurance_kind) == counts_as(spell.insurance_kind)
    ]


def credential_of(text: str) -> Credential:
    """The credential that ``Credential.canonical`` wrote."""
    kind, _, number = text.partition(":")
    return Credential(CredentialType(kind), number)


def _faults_of_carried(
    changes: Sequence[DataChange], first: Mapping[ChangeItem, int], state: State, today: dt.date
) -> list[Fault]:
    """Sex and birth date as they would be then, held against the credential as it would be then."""
    if _CARRIED.isdisjoint(first):
        return []
    then = {**state, **{change.item: change.after for change in changes}}
    credential, birth_date = then[ChangeItem.CREDENTIAL], then[ChangeItem.BIRTH_DATE]
    assert credential is not None, "every record has a credential"
    assert birth_date is not None, "every record has a birth date"
    would_be = NewPerson(
        "",
        credential_of(credential),
        "",
        sex=then[ChangeItem.SEX],
        birth_date=dt.date.fromisoformat(birth_date),
    )
    items = {"/sex": ChangeItem.SEX, "/birth_date": ChangeItem.BIRTH_DATE}
    return [
        Fault(fault.code, fault.message, _at(items.get(fault.pointer), first))
        for fault in faults_of_person(would_be, today)
    ]


def _at(item: ChangeItem | None, first: Mapping[ChangeItem, int]) -> str:
    """Where the item is told; where it is not, the credential that disagrees with the record."""
    index = first.get(item) if item else None
    if index is None:
        index = first[ChangeItem.CREDENTIAL] if ChangeItem.CREDENTIAL in first else min(first.values())
    return f"/changes/{index}/after"
