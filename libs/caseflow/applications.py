"""An application on the wire: the same whichever service owns it; only ``payload`` is the business's."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import Field

from libs.casebook.schemas import (
    AgentBody,
    Body,
    Channel,
    MaterialBody,
    PersonBody,
    RegionCode,
    ShortText,
    Telephone,
)

Payload = TypeVar("Payload")

# Where the applicant fills the form in on a screen: the form is the payload, no paper of it is handed in.
ONLINE_CHANNELS = frozenset({"online", "mini_program", "app", "self_service", "joint_registration"})


class Application(Body, Generic[Payload]):
    """申请：由 payload.kind 说明所办业务。"""

    region_code: RegionCode
    item_key: ShortText = Field(description="服务事项编码，见服务事项目录")
    channel: Channel
    applicant: PersonBody = Field(description="申请人；单位业务为单位经办人员")
    agent: AgentBody | None = None
    payload: Payload
    materials: list[MaterialBody] = Field(default=[], max_length=50)


class Supplement(Body, Generic[Payload]):
    """补正：补交的材料，和更正后的全部业务内容。"""

    materials: list[MaterialBody] = Field(default=[], max_length=50)
    telephone: Telephone | None = None
    payload: Payload | None = Field(default=None, description="更正后的业务内容，整份替换")
