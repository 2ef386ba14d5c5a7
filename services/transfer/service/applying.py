"""申请: a case is opened at either end, and what it lacks is noticed at once."""

from __future__ import annotations

import uuid_utils.compat as uuid7

from libs.casebook import contents
from libs.casebook.cases import Case, NewCase
from libs.catalogue.lookup import ItemInForce
from libs.refusals.faults import Fault, invalid
from services.transfer import repository
from services.transfer.domain.regimes import accepting_sides, regime_for
from services.transfer.domain.stages import Regime, Side, Stage
from services.transfer.models import Move
from services.transfer.schemas import ApplicationBody
from services.transfer.service import supplementing
from services.transfer.service.desk import Desk


async def submit(desk: Desk, body: ApplicationBody) -> Case:
    """Open a case at either end; what is missing is noticed at once, all of it.

    Raises Refusal listing everything that makes an application here impossible.
    """
    side = _side(body)
    item = desk.office.catalogues.item(body.region_code, body.item_key, desk.today)
    regime = regime_for(
        desk.office.catalogues, body.payload.from_region_code, body.payload.to_region_code, desk.today
    )
    _require_possible(desk, body, side, item, regime)
    case = await desk.office.casebook.open(
        desk.session, _new_case(desk, body, side, item), desk.actor, desk.now
    )
    move = await _open_move(desk, case, side, regime, body)
    await contents.add_materials(desk.session, case, [m.handed_in() for m in body.materials], desk.now)
    faults = supplementing.missing(
        desk, item, dict(case.application), [m.handed_in() for m in body.materials]
    )
    return await supplementing.notice(desk, case, move, faults) if faults else case


def _new_case(desk: Desk, body: ApplicationBody, side: Side, item: ItemInForce) -> NewCase:
    payload = body.payload
    return NewCase(
        region_code=body.region_code,
        counterpart_region_code=payload.from_region_code if side is Side.IN else payload.to_region_code,
        operation=item.item.operations[0],
        item_key=item.item.key,
        item_name=item.item.name.text,
        edition_id=item.edition.id,
        channel=body.channel,
        subject_key=desk.office.protector.blind_index(body.applicant.credential.canonical),
        subject_name=body.applicant.name,
        application=body.model_dump(mode="json"),
        stage=Stage.CHECKING.value,
    )


async def _open_move(desk: Desk, case: Case, side: Side, regime: Regime, body: ApplicationBody) -> Move:
    move = new_move(
        desk,
        case,
        conversation=str(uuid7.uuid7()),
        side=side,
        regime=regime,
        insurance_kind=body.payload.insurance_kind,
    )
    move.makers = {desk.actor.subject: "录入"} if desk.actor.kind == "officer" else {}
    await repository.add_move(desk.session, move)
    return move


def new_move(
    desk: Desk, case: Case, *, conversation: str, side: Side, regime: Regime, insurance_kind: str
) -> Move:
    """A move at its beginning, not stored yet."""
    assert case.counterpart_region_code is not None, "a move has two ends"
    return Move(
        case_id=case.id,
        region_code=case.region_code,
        counterpart_region_code=case.counterpart_region_code,
        conversation=conversation,
        conversation_opened=False,
        side=side.value,
        regime=regime.value,
        person_key=case.subject_key,
        insurance_kind=insurance_kind,
        is_open=True,
        revived=False,
        stage_since=desk.today,
        limit_since=desk.today,
        stage_due_provisional=False,
        makers={},
        periods=[],
        inquiries=0,
    )


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
        faults.append(Fault("side", message, "/region_code", f"{item.edition.id} 第{item.item.number}项"))
    if body.region_code not in desk.office.signers:
        message = f"行政区划{body.region_code}的经办机构不在本系统办理业务。"
        faults.append(Fault("region_not_here", message, "/region_code"))
    for field in ("from_region_code", "to_region_code"):
        code = getattr(body.payload, field)
        if desk.office.agencies.find(code) is None:
            message = f"行政区划{code}的经办机构未接入转移接续交换，请核对代码或线下办理。"
            faults.append(Fault("agency_unknown", message, f"/payload/{field}"))
    if faults:
        raise invalid("application_impossible", f"申请有{len(faults)}处问题，未立案。", faults)
