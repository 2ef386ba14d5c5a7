"""What a person's record must say, beyond the shape of each field."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from libs.identifiers.credentials import CREDENTIAL_NAMES, Credential
from libs.refusals.faults import Fault


@dataclass(frozen=True)
class NewPerson:
    """A person to register. ``sex`` (男/女) and ``birth_date`` may be left to the credential."""

    region_code: str
    credential: Credential
    name: str
    telephone: str | None = None
    sex: str | None = None
    birth_date: dt.date | None = None


@dataclass(frozen=True)
class PersonalData:
    """The protected fields in clear text: handle with care, never log."""

    credential: Credential
    name: str
    telephone: str | None


@dataclass(frozen=True)
class KnownPerson:
    """What the region's record says of somebody, as far as a new statement may disagree with it."""

    name: str
    sex: str
    birth_date: dt.date
    deceased_on: dt.date | None = None


def faults_against_record(new: NewPerson, known: KnownPerson) -> list[Fault]:
    """What is said of a known person and the record says otherwise; the record's values are not told."""
    faults = []
    if known.deceased_on is not None:
        message = f"该人员已于{known.deceased_on}登记死亡，不能办理参保业务。"
        faults.append(Fault("deceased", message, "/credential_no"))
    if known.name != new.name:
        message = "姓名与该证件号码在本地参保档案中的姓名不一致，请核对；姓名确有变更的先办理信息变更登记。"
        faults.append(Fault("name_disagrees", message, "/name"))
    for field, name in (("sex", "性别"), ("birth_date", "出生日期")):
        told = getattr(new, field)
        if told is not None and told != getattr(known, field):
            message = f"{name}与本地参保档案不一致，请核对；确有变更的先办理信息变更登记。"
            faults.append(Fault(f"{field}_disagrees", message, f"/{field}"))
    return faults


def faults_of_person(new: NewPerson, today: dt.date) -> list[Fault]:
    """Sex and birth date: told, or carried by the credential, and then the same."""
    credential = new.credential
    return [
        *_faults_of_field("sex", "性别", new.sex, credential.sex, credential),
        *_faults_of_field("birth_date", "出生日期", new.birth_date, credential.birth_date, credential),
        *_faults_of_birth(new.birth_date or credential.birth_date, today),
    ]


def _faults_of_field(
    field: str, name: str, told: object | None, carried: object | None, credential: Credential
) -> list[Fault]:
    kind = CREDENTIAL_NAMES[credential.type]
    if told is None and carried is None:
        return [Fault("missing", f"{kind}号码不含{name}，请填写{name}。", f"/{field}")]
    if told is not None and carried is not None and told != carried:
        message = f"{name}与{kind}号码所载的{carried}不一致，请核对。"
        return [Fault("credential_disagrees", message, f"/{field}")]
    return []


def _faults_of_birth(birth_date: dt.date | None, today: dt.date) -> list[Fault]:
    if birth_date is None or birth_date <= today:
        return []
    return [Fault("born_in_future", f"出生日期不能晚于今天（{today}）。", "/birth_date")]
