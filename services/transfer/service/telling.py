"""What goes out: facts to other services, messages to the applicant, the first message to the other city."""

from __future__ import annotations

from typing import Any

from libs.casebook.cases import Case, fact_key, mask_name
from libs.contracts.transfer import TransferMessageSent, TransferOutAccepted
from libs.eventbus.outbox import publish
from libs.exchange.envelope import Kind
from services.transfer.models import Move
from services.transfer.service import forms
from services.transfer.service.desk import Desk


def fact_of(case: Case, move: Move) -> dict[str, Any]:
    """What all facts about one side of a move have in common."""
    return {
        "conversation": move.conversation,
        "case_no": case.case_no,
        "region_code": move.region_code,
        "counterpart_region_code": move.counterpart_region_code,
        "person_key": move.person_key,
        "insurance_kind": move.insurance_kind,
    }


async def ask_enrollment_to_prepare(desk: Desk, case: Case, move: Move) -> None:
    """Enrollment counts the months and puts the balance on hold."""
    await desk.publish(move, TransferOutAccepted(**fact_of(case, move)))


async def send_application(desk: Desk, case: Case, move: Move) -> None:
    """The platform regime's first message, from whichever end accepted the application."""
    body = await forms.application(desk, case, move)
    await desk.tell(case, move, Kind.TRANSFER_APPLICATION, body)


async def notify_applicant(desk: Desk, case: Case, kind: str, reason: str = "") -> None:
    """Tell the applicant by the item's own template; an edition without templates tells nothing."""
    item = desk.office.item_of(case).item
    template = next((entry for entry in item.message_templates if entry.kind == kind), None)
    agency = desk.office.agencies.find(case.region_code)
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
    fact = TransferMessageSent(
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
