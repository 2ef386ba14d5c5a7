"""An employer's data as forms 1 and 4 have them (hubei-2022 L8368 ff., L9060 ff.)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from libs.casebook.schemas import Body, CredentialBody, PersonBody, ShortText, Telephone
from services.enrollment.domain.employers import EmployerData
from services.enrollment.domain.kinds import InsuranceKind
from services.enrollment.domain.rules import rules
from services.enrollment.schemas.values import Day, Line

_NATURES = {key: nature.name for key, nature in rules().natures.items()}


def _nature(key: str) -> str:
    if key not in _NATURES:
        told = "、".join(f"{known}（{name}）" for known, name in _NATURES.items())
        raise ValueError(f"应为以下之一：{told}。")
    return key


Nature = Annotated[str, AfterValidator(_nature), WithJsonSchema({"type": "string", "enum": list(_NATURES)})]
EmploymentInsurance = Literal[InsuranceKind.EMPLOYEE, InsuranceKind.LARGE_AMOUNT, InsuranceKind.MATERNITY]
Headcount = Annotated[int, Field(ge=0, le=1_000_000)]


class RepresentativeBody(PersonBody):
    """法定代表人（负责人）。"""


class BankAccountBody(Body):
    """缴费（退费）银行账户。"""

    bank: ShortText = Field(description="开户银行")
    account_name: ShortText = Field(description="户名")
    account_no: Annotated[str, Field(pattern=r"^[0-9-]{6,40}$", description="银行账号")]


class EmployerAgentBody(Body):
    """单位经办人员；登记证件的，可凭本人登录在网上为单位办理。"""

    name: ShortText
    mobile: Telephone = Field(description="手机号码")
    department: ShortText | None = None
    telephone: Telephone | None = None
    credential: CredentialBody | None = None


class PublicBodyBody(Body):
    """机关事业单位及社会团体填报的信息（表1最后一栏）。"""

    funding_source: ShortText | None = Field(default=None, description="经费来源")
    supervising_department: ShortText | None = Field(default=None, description="主管部门")
    approved_headcount: Headcount | None = Field(default=None, description="最新核编人数")
    retired: Headcount | None = Field(default=None, description="退休人数")
    agency_posts: Headcount | None = Field(default=None, description="机关在编人数")
    civil_servants: Headcount | None = Field(default=None, description="公务员人数")
    logistics_posts: Headcount | None = Field(default=None, description="后勤服务人数")
    quasi_civil_servant_posts: Headcount | None = Field(default=None, description="参公在编人数")
    institution_posts: Headcount | None = Field(default=None, description="事业在编人数")


class EmployerDetails(Body):
    """单位信息；各地目录列为必填的，缺项一次性告知。"""

    name: Line | None = Field(default=None, description="单位名称")
    nature: Nature | None = Field(default=None, description="单位性质")
    address: ShortText | None = Field(default=None, description="通讯地址")
    legal_representative: RepresentativeBody | None = None
    bank_account: BankAccountBody | None = None
    agent: EmployerAgentBody | None = None
    insurance_kinds: list[EmploymentInsurance] | None = Field(default=None, min_length=1, max_length=3)
    public_body: PublicBodyBody | None = None

    def data(self, insured_since: Day | None = None) -> EmployerData:
        """The record as far as the form says it."""
        particulars: dict[str, Any] = {}
        for key in PARTICULARS:
            value = getattr(self, key)
            if value is not None:
                plain = value if isinstance(value, str) else value.model_dump(mode="json", exclude_none=True)
                particulars[key] = plain
        agent = self.agent and self.agent.credential
        return EmployerData(
            name=self.name,
            nature=self.nature,
            insurance_kinds=self.insurance_kinds,
            insured_since=insured_since,
            particulars=particulars,
            agent=agent.credential if agent else None,
        )


PARTICULARS = ("address", "legal_representative", "bank_account", "agent", "public_body")
