"""What goes out: facts to other services, messages to the applicant, the first message to the other city."""

from __future__ import annotations

from typing import Any

from libs.casebook.cases import Case
from libs.caseflow.telling import send_message
from libs.contracts.transfer import TransferMessageSent, TransferOutAccepted
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
    """Tell the applicant by the item's own template."""
    office = desk.office
    item, agency = office.item_of(case).item, office.agencies.find(case.region_code)
    await send_message(
        desk.session, TransferMessageSent, case, item, agency, kind=kind, reason=reason, at=desk.now
    )
