"""参保单位参保信息查询: employers by the page, one with its particulars, its people by the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.enrollment.domain.people import PersonalData
from services.enrollment.models import Employer, Enrolment
from services.enrollment.repository import employers as records
from services.enrollment.repository.employers import Wanted
from services.enrollment.service.desk import Desk
from services.enrollment.service.people import personal_data


@dataclass(frozen=True)
class Employed:
    """An enrolment with the employer, and the person's protected fields, opened."""

    enrolment: Enrolment
    data: PersonalData


async def employers_page(desk: Desk, wanted: Wanted, limit: int) -> tuple[list[Employer], bool]:
    """A page of employers, and whether there are more."""
    found = await records.page(desk.session, wanted, limit + 1)
    return found[:limit], len(found) > limit


async def people_page(
    desk: Desk, employer: Employer, after: tuple[UUID, UUID] | None, limit: int, *, active: bool
) -> tuple[Sequence[Employed], bool]:
    """A page of the employer's enrolments, and whether there are more; only the page's people are opened."""
    found = await records.page_of_enrolments(desk.session, employer.id, after, limit + 1, active=active)
    page = found[:limit]
    people = await records.people_of(desk.session, {one.person_id for one in page})
    opened = {key: personal_data(desk.protector, person) for key, person in people.items()}
    return [Employed(one, opened[one.person_id]) for one in page], len(found) > limit
