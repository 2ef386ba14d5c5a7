"""The people an application names."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from libs.casebook.schemas import PersonBody
from services.enrollment.domain.people import NewPerson
from services.enrollment.schemas.values import Day


class InsuredPersonBody(PersonBody):
    """参保人员. Sex and birth date may be left out where the credential carries them."""

    sex: Literal["男", "女"] | None = None
    birth_date: Day | None = Field(default=None, description="证件号码不含出生日期时必填")

    def new_person(self, region_code: str) -> NewPerson:
        """The person as the rules see them, to be registered in ``region_code``."""
        return NewPerson(
            region_code=region_code,
            credential=self.credential,
            name=self.name,
            telephone=self.telephone,
            sex=self.sex,
            birth_date=self.birth_date,
        )
