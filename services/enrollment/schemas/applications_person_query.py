"""参保人员参保信息查询 (hubei-2022 item 八)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from libs.casebook.schemas import Body, PersonBody


class PersonQueryPayload(Body):
    """参保人员参保信息查询；不填人员的为申请人本人。"""

    kind: Literal["person_query"] = "person_query"
    person: PersonBody | None = Field(default=None, description="被查询人；不填为申请人本人")
