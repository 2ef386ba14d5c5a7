"""Ratings (好差评): by the applicant, once a case, after it was decided."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.ext.asyncio import AsyncSession

from libs.refusals.faults import conflict, forbidden
from libs.webapp.callers import Caller, CallerKind
from services.tracking import domain, repository
from services.tracking.schemas import Rating, RatingView
from services.tracking.service.enquiries import visible_case


async def rate(
    session: AsyncSession, caller: Caller, case_no: str, rating: Rating, now: dt.datetime
) -> RatingView:
    """Keep the rating. Raises Refusal: forbidden for others than citizens, not found where the case

    is not theirs, conflict before the end of the case and for a second rating.
    """
    if caller.kind is not CallerKind.CITIZEN:
        raise forbidden("applicant_only", "只有申请人本人可以评价。")
    case = await visible_case(session, caller, case_no)
    domain.require_ratable(case.status)
    row = {
        "case_no": case_no,
        "region_code": case.region_code,
        "subject_key": case.subject_key,
        "stars": rating.stars,
        "text": rating.text,
        "rated_at": now,
    }
    if not await repository.add_rating(session, row):
        raise conflict("already_rated", "此办件已经评价过，每件只能评价一次。")
    return RatingView(stars=rating.stars, text=rating.text, rated_at=now)
