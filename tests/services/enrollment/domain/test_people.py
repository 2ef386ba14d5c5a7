from __future__ import annotations

import datetime as dt

from libs.identifiers.credentials import Credential, CredentialType
from libs.identifiers.made_up import MadeUp
from services.enrollment.domain.people import NewPerson, faults_of_person

TODAY = dt.date(2026, 3, 10)
PASSPORT = Credential(CredentialType.PASSPORT, "E00000000")


def told(
    credential: Credential, sex: str | None = None, born: dt.date | None = None
) -> list[tuple[str, str]]:
    new = NewPerson("370400", credential, "安宁", sex=sex, birth_date=born)
    return [(fault.code, fault.pointer) for fault in faults_of_person(new, TODAY)]


def test_what_the_number_carries_need_not_be_told() -> None:
    person = MadeUp(seed=1).person("370402")
    assert told(Credential(CredentialType.RESIDENT_ID, person.id_number)) == []


def test_what_is_told_must_agree_with_the_number() -> None:
    person = MadeUp(seed=1).person("370402", sex="女")
    credential = Credential(CredentialType.RESIDENT_ID, person.id_number)
    day_after = person.birth_date + dt.timedelta(days=1)
    assert told(credential, "男", day_after) == [
        ("credential_disagrees", "/sex"),
        ("credential_disagrees", "/birth_date"),
    ]


def test_a_passport_carries_neither() -> None:
    assert told(PASSPORT) == [("missing", "/sex"), ("missing", "/birth_date")]
    assert told(PASSPORT, "女", dt.date(1990, 1, 1)) == []


def test_nobody_is_born_tomorrow() -> None:
    assert told(PASSPORT, "女", TODAY) == []
    assert told(PASSPORT, "女", TODAY + dt.timedelta(days=1)) == [("born_in_future", "/birth_date")]
