"""What the documents themselves object to: wrong answers, amounts that differ, corrections of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from libs.exchange.bodies import Body, Completion, Correction
from libs.exchange.envelope import KIND_NAMES, Kind, Message
from libs.exchange.faults import Code, Fault
from libs.exchange.standing import Conversation, Reference
from libs.exchange.transitions import REASONS, RETURNED, State


def answer_faults(conversation: Conversation, message: Message, sending: bool) -> Iterator[Fault]:
    wanted = _answerable(conversation, Kind(message.kind), sending)
    if wanted is not None and message.answers_digest not in wanted:
        names = "或".join(digest or "空" for digest in sorted(wanted, key=str)) or "空"
        yield _fault("answers_digest", f"所答消息的摘要应为{names}，实际是{message.answers_digest or '空'}")


def _answerable(conversation: Conversation, kind: Kind, sending: bool) -> set[str | None] | None:
    """Digests a message of this kind may answer; None: any."""
    if kind in (Kind.INFORMATION_SHEET, Kind.FUND_NOTICE):
        return digests(conversation.request)
    if kind is Kind.COMPLETION:
        return digests(conversation.sheet, conversation.funds)
    if kind is Kind.RETURN_FOR_CORRECTION:
        in_force = digests(conversation.sheet, conversation.funds)
        return in_force or digests(conversation.request)
    if kind is Kind.CORRECTION:
        unasked = not sending or conversation.state not in RETURNED
        return digests(conversation.returned) | ({None} if unasked else set())
    return None


def digests(*references: Reference | None) -> set[str | None]:
    return {reference.digest for reference in references if reference is not None}


def document_faults(
    before: Conversation, after: Conversation, message: Message, body: Body
) -> Iterator[Fault]:
    if isinstance(body, Correction):
        yield from _correction_faults(before, message, body)
    if after.funds is not None and after.sheet is None:
        yield _fault("kind", REASONS[State.NEW, Kind.FUND_NOTICE])
    elif after.funds and after.sheet and after.funds.amount_fen != after.sheet.amount_fen:
        said = f"划转金额{after.funds.amount_fen}分，应与信息表载明的{after.sheet.amount_fen}分一致"
        yield _fault("body.amount_fen", said, Code.AMOUNT_MISMATCH)
    if isinstance(body, Completion):
        paid = before.funds.amount_fen if before.funds else 0
        if body.credited_amount_fen != paid:
            said = f"计入金额（分）应与划转的{paid}分一致，实际是{body.credited_amount_fen}分"
            yield _fault("body.credited_amount_fen", said, Code.AMOUNT_MISMATCH)


def _correction_faults(before: Conversation, message: Message, body: Correction) -> Iterator[Fault]:
    parts = {
        Kind.TRANSFER_APPLICATION: body.transfer_application,
        Kind.CONTACT_LETTER: body.contact_letter,
        Kind.INFORMATION_SHEET: body.information_sheet,
        Kind.FUND_NOTICE: body.fund_notice,
    }
    replaced: set[UUID] = set()
    for kind in (kind for kind, part in parts.items() if part is not None):
        current = _correctable(before, message.from_region).get(kind)
        if current is None:
            yield _fault(f"body.{kind}", f"此时没有贵方可更正的《{KIND_NAMES[kind]}》，请去掉这一部分")
        else:
            replaced.add(current.message_id)
    if replaced and set(body.replaces) != replaced:
        wanted = "、".join(str(message_id) for message_id in sorted(replaced))
        yield _fault("body.replaces", f"被更正的消息应为现行的{wanted}")
    if request := body.contact_letter or body.transfer_application:
        sides = (request.transferring_out.region_code, request.transferring_in.region_code)
        if sides != (before.transferring_out, before.transferring_in):
            yield _fault("body", "更正不能改变转出地、转入地；请撤回后重新发起")


def _correctable(conversation: Conversation, region_code: str) -> dict[Kind, Reference]:
    """Documents in force that this region may correct in this state."""
    found: dict[Kind, Reference | None] = {}
    if region_code == conversation.requester and conversation.opened_as and conversation.sheet is None:
        found[conversation.opened_as] = conversation.request
    if region_code == conversation.transferring_out:
        found |= {Kind.INFORMATION_SHEET: conversation.sheet, Kind.FUND_NOTICE: conversation.funds}
    return {kind: reference for kind, reference in found.items() if reference is not None}


def _fault(field: str, message: str, code: Code = Code.TRANSITION_FORBIDDEN) -> Fault:
    return Fault(code=code, field=field, message=f"{message}（{field}）")
