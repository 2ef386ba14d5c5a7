"""受理, 审核 and the approvals after it, 不予受理, 审核不通过, 撤回, 办结.

Low risk: one officer. Where the risk is higher, or the business says a person must judge, maker and
checker are different people; payment needs finance and chief (domain.md §2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.casebook.cases import Case
from libs.caseflow import supplementing, telling
from libs.caseflow.applications import Application
from libs.caseflow.desk import CaseDesk
from libs.caseflow.stages import STAGE_NAMES, Stage, next_stage
from libs.casework.actors import require_different_person
from libs.casework.deadlines import CaseClock, TimeAllowed, allowed_by
from libs.casework.lifecycle import ENDED, Action
from libs.refusals.faults import Fault, conflict, invalid
from libs.webapp.callers import Role

_TWO_PEOPLE = frozenset({"higher", "high"})
_WORK = frozenset({Action.SUBMIT, Action.SUPPLEMENT, Action.ACCEPT, Action.APPROVE, Action.ADVANCE})


async def allowed_time(desk: CaseDesk, case: Case, application: Application[Any]) -> TimeAllowed:
    """The item's limit for this application, by the edition it was applied for under."""
    item = desk.flow.item_of(case)
    particulars = await supplementing.particulars_of(desk, application)
    allowed = allowed_by(item.item, supplementing.situation_of(application, particulars))
    assert allowed is not None, f"{item.edition.id} {item.item.key} has no total limit"
    return allowed


async def accept(desk: CaseDesk, case: Case) -> Case:
    """受理: nothing is missing and no rule is against it. Raises Refusal (conflict) with every reason."""
    faults = await supplementing.all_faults(desk, case)
    if faults:
        raise conflict("not_acceptable", "暂不能受理，原因如下；请一次性告知补正，或不予受理。", faults)
    return await start(desk, case)


async def start(desk: CaseDesk, case: Case) -> Case:
    """The accepted case begins: clock, and the first of its stages."""
    application = desk.flow.application_of(case)
    business = desk.flow.business_of(application)
    clock = case.clock or CaseClock.start(await allowed_time(desk, case, application), desk.today)
    first = business.steps(application)[0]
    case = await desk.step(case, Action.ACCEPT, first, clock=clock)
    await business.reached(desk, case, application, first)
    return case


async def approve(desk: CaseDesk, case: Case) -> Case:
    """审核通过. Raises Refusal: forbidden to whoever entered it where two people are needed."""
    _require_stage(case, Stage.REVIEW)
    if await _needs_two_people(desk, case):
        desk.require_role(Role.REVIEWER)
        await _require_different_person(desk, case)
    return await _decide(desk, case, Action.APPROVE)


async def finance_check(desk: CaseDesk, case: Case) -> Case:
    """财务复核通过."""
    return await _advance(desk, case, Stage.FINANCE_CHECK)


async def chief_approve(desk: CaseDesk, case: Case) -> Case:
    """负责人审批通过."""
    return await _advance(desk, case, Stage.CHIEF_APPROVAL)


async def _advance(desk: CaseDesk, case: Case, stage: Stage) -> Case:
    _require_stage(case, stage)
    await _require_different_person(desk, case)
    return await _decide(desk, case, Action.ADVANCE)


async def _decide(desk: CaseDesk, case: Case, action: Action) -> Case:
    application = desk.flow.application_of(case)
    faults = await desk.flow.business_of(application).faults(desk.judging(case), application)
    if faults:
        raise conflict("not_approvable", "情况已变化，不能通过，原因如下；请审核不通过或待情况消除。", faults)
    return await pass_on(desk, case, action)


async def pass_on(desk: CaseDesk, case: Case, action: Action) -> Case:
    """The stage the case stands in is passed: on to the next, and after the last one it is carried out."""
    application = desk.flow.application_of(case)
    business = desk.flow.business_of(application)
    passed = Stage(case.stage)
    following = next_stage(business.steps(application), passed)
    name = None if action is Action.APPROVE else f"{STAGE_NAMES[passed]}通过"
    case = await desk.step(case, action, following if following is not Stage.ENDED else passed, name=name)
    if following is Stage.ENDED:
        return await complete(desk, case)
    await business.reached(desk, case, application, following)
    return case


async def complete(desk: CaseDesk, case: Case) -> Case:
    """办结: it is carried out, in this transaction, and the applicant is told."""
    application = desk.flow.application_of(case)
    details = await desk.flow.business_of(application).carry_out(desk, case, application)
    case = await desk.step(case, Action.COMPLETE, Stage.ENDED, details=details)
    await telling.notify_applicant(desk, case, "completed")
    return case


async def refuse(desk: CaseDesk, case: Case, reasons: Sequence[str]) -> Case:
    """不予受理 with all reasons: the system's and the officer's. Raises Refusal where there is none."""
    faults = await supplementing.all_faults(desk, case)
    faults += [Fault("officer_reason", reason) for reason in reasons]
    if not faults:
        message = "符合受理条件且未写明理由，不能不予受理；请写明理由（reasons）。"
        raise invalid("no_reason", message, [Fault("no_reason", message, "/reasons")])
    case = await desk.step(case, Action.REFUSE, Stage.ENDED, reason=_joined(faults), notice=faults)
    await _undo_preparations(desk, case)
    await telling.notify_applicant(desk, case, "not_completed", reason=_joined(faults))
    return case


async def reject(desk: CaseDesk, case: Case, reasons: Sequence[str]) -> Case:
    """审核不通过 with all reasons, at any stage after acceptance but payment."""
    if case.stage == Stage.PAYMENT:
        raise conflict("in_payment", "已进入拨付，不能审核不通过；请先在拨付环节退回。")
    faults = [Fault("officer_reason", reason) for reason in reasons]
    case = await desk.step(case, Action.REJECT, Stage.ENDED, reason=_joined(faults), notice=faults)
    await _undo_preparations(desk, case)
    await telling.notify_applicant(desk, case, "not_completed", reason=_joined(faults))
    return case


async def withdraw(desk: CaseDesk, case: Case, reason: str) -> Case:
    """撤回, as long as no money is on its way."""
    if case.stage == Stage.PAYMENT:
        raise conflict("in_payment", "已进入拨付，不能撤回。")
    case = await desk.step(case, Action.WITHDRAW, Stage.ENDED, reason=reason)
    await _undo_preparations(desk, case)
    return case


async def _undo_preparations(desk: CaseDesk, case: Case) -> None:
    """A case that was ever accepted may have prepared something, even if it went back to supplementing."""
    lines = await desk.flow.casebook.record(desk.session, case)
    if any(line.action == Action.ACCEPT for line in lines):
        application = desk.flow.application_of(case)
        await desk.flow.business_of(application).ended_without(desk, case, application)


def is_risky(desk: CaseDesk, case: Case) -> bool:
    """Whether the item's risk level asks for maker and checker."""
    item = desk.flow.item_of(case).item
    return (item.risk_level or desk.flow.unstated_risks.get(case.operation, "low")) in _TWO_PEOPLE


async def _needs_two_people(desk: CaseDesk, case: Case) -> bool:
    application = desk.flow.application_of(case)
    doubts = await desk.flow.business_of(application).reasons_for_review(desk, application)
    return bool(doubts) or is_risky(desk, case)


async def _require_different_person(desk: CaseDesk, case: Case) -> None:
    lines = await desk.flow.casebook.record(desk.session, case)
    earlier = {line.actor_subject: line.details["name"] for line in lines if Action(line.action) in _WORK}
    require_different_person(desk.actor, earlier)


def _require_stage(case: Case, stage: Stage) -> None:
    if case.status in ENDED or case.stage != stage:
        present = STAGE_NAMES[Stage(case.stage)]
        raise conflict("stage", f"办件当前环节为“{present}”，不能办理“{STAGE_NAMES[stage]}”。")


def _joined(faults: Sequence[Fault]) -> str:
    return "；".join(fault.message.rstrip("。") for fault in faults) + "。"
