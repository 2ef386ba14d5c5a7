"""出具参保凭证 (hubei-2022 item 十, form 8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from libs.casebook.schemas import Body, PersonBody, ShortText


class CertificatePayload(Body):
    """出具参保凭证：为本人，或由窗口为所填的参保人（person）办理。"""

    kind: Literal["certificate"]
    person: PersonBody | None = Field(default=None, description="参保人；不填为申请人本人")
    household_place: ShortText | None = Field(
        default=None, description="户籍所在地；不填则取参保档案中的地址，没有的留空"
    )
    household_type: ShortText | None = Field(default=None, description="户籍类型；不填的留空")
    insurance_kind: Literal["310", "390"] = Field(
        default="310", description="基本医疗保险类型，310为职工，390为城乡居民"
    )
