"""What a case lacks, the one-time notice that says so, and what the applicant hands in later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casebook.contents import HandedIn
from libs.caseflow.applications import ONLINE_CHANNELS, Application, Supplement
from libs.caseflow.business import Particulars
from libs.caseflow.desk import CaseDesk
from libs.caseflow.stages import Stage
from libs.casework.completeness import Submitted, ask_again, check
from libs.casework.lifecycle import Action
from libs.catalogue.lookup import ItemInForce
from libs.catalogue.situation import Situation
from libs.refusals.faults import Fault, invalid

# What a sign-in proves: 医保电子凭证 is one of the ways to show who one is (hubei-2022 L2673).
_PROVEN_BY_SIGN_IN = frozenset({"identity-proof", "identity-document"})
_POINTERS = {
    "name": "/applicant/name",
    "credential": "/applicant/credential_no",
    "telephone": "/applicant/telephone",
}


async def particulars_of(desk: CaseDesk, application: Application[Any]) -> Particulars:
    """What the form says, and what the service's records add where it says nothing."""
    business = desk.flow.business_of(application)
    told, known = business.particulars_at(desk, application), await business.on_record(desk, application)
    said = {key: value for key, value in told.fields.items() if value not in (None, "")}
    return Particulars(
        person_kinds=told.person_kinds | known.person_kinds,
        case_kinds=told.case_kinds | known.case_kinds,
        fields={**known.fields, **said},
        pointers={**known.pointers, **told.pointers},
    )


def situation_of(application: Application[Any], particulars: Particulars) -> Situation:
    """What the item's conditions are held against."""
    kinds = particulars.person_kinds | ({"agent"} if application.agent else set())
    return Situation(
        channel=application.channel, person_kind=frozenset(kinds), case_kind=particulars.case_kinds
    )


def missing(
    item: ItemInForce,
    application: Application[Any],
    particulars: Particulars,
    materials: Sequence[HandedIn],
    *,
    signed_in: bool,
    obtained: frozenset[str] = frozenset(),
) -> list[Fault]:
    """Fields and materials the item asks for and the application lacks.

    ``signed_in``: the applicant applied by a sign-in of their own. ``obtained``: materials whose facts
    the office has itself; only those the item spares by data sharing count.
    """
    applicant = application.applicant
    fields = {
        "name": applicant.name,
        "credential": applicant.credential_no,
        "telephone": applicant.telephone,
        **particulars.fields,
    }
    submitted = [Submitted(material.key, material.source == "commitment") for material in materials]
    submitted += [Submitted(key) for key in _without_paper(item, application, signed_in=signed_in)]
    submitted += [Submitted(m.key) for m in item.item.materials if m.data_sharing and m.key in obtained]
    pointers = {**_POINTERS, **particulars.pointers}
    situation = situation_of(application, particulars)
    return list(check(item.edition.id, item.item, situation, fields, submitted, pointers).faults)


def _without_paper(item: ItemInForce, application: Application[Any], *, signed_in: bool) -> set[str]:
    """Materials that are there without a paper: forms filled in on a screen, identity by sign-in."""
    if application.channel not in ONLINE_CHANNELS:
        return set()
    keys = {material.key for material in item.item.materials}
    forms = {key for key in keys if key.endswith("-form")}
    return forms | (keys & _PROVEN_BY_SIGN_IN if signed_in else set())


async def all_faults(desk: CaseDesk, case: Case) -> list[Fault]:
    """What the case lacks with all that was handed in so far, and every rule against it."""
    application = desk.flow.application_of(case)
    handed_in = await contents.materials_of(desk.session, case)
    signed_in = case.entered_by == case.subject_key
    business = desk.flow.business_of(application)
    particulars = await particulars_of(desk, application)
    obtained = await business.obtained(desk, application)
    item = desk.flow.item_of(case)
    faults = missing(item, application, particulars, handed_in, signed_in=signed_in, obtained=obtained)
    return faults + await business.faults(desk.judging(case), application)


async def request_supplement(desk: CaseDesk, case: Case, remarks: Sequence[str], reason: str | None) -> Case:
    """An officer's one-time notice: what the system finds and what the officer saw, together."""
    faults = await all_faults(desk, case)
    faults += [Fault("officer_remark", remark) for remark in remarks]
    if not faults:
        message = "材料和信息齐全，没有需要补正的内容；如有问题请写明（remarks）。"
        raise invalid("nothing_to_supplement", message, [Fault("nothing_to_supplement", message, "/remarks")])
    earlier = await contents.noticed_items(desk.session, case)
    supervisor = desk.actor.subject if "supervisor" in desk.roles else None
    repeated = ask_again(earlier, faults, supervisor, reason)
    return await notice(desk, case, faults, repeated=repeated, reason=reason)


async def notice(
    desk: CaseDesk, case: Case, faults: list[Fault], *, repeated: bool = False, reason: str | None = None
) -> Case:
    """Give the notice: it is kept on its own, the clock stands still, the applicant is to supplement."""
    await contents.add_notice(
        desk.session, case, faults, desk.actor, desk.now, repeated=repeated, reason=reason
    )
    return await desk.step(
        case,
        Action.REQUEST_SUPPLEMENT,
        Stage.CHECKING,
        name="再次告知补正" if repeated else None,
        reason=reason,
        notice=faults,
        clock=case.clock.pause(desk.today) if case.clock else None,
    )


async def take_up(desk: CaseDesk, case: Case, body: Supplement[Any]) -> tuple[Case, list[Fault]]:
    """Take up what is handed in later; with it, what is still missing (and stays noticed)."""
    await contents.add_materials(desk.session, case, [m.handed_in() for m in body.materials], desk.now)
    clock = case.clock.resume(desk.today) if case.clock else None
    application = _supplemented(dict(case.application), body)
    case = await desk.step(case, Action.SUPPLEMENT, Stage.CHECKING, clock=clock, application=application)
    faults = await all_faults(desk, case)
    if not faults:
        return case, []
    # Not a second notice: what the first one named is still open.
    paused = case.clock.pause(desk.today) if case.clock else None
    case = await desk.step(
        case, Action.REQUEST_SUPPLEMENT, Stage.CHECKING, name="补正不全", notice=faults, clock=paused
    )
    return case, faults


def _supplemented(application: dict[str, Any], body: Supplement[Any]) -> dict[str, Any]:
    if body.telephone is not None:
        application["applicant"] = {**application["applicant"], "telephone": body.telephone}
    if body.payload is not None:
        if body.payload.kind != application["payload"]["kind"]:
            message = "补正不能改变所办业务，请撤回后重新申请。"
            raise invalid("other_business", message, [Fault("other_business", message, "/payload/kind")])
        application["payload"] = body.payload.model_dump(mode="json")
    return application
