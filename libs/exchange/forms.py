"""Parts the forms share: person, agency, bank account, a row of form 10, numbers, months and amounts.

Forms 9 and 10 are those of the Hubei specification of 2022 (``hubei-2022``, 表9 and 表10). Amounts are
integer fen, months ``YYYY-MM``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

import cn2an
from pydantic import BaseModel, ConfigDict, Field

from libs.exchange.canonical import INTEGER_MAX
from libs.exchange.envelope import RegionCode

ShortText = Annotated[str, Field(min_length=1, max_length=100)]
LongText = Annotated[str, Field(min_length=1, max_length=1000)]
Telephone = Annotated[
    str, Field(pattern=r"^[0-9+][0-9-]{4,19}$", description="电话号码，例如 0632-3310000 或手机号")
]
Month = Annotated[str, Field(pattern=r"^(19|20)\d{2}-(0[1-9]|1[0-2])$", description="年月，例如 2021-03")]
AmountFen = Annotated[int, Field(ge=0, le=INTEGER_MAX)]
DocumentNumber = Annotated[
    str,
    Field(
        pattern=r"^\([^()\s]{2,20}\)\([^()\s]{2,30}\)\((19|20)\d{2}\)\(第\d{4,10}号\)$",
        description="(省份)(统筹地区)(年份)(第XXXX号)",
    ),
]


def document_number(province: str, pooling_area: str, year: int, serial: int) -> str:
    """Number printed on forms: ``(山东省)(枣庄市)(2026)(第0001号)``."""
    return f"({province})({pooling_area})({year})(第{serial:04d}号)"


def amount_in_words(amount_fen: int) -> str:
    """人民币大写: 230050 -> 贰仟叁佰元伍角."""
    return str(cn2an.an2cn(f"{amount_fen // 100}.{amount_fen % 100:02d}", "rmb"))


class InsuranceKind(StrEnum):
    """基本医疗保险类型, by the national codes; ``other`` is explained in a remark (form 10, note 2)."""

    EMPLOYEE = "310"
    RESIDENT = "390"
    OTHER = "other"


class Strict(BaseModel):
    """A body with a misspelt or unknown field is refused: a new field is a new version of the kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Person(Strict):
    """参保人员."""

    name: ShortText = Field(title="姓名")
    credential_type: str = Field(title="证件类型", min_length=1, max_length=40)
    credential_no: str = Field(title="证件号码", min_length=4, max_length=40)
    gender: Literal["男", "女"] | None = Field(title="性别", default=None)
    telephone: Telephone | None = Field(title="联系电话", default=None)


class Agency(Strict):
    """经办机构; ``region_code`` is the pooling area's, the same as in the envelope."""

    name: ShortText = Field(title="机构名称")
    region_code: RegionCode = Field(title="行政区划代码")
    telephone: Telephone | None = Field(title="联系电话", default=None)
    address: ShortText | None = Field(title="机构地址", default=None)
    postcode: str | None = Field(
        title="邮政编码", default=None, pattern=r"^\d{6}$", description="六位邮政编码"
    )


class BankAccount(Strict):
    """银行账户 of an agency."""

    account_name: ShortText = Field(title="户名")
    bank_name: ShortText = Field(title="开户行")
    account_no: str = Field(title="账号", pattern=r"^[0-9-]{6,34}$", description="数字账号")


class Agent(Strict):
    """申请人 other than the person (form 9, lower part)."""

    name: ShortText = Field(title="申请人姓名")
    credential_type: str = Field(title="申请人证件类型", min_length=1, max_length=40)
    credential_no: str = Field(title="申请人证件号码", min_length=4, max_length=40)
    relation: ShortText = Field(title="与参保人关系")
    telephone: Telephone = Field(title="申请人联系电话")


class Period(Strict):
    """One row of form 10: an unbroken stretch of months; an interruption starts a new row (note 1)."""

    from_month: Month = Field(title="自年月")
    to_month: Month = Field(title="至年月")
    insurance: InsuranceKind = Field(title="基本医疗保险类型")
    months: int = Field(title="参保缴费月数小计", ge=1, le=1200)
    agency_name: ShortText = Field(title="统筹地区经办机构名称")
    agency_region_code: RegionCode = Field(title="统筹地区经办机构行政区划代码")
    remark: ShortText | None = Field(title="备注", default=None)


def months_between(from_month: str, to_month: str) -> int:
    """Months from ``2021-03`` up to and including ``2021-05``: 3; zero or less if the order is wrong."""
    (from_year, first), (to_year, last) = (map(int, month.split("-")) for month in (from_month, to_month))
    return (to_year - from_year) * 12 + last - first + 1


def row_problems(row: int, period: Period) -> list[str]:
    """What is wrong within a row, counted from 1."""
    span = months_between(period.from_month, period.to_month)
    problems = []
    if span < 1:
        problems.append(f"第{row}行止月{period.to_month}早于起月{period.from_month}，应自先至后")
    elif period.months != span:
        problems.append(
            f"第{row}行自{period.from_month}至{period.to_month}共{span}个月，缴费月数却是{period.months}；"
            "如有中断应分行记录"
        )
    if period.insurance is InsuranceKind.OTHER and not period.remark:
        problems.append(f"第{row}行险种为其他，应在备注说明")
    return problems


def order_problems(periods: Sequence[Period]) -> list[str]:
    """What is wrong between the rows: order, months counted twice."""
    return [
        f"第{row}行{later.from_month}起，与第{row - 1}行（至{earlier.to_month}）颠倒或重叠；"
        "应按先后排列，同一月份不重复计算"
        for row, (earlier, later) in enumerate(pairwise(periods), 2)
        if later.from_month <= earlier.to_month
    ]
