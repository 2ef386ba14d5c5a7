"""个人账户一次性支取 on the wire: hubei-2022 forms 7 (L8987-9054), 16 (L9866-9883) and 17 (L9885-9897)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from libs.casebook.schemas import Body, LongText, PersonBody, ShortText, Telephone
from services.enrollment.domain.withdrawals import Payee, Reason
from services.enrollment.schemas.values import Day, Line

AccountNumber = Annotated[str, Field(pattern=r"^[0-9]{8,32}$", description="账号，8至32位数字，不含空格")]


class PayeeBody(Body):
    """收款账户。"""

    account_kind: Literal["own_social_security_card", "bank_account"] = Field(
        default="bank_account", description="own_social_security_card为参保人本人社会保障卡金融账户"
    )
    account_no: AccountNumber
    bank_name: Line = Field(description="开户行")
    holder_name: Line = Field(description="户名")

    def payee(self) -> Payee:
        """The account as the rules see it."""
        return Payee(self.account_kind, self.account_no, self.bank_name, self.holder_name)


class HeirBody(PersonBody):
    """法定继承人；全部继承人协商确定一名代表领取（表7）。"""

    relation: ShortText = Field(description="与参保人员关系")
    agrees: bool = Field(description="同意由代表办理支取、款项汇入代表账户或参保人未注销的账户")
    is_representative: bool = Field(default=False, description="是否为继承人代表；恰有一名")
    address: ShortText | None = Field(default=None, description="常住地址")
    employer_name: ShortText | None = Field(default=None, description="工作单位")


class DeathCommitmentBody(Body):
    """个人承诺书（表16）：无法提供死亡证明的，承诺人为申请人。"""

    missing_material: ShortText = Field(description="无法提供的材料")
    telephone: Telephone
    postal_address: ShortText
    signed_on: Day


class WaiverBody(Body):
    """主动放弃承诺书（表17）。"""

    reason: LongText = Field(description="放弃的原因")
    waived_rights: LongText = Field(description="放弃的权利")
    telephone: Telephone
    postal_address: ShortText
    signed_on: Day


class AccountWithdrawalPayload(Body):
    """个人账户一次性支取（表7）：本人申请不填 person；因死亡支取由继承人代表申请，填 person 和 heirs。"""

    kind: Literal["account_withdrawal"] = "account_withdrawal"
    person: PersonBody | None = Field(default=None, description="参保人；不填为申请人本人")
    reason: Reason = Field(description="支取原因；可选的原因以本地目录为准")
    explanation: LongText | None = Field(default=None, description="原因为其他时必填")
    employer_name: ShortText | None = Field(default=None, description="参保单位名称；灵活就业的填灵活就业")
    payee: PayeeBody | None = Field(default=None, description="收款账户")
    died_on: Day | None = Field(default=None, description="死亡日期")
    heirs: list[HeirBody] = Field(default=[], max_length=30)
    death_commitment: DeathCommitmentBody | None = None
    waiver: WaiverBody | None = None
