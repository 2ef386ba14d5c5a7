"""The other city's application or 联系函 opens our side, or goes back at once with every reason."""

from __future__ import annotations

from typing import Any

from libs.casebook.cases import Case, NewCase
from libs.casework.lifecycle import Action
from libs.exchange.bodies import ContactLetter, ReturnForCorrection, TransferApplication
from libs.exchange.envelope import Kind, Message
from libs.identifiers.credentials import Credential, CredentialType, clean, faults_of
from libs.refusals.faults import Fault, invalid
from libs.regions import names
from services.transfer import repository
from services.transfer.domain import eligibility
from services.transfer.domain.crossing import OwnMove, gives_way
from services.transfer.domain.stages import Regime, Side, Stage
from services.transfer.models import Move
from services.transfer.service import applying, deciding
from services.transfer.service.desk import Desk

# How a case that the other city's message opened came here; no applicant has this channel.
EXCHANGE_CHANNEL = "exchange"

_APPLICANT_FIELDS = ("name", "credential_type", "credential_no", "telephone")

Request = TransferApplication | ContactLetter


async def open_counterpart(desk: Desk, message: Message, body: Request) -> None:
    """Open our side; what stands against it goes back at once, all of it.

    Raises Refusal where the request cannot even be kept: unknown insurance, a wrong credential.
    """
    side = Side.OUT if body.transferring_out.region_code == message.to_region else Side.IN
    person_key = desk.office.protector.blind_index(_credential(body).canonical)
    await _make_way(desk, message, body, side, person_key)
    case, move = await _counterpart_case(desk, message, body, side, person_key)
    faults = await _obstacles(desk, case, move)
    if not faults:
        await deciding.start(desk, case, move)
        return
    await desk.step(case, move, Action.REFUSE, Stage.ENDED, reason=deciding.joined(faults), notice=faults)
    returned = ReturnForCorrection(reason="不符合办理条件", faults=tuple(fault.message for fault in faults))
    await desk.tell(case, move, Kind.RETURN_FOR_CORRECTION, returned, answers=message.digest())


async def _make_way(desk: Desk, message: Message, body: Request, side: Side, person_key: str) -> None:
    """Both ends applied: our application ends here if it is the one to give way (domain/crossing.py).

    Before anything of the new case is written: a case is locked before its person's facts are.
    """
    found = await repository.open_move(desk.session, message.to_region, person_key, body.insurance.value)
    if found is None:
        return
    case, own = await desk.open_by_id(found.case_id)
    standing = OwnMove(
        side=Side(own.side),
        stage=Stage(case.stage),
        counterpart_region_code=own.counterpart_region_code,
        conversation=own.conversation,
        theirs=case.channel == EXCHANGE_CHANNEL,
        told=own.conversation_opened,
        money_moved=own.money_moved,
    )
    if gives_way(standing, side, message.from_region, message.conversation):
        other = names.name_of(message.from_region)
        reason = f"{other}已受理同一人员的同一转移接续，本件并入对方的申请办理。"
        await deciding.end_by_withdrawal(desk, case, own, reason, name="并入对方的申请")


async def _obstacles(desk: Desk, case: Case, move: Move) -> list[Fault]:
    """What stands against our side: another open move of the person, and the rules."""
    own = await repository.open_move(desk.session, move.region_code, move.person_key, move.insurance_kind)
    move.is_open = own is None
    await repository.add_move(desk.session, move)
    message = "该人员在本地区已有一件同险种的转移接续正在办理。"
    already = [Fault("move_already_open", message, "/applicant")] if own is not None else []
    return already + await deciding.reasons_against(desk, case, move)


def _credential(body: Request) -> Credential:
    """The person's credential. Raises Refusal (invalid) with everything wrong with person and insurance."""
    faults: list[Fault] = []
    if body.insurance.value not in eligibility.INSURANCE_NAMES:
        kinds = "、".join(f"{code}{name}" for code, name in eligibility.INSURANCE_NAMES.items())
        faults.append(Fault("insurance", f"本地只办理以下险种的转移接续：{kinds}。", "body.insurance"))
    known = {kind.value for kind in CredentialType}
    if body.person.credential_type not in known:
        message = f"证件类型应为{'、'.join(sorted(known))}之一。"
        faults.append(Fault("credential_type", message, "body.person.credential_type"))
    else:
        kind = CredentialType(body.person.credential_type)
        faults += faults_of(kind, body.person.credential_no, "body.person.credential_no")
    if faults:
        raise invalid("request", "申请无法立案。", faults)
    return Credential(CredentialType(body.person.credential_type), clean(body.person.credential_no))


async def _counterpart_case(
    desk: Desk, message: Message, body: Request, side: Side, person_key: str
) -> tuple[Case, Move]:
    item = desk.office.item(message.to_region, side, desk.today)
    new = NewCase(
        region_code=message.to_region,
        counterpart_region_code=message.from_region,
        operation=item.item.operations[0],
        item_key=item.item.key,
        item_name=item.item.name.text,
        edition_id=item.edition.id,
        channel=EXCHANGE_CHANNEL,
        subject_key=person_key,
        subject_name=body.person.name,
        application=_application_of(message, body),
        stage=Stage.CHECKING.value,
    )
    case = await desk.office.casebook.open(desk.session, new, desk.actor, desk.now)
    move = applying.new_move(
        desk,
        case,
        conversation=message.conversation,
        side=side,
        regime=Regime.LETTER if isinstance(body, ContactLetter) else Regime.PLATFORM,
        insurance_kind=body.insurance.value,
    )
    move.conversation_opened = True
    return case, move


def _application_of(message: Message, body: Request) -> dict[str, Any]:
    """The application as a case keeps it, from the other city's form."""
    person = body.person.model_dump(mode="json")
    origin, destination = body.transferring_out, body.transferring_in
    return {
        "region_code": message.to_region,
        "channel": EXCHANGE_CHANNEL,
        "applicant": {name: person[name] for name in _APPLICANT_FIELDS},
        "agent": None,
        "payload": {
            "kind": "transfer",
            "insurance_kind": body.insurance.value,
            "from_region_code": origin.region_code,
            "to_region_code": destination.region_code,
            "from_agency": {"address": origin.address, "postcode": origin.postcode},
            "to_agency": {"address": destination.address, "postcode": destination.postcode},
            "certificate_no": getattr(body, "certificate_no", None),
        },
        "materials": [],
        "received_as": {"message_id": str(message.id), "case_no": body.accepted_case_no},
    }
