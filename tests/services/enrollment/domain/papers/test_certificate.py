"""参保凭证: what form 8 asks for, and nothing else."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from libs.catalogue.editions import load_edition
from libs.documents.layout import lay_out
from libs.identifiers.credentials import Credential, CredentialType
from libs.regions.agencies import Agencies
from services.enrollment.domain.contributing import KnownMonth
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind
from services.enrollment.domain.papers.certificate import (
    Certificate,
    InsuredTime,
    insured_time,
    sheet_of,
)
from services.enrollment.domain.people import PersonalData
from tests.libs.documents.pages import AT, words

TODAY = dt.date(2026, 3, 10)
EMPLOYEE = InsuranceKind.EMPLOYEE
WUHAN = Agencies.from_file().require("420100", "")
FORM_8 = next(form for form in load_edition("hubei-2022").forms if form.key == "form-08")


def certificate(**changed: object) -> Certificate:
    person = PersonalData(Credential(CredentialType.RESIDENT_ID, "420102199001010010"), "张三", None)
    made = Certificate(
        number="(湖北省)(武汉市)(2026)(第0001号)",
        generated_on=TODAY,
        person=person,
        credential_name="居民身份证",
        household_place=None,
        household_type=None,
        insurance_kind=EMPLOYEE,
        time=InsuredTime("2021-03", "2026-02", 60),
        balance_fen=123456,
        agency=WUHAN,
    )
    return dataclasses.replace(made, **changed)  # type: ignore[arg-type]


def month(text: str, kind: InsuranceKind = EMPLOYEE, *, has_left: bool = False) -> KnownMonth:
    return KnownMonth(text, kind, 500000, 10000, "own", "420100", "武汉", has_left, has_left)


def spell(
    start: dt.date,
    stop: dt.date | None = None,
    kind: InsuranceKind = EMPLOYEE,
    left: dt.date | None = None,
) -> Spell:
    return Spell("420100", kind, PersonKind.EMPLOYEE, start, stop, transferred_out_on=left)


def test_it_has_every_field_of_form_8_and_no_other() -> None:
    assert list(certificate().fields()) == [field.key for field in FORM_8.fields]


def test_labels_sections_and_notes_are_those_of_form_8() -> None:
    texts = list(sheet_of(certificate().fields()).texts())
    everything = "".join(texts)
    assert texts[0] == FORM_8.title.text
    assert texts[-2:] == [instruction.text for instruction in FORM_8.instructions]
    for field in FORM_8.fields:
        for part in field.label.replace("（", " （").split():
            assert part in everything, field.label
        assert field.section is None or field.section in texts


def test_what_is_not_stated_stays_blank() -> None:
    told = certificate().fields()
    assert (told["household-place"], told["household-type"]) == ("", "")


@pytest.mark.parametrize(
    ("balance_fen", "figures", "words"),
    [
        (0, "0.00", "零元整"),
        (1, "0.01", "壹分"),
        (-5, "-0.05", "负伍分"),
        (123456, "1234.56", "壹仟贰佰叁拾肆元伍角陆分"),
        (99999999999, "999999999.99", "玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
        (None, "—", "不设个人账户"),
    ],
)
def test_the_balance_stands_in_figures_and_in_words(
    balance_fen: int | None, figures: str, words: str
) -> None:
    told = certificate(balance_fen=balance_fen).fields()
    assert (told["account-balance"], told["account-balance-in-words"]) == (figures, words)


def test_insured_time_is_that_of_the_months_here() -> None:
    known = [month("2021-03"), month("2023-01"), month("2022-07"), month("2020-01", InsuranceKind.RESIDENT)]
    assert insured_time(EMPLOYEE, known, [], TODAY) == InsuredTime("2021-03", "2023-01", 3)


def test_what_left_with_a_transfer_is_not_certified_here() -> None:
    known = [month("2021-03", has_left=True), month("2023-01")]
    assert insured_time(EMPLOYEE, known, [], TODAY) == InsuredTime("2023-01", "2023-01", 1)
    gone = spell(dt.date(2021, 3, 1), dt.date(2021, 3, 31), left=dt.date(2021, 5, 1))
    assert insured_time(EMPLOYEE, known[:1], [gone], TODAY) is None


def test_without_months_the_enrolment_counts() -> None:
    running = [spell(dt.date(2026, 2, 1))]
    assert insured_time(EMPLOYEE, [], running, TODAY) == InsuredTime("2026-02", "2026-03", 0)
    over = [spell(dt.date(2025, 2, 1), dt.date(2025, 6, 30))]
    assert insured_time(EMPLOYEE, [], over, TODAY) == InsuredTime("2025-02", "2025-06", 0)
    to_come = [spell(dt.date(2026, 5, 1))]
    assert insured_time(EMPLOYEE, [], to_come, TODAY) == InsuredTime("2026-05", "2026-05", 0)
    assert insured_time(InsuranceKind.RESIDENT, [], running, TODAY) is None


@pytest.mark.parametrize(("times", "pages"), [(1, 1), (2, 1), (6, 2)])
def test_long_values_are_whole_on_one_page_and_impossible_ones_on_two(times: int, pages: int) -> None:
    agency = dataclasses.replace(
        WUHAN,
        name="某自治区某盟某旗医疗保障服务中心" * min(times, 3),
        address="某某街道与某某路交汇处向东三百米" * times,
    )
    person = PersonalData(
        Credential(CredentialType.FOREIGN_PERMANENT_RESIDENCE, "911124199808010013"),
        "阿卜杜热西提·买买提吐尔逊·伊敏江" * times,
        None,
    )
    told = certificate(
        person=person,
        credential_name="外国人永久居留身份证",
        household_place="某某自治州某某县某某镇某某路十八号" * times,
        household_type="农业户口（牧区）" * times,
        balance_fen=10**14 - 1,
        agency=agency,
    ).fields()
    laid_out = lay_out(sheet_of(told), AT)
    read = words(laid_out.pdf)
    assert laid_out.pages == pages
    assert all(value.replace("\n", "") in read for value in told.values())
