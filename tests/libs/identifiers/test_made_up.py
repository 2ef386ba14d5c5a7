"""Made-up people and employers: valid, and the same for the same seed."""

from __future__ import annotations

import re

from libs.identifiers import credit_codes
from libs.identifiers.credentials import CredentialType, faults_of
from libs.identifiers.made_up import MadeUp


def test_the_same_seed_makes_the_same_people() -> None:
    first, second = MadeUp(7), MadeUp(7)
    assert [first.person("370402") for _ in range(5)] == [second.person("370402") for _ in range(5)]
    assert first.employer("370402", "枣庄") == second.employer("370402", "枣庄")
    assert MadeUp(8).person("370402") != MadeUp(7).person("370402")


def test_all_numbers_are_valid_and_nobody_comes_twice() -> None:
    made = MadeUp(1)
    people = [made.person("420102", born=(1990, 1990)) for _ in range(500)]
    assert not [p for p in people if faults_of(CredentialType.RESIDENT_ID, p.id_number, "")]
    assert len({p.id_number for p in people}) == 500
    for person in people:
        assert person.birth_date.year == 1990
        assert int(person.id_number[16]) % 2 == (person.sex == "男")
        assert re.fullmatch(r"1990000\d{4}", person.telephone)


def test_a_sex_that_is_asked_for_is_given() -> None:
    assert {MadeUp(seed).person("370402", sex="女").sex for seed in range(20)} == {"女"}


def test_employers_are_valid_and_say_that_they_are_made_up() -> None:
    made = MadeUp(3)
    employers = [made.employer("370402", "枣庄") for _ in range(100)]
    assert not [e for e in employers if credit_codes.faults_of(e.credit_code, "")]
    assert all(employer.name.endswith("（虚构）") for employer in employers)
