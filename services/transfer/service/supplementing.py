"""一次性告知 and 补正: everything missing at once; a second notice needs a supervisor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.casebook import contents
from libs.casebook.cases import Case
from libs.casebook.contents import HandedIn
from libs.casework.completeness import Submitted, ask_again, check
from libs.casework.lifecycle import Action
from libs.catalogue.lookup import ItemInForce, scope_between
from libs.catalogue.situation import Situation
from libs.identifiers.credentials import CREDENTIAL_NAMES
from libs.refusals.faults import Fault, invalid
from services.transfer.domain.stages import Stage, require_stage
from services.transfer.models import Move
from services.transfer.schemas import SupplementAction
from services.transfer.service.desk import Desk


async def supplement(desk: Desk, case: Case, move: Move, body: SupplementAction) -> Case:
    """Take up what the applicant hands in later; what is still missing stays noticed."""
    application = _supplemented(dict(case.application), body)
    await contents.add_materials(desk.session, case, [m.handed_in() for m in body.materials], desk.now)
    clock = case.clock.resume(desk.today) if case.clock else None
    case = await desk.step(
        case, move, Action.SUPPLEMENT, Stage.CHECKING, clock=clock, application=application
    )
    faults = await still_missing(desk, case)
    if not faults:
        return case
    # Not a second notice: what the first one named is still open.
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
    """An officer's one-time notice: what the system finds and what the officer saw, together.

    Only until the other city has been told; from then on the agencies settle it between them.
    """
    require_stage(case.stage, Stage.CHECKING, Stage.CONTACT_LETTER)
    faults = await still_missing(desk, case)
    faults += [Fault("officer_remark", remark) for remark in remarks]
    if not faults:
        raise invalid("nothing_to_supplement", "材料和信息齐全，没有需要补正的内容；如有问题请写明。")
    earlier = await contents.noticed_items(desk.session, case)
    repeated = ask_again(earlier, faults, desk.actor.subject if supervisor else None, reason)
    return await notice(desk, case, move, faults, repeated=repeated, reason=reason)


async def notice(
    desk: Desk,
    case: Case,
    move: Move,
    faults: list[Fault],
    *,
    repeated: bool = False,
    reason: str | None = None,
) -> Case:
    """Give the notice: it is kept on its own, the clock stands still, the applicant is to supplement."""
    await contents.add_notice(
        desk.session, case, faults, desk.actor, desk.now, repeated=repeated, reason=reason
    )
    return await desk.step(
        case,
        move,
        Action.REQUEST_SUPPLEMENT,
        Stage.CHECKING,
        name="再次告知补正" if repeated else None,
        reason=reason,
        notice=faults,
        clock=case.clock.pause(desk.today) if case.clock else None,
    )


async def still_missing(desk: Desk, case: Case) -> list[Fault]:
    """What the case lacks with all that was handed in so far."""
    handed_in = await contents.materials_of(desk.session, case)
    return missing(desk, desk.office.item_of(case), dict(case.application), handed_in)


def missing(
    desk: Desk, item: ItemInForce, application: dict[str, Any], materials: Sequence[HandedIn]
) -> list[Fault]:
    """Fields and materials the item asks for and the application lacks."""
    payload = application["payload"]
    kinds = {"employee" if payload["insurance_kind"] == "310" else "resident"}
    kinds |= {"agent"} if application["agent"] else set()
    situation = Situation(
        scope=scope_between(payload["from_region_code"], payload["to_region_code"]),
        channel=application["channel"],
        person_kind=frozenset(kinds),
    )
    fields = _required_fields(desk, application)
    submitted = [Submitted(material.key, material.source == "commitment") for material in materials]
    return list(check(item.edition.id, item.item, situation, fields, submitted, _POINTERS).faults)


# Where in the application the catalogues' required fields stand (hubei-2022 第十一项，受理信息必填项).
_POINTERS = {
    "name": "/applicant/name",
    "credential": "/applicant/credential_no",
    "telephone": "/applicant/telephone",
    "insurance-type": "/payload/insurance_kind",
    "transfer-out-agency-address": "/payload/from_agency/address",
    "transfer-out-agency-postcode": "/payload/from_agency/postcode",
    "transfer-out-region-code": "/payload/from_region_code",
    "transfer-in-agency-address": "/payload/to_agency/address",
    "transfer-in-agency-postcode": "/payload/to_agency/postcode",
    "transfer-in-region-code": "/payload/to_region_code",
}


def _required_fields(desk: Desk, application: dict[str, Any]) -> dict[str, object]:
    """Their values: the applicant's, or for an agency's address what the directory says."""
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
    payload |= {name: given[name] for name in ("certificate_no",) if name in given}
    for name in ("from_agency", "to_agency"):
        payload[name] = {**payload[name], **given.get(name, {})}
    applicant = {**application["applicant"]}
    applicant |= {"telephone": given["telephone"]} if "telephone" in given else {}
    return {**application, "payload": payload, "applicant": applicant}
