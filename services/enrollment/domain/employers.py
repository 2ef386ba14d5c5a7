"""What an employer's record says, and what may be done to it in which state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

from libs.identifiers.credentials import Credential
from libs.refusals.faults import Fault, conflict
from services.enrollment.domain.kinds import InsuranceKind


class EmployerState(StrEnum):
    """参保状态 of an employer. A cancelled one stays on record for what it insured."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


STATE_NAMES = {
    EmployerState.ACTIVE: "正常参保",
    EmployerState.SUSPENDED: "暂停参保",
    EmployerState.CANCELLED: "已注销",
}


class RegistrationKind(StrEnum):
    """登记类型 (form 1); the catalogue's parameter ``registration.kinds`` names those an edition has."""

    NEW = "new"
    SUSPEND = "suspend"
    DEREGISTER = "deregister"
    SPLIT = "split"
    MERGE = "merge"
    SEPARATE = "separate"


REGISTRATION_NAMES = {
    RegistrationKind.NEW: "新参保登记",
    RegistrationKind.SUSPEND: "暂停登记",
    RegistrationKind.DEREGISTER: "注销登记",
    RegistrationKind.SPLIT: "拆分",
    RegistrationKind.MERGE: "合并",
    RegistrationKind.SEPARATE: "分立",
}


@dataclass(frozen=True)
class EmployerData:
    """What a form says of an employer; None and {} where it says nothing.

    ``particulars`` (address, legal_representative, bank_account, agent, public_body …) are plain JSON
    values, kept encrypted; ``agent`` the credential by which the 单位经办人员 signs in, if told.
    """

    name: str | None = None
    nature: str | None = None
    insurance_kinds: Sequence[InsuranceKind] | None = None
    insured_since: dt.date | None = None
    particulars: Mapping[str, Any] = field(default_factory=dict)
    agent: Credential | None = None


@dataclass(frozen=True)
class NewEmployer:
    """An employer to register."""

    region_code: str
    credit_code: str
    data: EmployerData


def employer_known(name: str, employer_id: UUID, pointer: str = "/payload/registration/credit_code") -> Fault:
    """The region has an employer with this credit code."""
    message = f"该统一社会信用代码已在本地登记为“{name}”（单位编号{employer_id}），不能重复登记。"
    return Fault("employer_known", message, pointer)


def no_employer(credit_code: str, pointer: str) -> Fault:
    message = f"本地没有统一社会信用代码为{credit_code}的参保单位，请核对或先办理单位参保登记。"
    return Fault("no_employer", message, pointer)


def not_in_state(name: str, state: str, since: dt.date | None, pointer: str) -> Fault:
    """The employer's state does not allow what is asked for."""
    told = f"（自{since}起）" if since else ""
    message = f"单位“{name}”现为“{STATE_NAMES[EmployerState(state)]}”{told}，不能办理此项登记。"
    return Fault("employer_state", message, pointer)


def in_future(day: dt.date, today: dt.date, pointer: str) -> list[Fault]:
    """Nothing is registered ahead of its day."""
    if day <= today:
        return []
    return [Fault("in_future", f"日期不能晚于今天（{today}）。", pointer)]


def days_late(established_on: dt.date | None, today: dt.date, deadline_days: int) -> int:
    """By how many days a registration misses the deadline (自设立之日起30日内, hubei-2022 L8); 0 in time."""
    if established_on is None:
        return 0
    return max((today - established_on).days - deadline_days, 0)


def require_unchanged(faults: Sequence[Fault]) -> None:
    """Raises Refusal (conflict) where the rules were met at the last look, and are not under the locks."""
    if faults:
        raise conflict("changed_meanwhile", "情况刚刚发生变化，本次未作任何更改，原因如下。", faults)
