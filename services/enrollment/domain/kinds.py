"""Kinds of insurance (national codes) and kinds of insured people."""

from __future__ import annotations

from enum import StrEnum


class InsuranceKind(StrEnum):
    """National codes of the kinds of insurance (险种类型); also the funds of the ledger."""

    EMPLOYEE = "310"
    LARGE_AMOUNT = "330"
    RESIDENT = "390"
    LONG_TERM_CARE = "410"
    MATERNITY = "510"


INSURANCE_NAMES = {
    InsuranceKind.EMPLOYEE: "职工基本医疗保险",
    InsuranceKind.LARGE_AMOUNT: "大额医疗费用补助",
    InsuranceKind.RESIDENT: "城乡居民基本医疗保险",
    InsuranceKind.LONG_TERM_CARE: "长期照护保险",
    InsuranceKind.MATERNITY: "生育保险",
}


class PersonKind(StrEnum):
    """In what quality somebody is insured; the values of libs/contracts/enrollment.py."""

    EMPLOYEE = "employee"
    FLEXIBLE_WORKER = "flexible_worker"
    RETIREE = "retiree"
    RESIDENT = "resident"
    STUDENT = "student"


PERSON_KIND_NAMES = {
    PersonKind.EMPLOYEE: "在职职工",
    PersonKind.FLEXIBLE_WORKER: "灵活就业人员",
    PersonKind.RETIREE: "退休人员",
    PersonKind.RESIDENT: "城乡居民",
    PersonKind.STUDENT: "学生",
}

# Basic insurance is one: an employee is no resident at the same time, and a month counts once.
_BASIC = frozenset({InsuranceKind.EMPLOYEE, InsuranceKind.RESIDENT})
_OF_EMPLOYMENT = frozenset({InsuranceKind.EMPLOYEE, InsuranceKind.LARGE_AMOUNT, InsuranceKind.MATERNITY})
_RESIDENTS = frozenset({PersonKind.RESIDENT, PersonKind.STUDENT})


def counts_as(kind: InsuranceKind) -> str:
    """``basic`` for the two kinds of basic insurance, which exclude one another; else the kind itself."""
    return "basic" if kind in _BASIC else kind.value


def fits(person_kind: PersonKind, kind: InsuranceKind) -> bool:
    """Whether somebody of this kind can be insured so: residents are not insured as employees are."""
    if kind is InsuranceKind.LONG_TERM_CARE:
        return True
    return (kind in _OF_EMPLOYMENT) == (person_kind not in _RESIDENTS)


def has_personal_account(kind: InsuranceKind) -> bool:
    """Only employee insurance has personal accounts (医保发〔2019〕30号 ended those of residents)."""
    return kind is InsuranceKind.EMPLOYEE
