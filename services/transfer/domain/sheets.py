"""Rows of the 信息表 as an officer corrects them (form 10 of hubei-2022, note 1).

Rows go in order, no month twice; a break starts a new row.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from libs.contracts.enrollment import ContributionPeriod
from libs.refusals.faults import Fault
from services.transfer.domain.periods import month_number

# The national form, printed as hubei-2022 表10.
RULE_ROWS = "《参保人员基本医疗保险信息表》说明1"


def faults_of_rows(rows: Sequence[tuple[str, str]]) -> list[Fault]:
    """Everything wrong with rows of (from month, to month): each in itself, and with the one before."""
    faults = [
        Fault(
            "period_reversed",
            f"第{number}行的终止年月{to_month}早于起始年月{from_month}。",
            f"/periods/{number - 1}/to_month",
            RULE_ROWS,
        )
        for number, (from_month, to_month) in enumerate(rows, start=1)
        if to_month < from_month
    ]
    faults += [
        Fault(
            "period_order",
            f"第{number}行自{later[0]}起，与第{number - 1}行（至{earlier[1]}）重叠或次序颠倒，"
            "同一月份只能计算一次。",
            f"/periods/{number - 1}/from_month",
            RULE_ROWS,
        )
        for number, (earlier, later) in enumerate(pairwise(rows), start=2)
        if later[0] <= earlier[1]
    ]
    return faults


def corrected_periods(
    before: Sequence[ContributionPeriod],
    rows: Sequence[tuple[str, str, str, str]],
    *,
    home: tuple[str, str],
) -> list[ContributionPeriod]:
    """Rows of (from, to, insurance kind, remark) as the sheet has them.

    Region and agency are those of the row before the correction that it overlaps, else ``home``.
    """
    periods = []
    for from_month, to_month, insurance_kind, remark in rows:
        overlapping = (
            period for period in before if period.from_month <= to_month and from_month <= period.to_month
        )
        earlier = next(overlapping, None)
        region_code, agency_name = (earlier.region_code, earlier.agency_name) if earlier else home
        periods.append(
            ContributionPeriod(
                from_month=from_month,
                to_month=to_month,
                insurance_kind=insurance_kind,
                months_paid=month_number(to_month) - month_number(from_month) + 1,
                region_code=region_code,
                agency_name=agency_name,
                remark=remark,
            )
        )
    return periods
