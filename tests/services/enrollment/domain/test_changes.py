"""What of a record may become what."""

from __future__ import annotations

import datetime as dt

from libs.identifiers.made_up import MadeUp
from services.enrollment.domain.changes import (
    ITEM_NAMES,
    ChangeItem,
    DataChange,
    credential_of,
    enrolled_twice,
    faults_of_changes,
)
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind

TODAY = dt.date(2026, 3, 10)
ID_CARD = f"resident_id:{MadeUp(seed=7).person('370402').id_number}"
BORN, SEX = credential_of(ID_CARD).birth_date, credential_of(ID_CARD).sex
STATE = dict.fromkeys(ChangeItem) | {
    ChangeItem.NAME: "王某",
    ChangeItem.SEX: SEX,
    ChangeItem.CREDENTIAL: ID_CARD,
    ChangeItem.BIRTH_DATE: str(BORN),
}


def codes(*changes: DataChange) -> list[tuple[str, str]]:
    return [(fault.code, fault.pointer) for fault in faults_of_changes(changes, STATE, TODAY)]


def test_every_item_has_its_chinese_name() -> None:
    assert set(ITEM_NAMES) == set(ChangeItem)


def test_a_change_of_what_the_number_does_not_carry_is_free() -> None:
    assert codes(DataChange(ChangeItem.NAME, "王改名", "王某")) == []


def test_what_was_told_as_before_must_be_so() -> None:
    assert codes(DataChange(ChangeItem.NAME, "王改名", "李某")) == [("before_disagrees", "/changes/0/before")]


def test_a_change_into_what_is_there_is_none() -> None:
    assert codes(DataChange(ChangeItem.NAME, "王某")) == [("nothing_changes", "/changes/0/after")]


def test_a_birth_date_against_the_number_is_refused_and_with_a_passport_allowed() -> None:
    change = DataChange(ChangeItem.BIRTH_DATE, "1980-01-01")
    assert codes(change) == [("credential_disagrees", "/changes/0/after")]
    assert codes(change, DataChange(ChangeItem.CREDENTIAL, "passport:E12345678")) == []


def test_a_credential_that_disagrees_with_the_record_is_told_at_the_credential() -> None:
    other = f"resident_id:{MadeUp(seed=8).person('370402').id_number}"
    assert ("credential_disagrees", "/changes/0/after") in codes(DataChange(ChangeItem.CREDENTIAL, other))


def test_enrolled_twice_is_only_who_is_active_in_what_counts_the_same() -> None:
    here = Spell("370400", InsuranceKind.EMPLOYEE, PersonKind.EMPLOYEE, TODAY, None)
    resident = Spell("370600", InsuranceKind.RESIDENT, PersonKind.RESIDENT, TODAY, None)
    ended = Spell("370600", InsuranceKind.RESIDENT, PersonKind.RESIDENT, TODAY, TODAY)
    maternity = Spell("370600", InsuranceKind.MATERNITY, PersonKind.EMPLOYEE, TODAY, None)
    assert [fault.code for fault in enrolled_twice([here], [resident])] == ["already_enrolled"]
    assert enrolled_twice([here], [ended, maternity]) == []
