"""Messages to the applicant, from the item's own template."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case, fact_key, mask_name
from libs.caseflow.desk import CaseDesk
from libs.catalogue.schema import ServiceItem
from libs.contracts.cases import MessageSent
from libs.eventbus.outbox import publish
from libs.regions.agencies import Agency


async def notify_applicant(desk: CaseDesk, case: Case, kind: str, reason: str = "") -> None:
    """Tell the applicant what became of the case."""
    flow = desk.flow
    item, agency = flow.item_of(case).item, flow.agencies.find(case.region_code)
    await send_message(
        desk.session, flow.message_sent, case, item, agency, kind=kind, reason=reason, at=desk.now
    )


async def send_message(
    session: AsyncSession,
    message_sent: type[MessageSent],
    case: Case,
    item: ServiceItem,
    agency: Agency | None,
    *,
    kind: str,
    reason: str,
    at: dt.datetime,
) -> None:
    """Fill in the item's template and publish it; an edition without templates tells nothing."""
    template = next((entry for entry in item.message_templates if entry.kind == kind), None)
    if template is None or agency is None:
        return
    text = template.body.format(
        agency=agency.name,
        name=mask_name(case.subject_name),
        date=f"{case.submitted_on:%Y年%m月%d日}",
        item=case.item_name,
        reason=reason.rstrip("。"),
        telephone=agency.telephone,
    )
    fact = message_sent(
        case_no=case.case_no,
        region_code=case.region_code,
        subject_key=case.subject_key,
        kind=kind,
        text=text,
        at=at,
    )
    await publish(
        session,
        fact,
        key=fact_key(case.region_code, case.subject_key),
        region_code=case.region_code,
        subject=case.case_no,
        at=at,
    )
