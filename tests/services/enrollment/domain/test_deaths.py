from __future__ import annotations

import datetime as dt
from dataclasses import replace

from services.enrollment.domain.deaths import End, ends_of, paid_after
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import InsuranceKind, PersonKind

ACTIVE = Spell(
    region_code="420100",
    insurance_kind=InsuranceKind.EMPLOYEE,
    person_kind=PersonKind.RETIREE,
    started_on=dt.date(2020, 1, 1),
    stopped_on=None,
)
STOPPED = replace(ACTIVE, stopped_on=dt.date(2026, 2, 28))


def test_what_is_active_ends_on_the_day_or_on_its_own_first() -> None:
    died_on = dt.date(2026, 2, 20)
    later = replace(ACTIVE, started_on=dt.date(2026, 3, 1))
    assert ends_of([ACTIVE, STOPPED, later], died_on) == [
        End(ACTIVE, died_on),
        End(later, dt.date(2026, 3, 1)),
    ]


def test_the_month_of_death_is_paid_and_the_next_is_not() -> None:
    months = {
        InsuranceKind.EMPLOYEE: ["2026-03", "2026-01", "2026-02"],
        InsuranceKind.LARGE_AMOUNT: ["2026-02"],
    }
    assert paid_after(months, dt.date(2026, 2, 1)) == {InsuranceKind.EMPLOYEE: ["2026-03"]}
