"""From application to acceptance: submit, notice, supplement, accept, refuse, reject, withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import uuid_utils.compat as uuid7

from libs.casebook import contents
from libs.casebook.cases import Case, NewCase
from libs.casework.completeness import Submitted, ask_again, check
from libs.casework.lifecycle import Action
from libs.catalogue.lookup import ItemInForce, scope_between
from libs.catalogue.situation import Situation
from libs.contracts.transfer import TransferOutCancelled
from libs.exchange.bodies import Withdrawal
from libs.exchange.envelope import Kind
from libs.identifiers.credentials import CREDENTIAL_NAMES
from libs.refusals.faults import Fault, conflict, invalid
from services.transfer import repository
from services.transfer.domain import eligibility
from services.transfer.domain.regimes import accepting_sides, regime_for
from services.transfer.domain.stages import (
    MONEY_STILL_HERE,
    Regime,
    Side,
    Stage,
    first_stage_after_acceptance,
    require_stage,
)
from services.transfer.models import Move
from services.transfer.schemas import ApplicationBody, SupplementAction
from services.transfer.service import telling
from services.transfer.service.desk import Desk


async def submit(desk: Desk, body: ApplicationBody) -> Case:
    """Open a case at either end; what is missing is noticed at once, all of it.

    Raises Refusal listing everything that makes an application here impossible.
    """
    side = _side(body)
    counterpart = body.payload.from_region_code if side is Side.IN else body.payload.to_region_code
    item = desk.office.catalogues.item(body.region_code, body.item_key, desk.today)
    regime = regime_for(
        desk.office.catalogues, body.payload.from_region_code, body.payload.to_region_code, desk.today
    )
    _require_possible(desk, body, side, item, regime)
    desk.office.signer_of(body.region_code)
    credential = body.applicant.credential
    case = await desk.office.casebook.open(
        desk.session,
        NewCase(
            region_code=body.region_code,
            counterpart_region_code=counterpart,
            operation=item.item.operations[0],
            item_key=item.item.key,
            item_name=item.item.name.text,
            edition_id=item.edition.id,
            channel=body.channel,
            subject_key=desk.office.protector.blind_index(credential.canonical),
            subject_name=body.applicant.name,
            application=body.model_dump(mode="json"),
            stage=Stage.CHECKING.value,
        ),
        desk.actor,
        desk.now,
    )
    move = await _open_move(desk, case, side, regime, body)
    await contents.add_materials(desk.session, case, [m.handed_in() for m in body.materials], desk.now)
    faults = missing(desk, case, item, body.model_dump(mode="json"), _submitted(body.materials))
    return await _notice(desk, case, move, faults) if faults else case


async def supplement(desk: Desk, case: Case, move: Move, body: SupplementAction) -> Case:
    """Take up what the applicant hands in later; what is still missing stays noticed."""
    application = _supplemented(dict(case.application), body)
    await contents.add_materials(desk.session, case, [m.handed_in() for m in body.materials], desk.now)
    clock = case.clock.resume(desk.today) if case.clock else None
    case = await desk.step(
        case, move, Action.SUPPLEMENT, Stage.CHECKING, clock=clock, application=application
    )
    faults = await _still_missing(desk, case)
    if not faults:
        return case
    # Not a second notice: the same things the first one named are still open.
    return await desk.step(
        case,
        move,
        Action.REQUEST_SUPPLEMENT,
        Stage.CHECKING,
        name="补正不全",
        notice=faults,
        clock=case.clock.pause(desk.today) if case.clock else None,
    )


async def request_supplement(
    desk: Desk, case: Case, move: Move, remarks: Sequence[str], reason: str | None, *, supervisor: bool
) -> Case:
    """An officer's one-time notice: what the system finds and what the officer saw, together."""
    faults = await _still_missing(desk, case)
    faults += [Fault("officer_remark", remark, "/") for remark in remarks]
    if not faults:
        raise invalid("nothing_to_supplement", "材料和信息齐全，没有需要补正的内容；如有问题请写明。")
    earlier = await contents.noticed_items(desk.session, case)
    repeated = ask_again(earlier, faults, desk.actor.subject if supervisor else None, reason)
    return await _notice(desk, case, move, faults, repeated=repeated, reason=reason)


async def accept(desk: Desk, case: Case, move: Move) -> Case:
    """受理: complete and eligible as far as this end can see; the clock starts today.

    Raises Refusal (conflict) with every reason against it; the officer then refuses or asks.
    """
    faults = await _still_missing(desk, case) + await reasons_against(desk, case, move)
    if faults:
        raise conflict("not_acceptable", "暂不能受理，原因如下；请一次性告知补正，或不予受理。", faults)
    return await start(desk, case, move)


async def start(desk: Desk, case: Case, move: Move) -> Case:
    """The accepted case begins: clock, first stage, and in the platform regime the first message."""
    side, regime = Side(move.side), Regime(move.regime)
    item = desk.office.catalogues.item(case.region_code, case.item_key, case.submitted_at.date())
    clock = case.clock or desk.total_clock(item, move.region_code, move.counterpart_region_code)
    move.makers = {**move.makers, desk.actor.subject: "受理"}
    opened_here = not move.conversation_opened
    case = await desk.step(case, move, Action.ACCEPT, first_stage_after_acceptance(side, regime), clock=clock)
    if opened_here and regime is Regime.PLATFORM:
        await telling.send_application(desk, case, move)
    if side is Side.OUT:
        await telling.ask_enrollment_to_prepare(desk, case, move)
    return case


async def refuse(desk: Desk, case: Case, move: Move, reasons: Sequence[str]) -> Case:
    """不予受理 with all reasons: the system's and the officer's. Raises Refusal where there is none."""
    faults = await _still_missing(desk, case) + await reasons_against(desk, case, move)
    faults += [Fault("officer_reason", reason, "/") for reason in reasons]
    if not faults:
        raise invalid("no_reason", "符合受理条件且未写明理由，不能不予受理。")
    case = await desk.step(case, move, Action.REFUSE, Stage.ENDED, reason=_joined(faults), notice=faults)
    await telling.notify_applicant(desk, case, "not_completed", reason=_joined(faults))
    return case


async def withdraw(desk: Desk, case: Case, move: Move, reason: str) -> Case:
    """撤回, as long as no money has left; the other city is told if it knows of the move."""
    require_stage(case.stage, *sorted(MONEY_STILL_HERE))
    case = await desk.step(case, move, Action.WITHDRAW, Stage.ENDED, reason=reason)
    if move.conversation_opened:
        await desk.tell(case, move, Kind.WITHDRAWAL, Withdrawal(reason=reason))
    await cancel_preparation(desk, case, move, reason)
    return case


async def reject(desk: Desk, case: Case, move: Move, faults: Sequence[Fault]) -> Case:
    """审核不通过 with all reasons; the conversation ends."""
    require_stage(case.stage, *sorted(MONEY_STILL_HERE))
    reason = _joined(faults)
    case = await desk.step(case, move, Action.REJECT, Stage.ENDED, reason=reason, notice=list(faults))
    if move.conversation_opened:
        await desk.tell(case, move, Kind.WITHDRAWAL, Withdrawal(reason=reason[:1000]))
    await cancel_preparation(desk, case, move, reason)
    await telling.notify_applicant(desk, case, "not_completed", reason=reason)
    return case


async def cancel_preparation(desk: Desk, case: Case, move: Move, reason: str) -> None:
    """The transferring-out side lets enrollment end its hold; nothing to do at the other side."""
    if move.side == Side.OUT:
        await desk.publish(move, TransferOutCancelled(**telling.fact_of(case, move), reason=reason))


async def reasons_against(desk: Desk, case: Case, move: Move) -> list[Fault]:
    """All reasons this end knows against the move."""
    origin, destination = (
        (move.counterpart_region_code, move.region_code)
        if move.side == Side.IN
        else (move.region_code, move.counterpart_region_code)
    )
    standings = await repository.standings_of(desk.session, move.region_code, move.person_key)
    wish = eligibility.Wish(origin, destination, move.insurance_kind)
    return eligibility.faults_at(Side(move.side), wish, standings)


def missing(
    desk: Desk, case: Case, item: ItemInForce, application: dict[str, Any], materials: Sequence[Submitted]
) -> list[Fault]:
    """Fields and materials the item asks for and the application lacks."""
    kinds = {"employee" if application["payload"]["insurance_kind"] == "310" else "resident"}
    kinds |= {"agent"} if application["agent"] else set()
    situation = Situation(
        scope=scope_between(
            application["payload"]["from_region_code"], application["payload"]["to_region_code"]
        ),
        channel=application["channel"],
        person_kind=frozenset(kinds),
    )
    fields = _required_fields(desk, application)
    return list(check(item.edition.id, item.item, situation, fields, materials).faults)


async def _still_missing(desk: Desk, case: Case) -> list[Fault]:
    item = desk.office.catalogues.item(case.region_code, case.item_key, case.submitted_at.date())
    handed_in = await contents.materials_of(desk.session, case)
    materials = [Submitted(m.key, m.source == "commitment") for m in handed_in]
    return missing(desk, case, item, dict(case.application), materials)


async def _notice(
    desk: Desk,
    case: Case,
    move: Move,
    faults: list[Fault],
    *,
    repeated: bool = False,
    reason: str | None = None,
) -> Case:
    await contents.add_notice(
        desk.session, case, faults, desk.actor, desk.now, repeated=repeated, reason=reason
    )
    clock = case.clock.pause(desk.today) if case.clock else None
    return await desk.step(
        case,
        move,
        Action.REQUEST_SUPPLEMENT,
        Stage.CHECKING,
        name="再次告知补正" if repeated else None,
        reason=reason,
        notice=faults,
        clock=clock,
    )


async def _open_move(desk: Desk, case: Case, side: Side, regime: Regime, body: ApplicationBody) -> Move:
    assert case.counterpart_region_code is not None, "a move has two ends"
    move = Move(
        case_id=case.id,
        region_code=case.region_code,
        counterpart_region_code=case.counterpart_region_code,
        conversation=str(uuid7.uuid7()),
        conversation_opened=False,
        side=side.value,
        regime=regime.value,
        person_key=case.subject_key,
        insurance_kind=body.payload.insurance_kind,
        is_open=True,
        stage_since=desk.today,
        makers={desk.actor.subject: "录入"} if desk.actor.kind == "officer" else {},
        periods=[],
        inquiries=0,
    )
    await repository.add_move(desk.session, move)
    return move


def _side(body: ApplicationBody) -> Side:
    if body.region_code == body.payload.to_region_code:
        return Side.IN
    if body.region_code == body.payload.from_region_code:
        return Side.OUT
    message = "受理地区（region_code）应为转入地或转出地之一。"
    raise invalid("region", message, [Fault("region", message, "/region_code")])


def _require_possible(
    desk: Desk, body: ApplicationBody, side: Side, item: ItemInForce, regime: Regime
) -> None:
    """Everything that keeps this application from becoming a case at all, at once."""
    faults: list[Fault] = []
    expected = desk.office.item(body.region_code, side, desk.today)
    if item.item.key != expected.item.key:
        direction = "转入" if side is Side.IN else "转出"
        message = f"“{item.item.name.text}”不是本地办理{direction}的事项，应为{expected.item.key}。"
        faults.append(Fault("item", message, "/item_key"))
    if side not in accepting_sides(regime):
        message = "按联系函方式办理的转移接续由转入地经办机构受理，请到转入地申请。"
        faults.append(Fault("side", message, "/region_code", "shandong-2020 第11项，L538-540"))
    for pointer, code in (
        ("/payload/from_region_code", body.payload.from_region_code),
        ("/payload/to_region_code", body.payload.to_region_code),
    ):
        if desk.office.agencies.find(code) is None:
            message = f"行政区划{code}的经办机构未接入转移接续交换，请核对代码或线下办理。"
            faults.append(Fault("agency_unknown", message, pointer))
    if faults:
        raise invalid("application_impossible", f"申请有{len(faults)}处问题，未立案。", faults)


def _required_fields(desk: Desk, application: dict[str, Any]) -> dict[str, object]:
    """Values by the catalogues' required-field keys (hubei-2022 第十一项，受理信息必填项)."""
    applicant, payload = application["applicant"], application["payload"]
    origin = desk.office.agencies.find(payload["from_region_code"])
    destination = desk.office.agencies.find(payload["to_region_code"])
    return {
        "name": applicant["name"],
        "credential": CREDENTIAL_NAMES[applicant["credential_type"]] + applicant["credential_no"],
        "telephone": applicant["telephone"],
        "insurance-type": payload["insurance_kind"],
        "transfer-out-agency-address": payload["from_agency"]["address"] or (origin and origin.address),
        "transfer-out-agency-postcode": payload["from_agency"]["postcode"] or (origin and origin.postcode),
        "transfer-out-region-code": payload["from_region_code"],
        "transfer-in-agency-address": payload["to_agency"]["address"]
        or (destination and destination.address),
        "transfer-in-agency-postcode": payload["to_agency"]["postcode"]
        or (destination and destination.postcode),
        "transfer-in-region-code": payload["to_region_code"],
    }


def _supplemented(application: dict[str, Any], body: SupplementAction) -> dict[str, Any]:
    given = body.model_dump(mode="json", exclude_none=True)
    payload = {**application["payload"]}
    payload |= {name: given[name] for name in ("from_agency", "to_agency", "certificate_no") if name in given}
    applicant = {**application["applicant"]}
    applicant |= {"telephone": given["telephone"]} if "telephone" in given else {}
    return {**application, "payload": payload, "applicant": applicant}


def _submitted(materials: Sequence[Any]) -> list[Submitted]:
    return [Submitted(material.key, material.source == "commitment") for material in materials]


def _joined(faults: Sequence[Fault]) -> str:
    return "；".join(fault.message.rstrip("。") for fault in faults) + "。"
