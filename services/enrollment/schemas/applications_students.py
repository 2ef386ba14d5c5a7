"""学生参保登记 (yantai item 5; shandong-2023 guide 二、1.2): a roster uploaded first, then applied for."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from libs.casebook.schemas import Body


class StudentRegistrationPayload(Body):
    """学生参保登记：学校花名册先上传（release=false），申请引用其编号。"""

    kind: Literal["student_registration"]
    roster_id: UUID = Field(description="已上传、待办理的学生花名册编号")
