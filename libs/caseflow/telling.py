"""Messages to the applicant, from the item's own template."""

from __future__ import annotations

from libs.casebook.cases import Case, fact_key, mask_name
from libs.caseflow.desk import CaseDesk
from libs.eventbus.outbox import publish


async def notify_applicant(desk: CaseDesk, case: Case, kind: str, reason: str = "") -> None:
    """Tell the applicant by the item's own template; an edition without templates tells nothing."""
    item = desk.flow.item_of(case).item
    template = next((entry for entry in item.message_templates if entry.kind == kind), None)
    agency = desk.flow.agencies.find(case.region_code)
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
    fact = desk.flow.message_sent(
        case_no=case.case_no,
        region_code=case.region_code,
        subject_key=case.subject_key,
        kind=kind,
        text=text,
        at=desk.now,
    )
    await publish(
        desk.session,
        fact,
        key=fact_key(case.region_code, case.subject_key),
        region_code=case.region_code,
        subject=case.case_no,
        at=desk.now,
    )
