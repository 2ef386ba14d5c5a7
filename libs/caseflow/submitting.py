"""申请: a case is opened, what it lacks is noticed at once, and what the system can decide it decides."""

from __future__ import annotations

from typing import Any

from libs.casebook import contents
from libs.casebook.cases import Case, NewCase
from libs.caseflow import deciding, supplementing
from libs.caseflow.applications import Application, Supplement
from libs.caseflow.business import Business
from libs.caseflow.desk import CaseDesk
from libs.caseflow.stages import Stage
from libs.casework.actors import SYSTEM
from libs.casework.deadlines import CaseClock
from libs.casework.lifecycle import Action
from libs.catalogue.lookup import ItemInForce
from libs.catalogue.schema import Unit
from libs.refusals.faults import Fault, forbidden, invalid

# What an edition calls a closing step that needs nobody's review.
DIRECTLY = "直接办理"


async def submit(desk: CaseDesk, application: Application[Any]) -> Case:
    """Open a case; notice all it lacks; decide it within this request where the system can.

    Raises Refusal: not found for an unknown item, invalid where the item is another business.
    """
    item = desk.flow.catalogues.item(application.region_code, application.item_key, desk.today)
    business = desk.flow.business_of(application)
    _require_possible(desk, application, business, item)
    _require_own_channel(desk, application)
    await business.require_rights(desk, application)
    case = await desk.flow.casebook.open(
        desk.session, _new_case(desk, application, business, item), desk.actor, desk.now
    )
    await contents.add_materials(desk.session, case, [m.handed_in() for m in application.materials], desk.now)
    faults = await supplementing.all_faults(desk, case)
    return await supplementing.notice(desk, case, faults) if faults else await _go_on(desk, case)


async def supplement(desk: CaseDesk, case: Case, body: Supplement[Any]) -> Case:
    """补正: take up what is handed in; once nothing is missing the case goes on as at submission."""
    if body.payload is not None:
        corrected = desk.flow.application_of(case).model_copy(update={"payload": body.payload})
        await desk.flow.business_of(corrected).require_rights(desk, corrected)
    case, faults = await supplementing.take_up(desk, case, body)
    return case if faults else await _go_on(desk, case)


async def _go_on(desk: CaseDesk, case: Case) -> Case:
    """即时办结 within this request where every check can be made by the system; else an officer's turn."""
    application = desk.flow.application_of(case)
    allowed = await deciding.allowed_time(desk, case, application)
    at_once = allowed.unit is Unit.IMMEDIATE or _closes_directly(desk, case)
    reasons = await _reasons_for_an_officer(desk, case, application, immediate=at_once)
    if not reasons:
        system = desk.acting_as(SYSTEM)
        case = await deciding.start(system, case)
        return await deciding.pass_on(system, case, Action.APPROVE)
    # An item that is immediate falls to an officer the same day: its clock runs from now.
    clock = CaseClock.start(allowed, desk.today) if allowed.unit is Unit.IMMEDIATE else None
    reason = "；".join(reasons)
    return await desk.acting_as(SYSTEM).step(
        case, Action.NOTE, Stage.CHECKING, name="转工作人员办理", reason=reason, clock=case.clock or clock
    )


def _closes_directly(desk: CaseDesk, case: Case) -> bool:
    """Whether the item's steps for this channel let the agency close on another office's data (直接办理).

    Only data that a system sent stand for themselves (hubei-2022 L219-225): a case of the same
    channel that a person supplements is an officer's.
    """
    if desk.actor.kind != "system":
        return False
    steps = [step for step in desk.flow.item_of(case).item.steps if step.channel == case.channel]
    names = {step.name for step in steps if step.key == "close"}
    return DIRECTLY in names and all(step.key != "review" for step in steps)


async def _reasons_for_an_officer(
    desk: CaseDesk, case: Case, application: Application[Any], *, immediate: bool
) -> list[str]:
    reasons = [] if immediate else ["承诺件，由工作人员受理、审核"]
    if deciding.is_risky(desk, case):
        reasons.append("风险级别较高，由工作人员受理、审核")
    handed_in = await contents.materials_of(desk.session, case)
    if desk.actor.kind == "citizen" and any(material.source == "original" for material in handed_in):
        reasons.append("上传的材料须由工作人员核对")
    return reasons + await desk.flow.business_of(application).reasons_for_review(desk, application)


def _new_case(
    desk: CaseDesk, application: Application[Any], business: Business[Any], item: ItemInForce
) -> NewCase:
    return NewCase(
        region_code=application.region_code,
        operation=business.operation,
        item_key=item.item.key,
        item_name=item.item.name.text,
        edition_id=item.edition.id,
        channel=application.channel,
        subject_key=desk.flow.protector.blind_index(application.applicant.credential.canonical),
        subject_name=application.applicant.name,
        application=application.model_dump(mode="json"),
        stage=Stage.CHECKING.value,
    )


def _require_own_channel(desk: CaseDesk, application: Application[Any]) -> None:
    """联办登记 is sent by the other department's system: nobody else's word closes a case at once."""
    if application.channel == "joint_registration" and desk.actor.kind != "system":
        message = "联办登记（joint_registration）渠道只供有授权的业务系统使用，请改用实际办理的渠道。"
        raise forbidden("channel", message, [Fault("channel", message, "/channel")])


def _require_possible(
    desk: CaseDesk, application: Application[Any], business: Business[Any], item: ItemInForce
) -> None:
    faults = []
    if business.operation not in item.item.operations:
        message = f"“{item.item.name.text}”不办理“{business.kind}”类业务，请核对服务事项和payload.kind。"
        faults.append(Fault("item", message, "/item_key"))
    if desk.flow.agencies.find(application.region_code) is None:
        message = f"行政区划{application.region_code}的经办机构不在本系统办理业务。"
        faults.append(Fault("region_not_here", message, "/region_code"))
    if faults:
        raise invalid("application_impossible", f"申请有{len(faults)}处问题，未立案。", faults)
