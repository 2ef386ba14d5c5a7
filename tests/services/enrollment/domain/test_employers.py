from __future__ import annotations

import datetime as dt

import pytest

from libs.refusals.faults import Fault, Refusal
from services.enrollment.domain.employers import days_late, in_future, require_unchanged

TODAY = dt.date(2026, 3, 10)


@pytest.mark.parametrize(
    ("established_on", "late"), [(None, 0), (dt.date(2026, 2, 8), 0), (dt.date(2026, 2, 7), 1)]
)
def test_the_thirtieth_day_is_still_in_time(established_on: dt.date | None, late: int) -> None:
    assert days_late(established_on, TODAY, 30) == late


def test_today_is_not_the_future() -> None:
    assert in_future(TODAY, TODAY, "/x") == []
    assert [fault.pointer for fault in in_future(TODAY + dt.timedelta(days=1), TODAY, "/x")] == ["/x"]


def test_what_has_changed_meanwhile_is_told() -> None:
    require_unchanged([])
    with pytest.raises(Refusal) as refused:
        require_unchanged([Fault("gone", "单位已注销。")])
    assert [fault.code for fault in refused.value.faults] == ["gone"]
