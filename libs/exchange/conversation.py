"""Where a conversation stands, and what a message makes of it (the table is in ``transitions.py``)."""

from __future__ import annotations

from libs.exchange.bodies import (
    Body,
    ContactLetter,
    Correction,
    FundNotice,
    InformationSheet,
    TransferApplication,
)
from libs.exchange.envelope import KIND_NAMES, Kind, Message
from libs.exchange.faults import Code, ExchangeFault, Fault
from libs.exchange.objections import answer_faults, digests, document_faults
from libs.exchange.standing import Conversation, Reference
from libs.exchange.transitions import (
    OVERRIDES_WITHDRAWAL,
    REASONS,
    RETURNED,
    RULES,
    STATE_NAMES,
    Regime,
    Rule,
    State,
)


def apply(conversation: Conversation, message: Message, body: Body, *, sending: bool) -> Conversation:
    """The conversation after ``message``. Raises ExchangeFault with every reason if it is forbidden.

    ``sending`` is True at the side that writes the message, False where it arrives: only there late rules
    hold.
    """
    if not sending and conversation.withdrawn_from is not None and message.kind != Kind.WITHDRAWAL:
        return _crossing_withdrawal(conversation, message, body)
    if not sending and _is_stale_return(conversation, message):
        return conversation  # it returns a sheet that has been replaced in the meantime
    opened = _opened(conversation, message, body) if conversation.state is State.NEW else conversation
    after = _with_documents(opened, message, body)
    rule = next((rule for rule in RULES if _fits(rule, opened, after, message, sending)), None)
    if rule is None:
        raise ExchangeFault([_forbidden(opened, message)])
    faults = [*answer_faults(opened, message, sending), *document_faults(opened, after, message, body)]
    if faults:
        raise ExchangeFault(faults)
    update: dict[str, State | None] = {"state": rule.then or opened.state}
    if rule.then is State.WITHDRAWN:  # the other side's withdrawal leaves nothing under way
        update["withdrawn_from"] = opened.state if sending else None
    return after.model_copy(update=update)


def _crossing_withdrawal(conversation: Conversation, message: Message, body: Body) -> Conversation:
    """What was under way when this side withdrew."""
    without = conversation.model_copy(update={"state": conversation.withdrawn_from, "withdrawn_from": None})
    after = apply(without, message, body, sending=False)
    if after.state in OVERRIDES_WITHDRAWAL:
        return after
    return after.model_copy(update={"state": State.WITHDRAWN, "withdrawn_from": after.state})


def permitted(conversation: Conversation, region_code: str) -> list[Kind]:
    """What this region may send now."""
    if conversation.state is State.NEW:
        return [Kind.CONTACT_LETTER, Kind.TRANSFER_APPLICATION]
    return list(
        dict.fromkeys(
            rule.kind
            for rule in RULES
            if not rule.late
            and conversation.state in rule.states
            and conversation.is_sender(region_code, rule.by)
        )
    )


def default_answer(conversation: Conversation, kind: Kind) -> str | None:
    """Digest of the message that a message of this kind answers, as things stand."""
    answered: Reference | None = None
    if kind in (Kind.INFORMATION_SHEET, Kind.FUND_NOTICE):
        answered = conversation.request
    elif kind is Kind.COMPLETION:
        answered = conversation.sheet
    elif kind is Kind.RETURN_FOR_CORRECTION:
        answered = conversation.sheet or conversation.request
    elif kind is Kind.CORRECTION and conversation.state in RETURNED:
        answered = conversation.returned
    return answered.digest if answered else None


def _fits(rule: Rule, opened: Conversation, after: Conversation, message: Message, sending: bool) -> bool:
    return (
        rule.kind == message.kind
        and opened.state in rule.states
        and opened.is_sender(message.from_region, rule.by)
        and (rule.regime is None or rule.regime is opened.regime)
        and (rule.money is None or rule.money is bool(after.sheet and after.sheet.amount_fen))
        and not (rule.late and sending)
    )


def _is_stale_return(conversation: Conversation, message: Message) -> bool:
    return (
        message.kind == Kind.RETURN_FOR_CORRECTION
        and conversation.sheet is not None
        and not conversation.over
        and message.from_region == conversation.transferring_in
        and message.answers_digest not in digests(conversation.sheet, conversation.funds)
    )


def _opened(conversation: Conversation, message: Message, body: Body) -> Conversation:
    """A new conversation with its two parts assigned; unchanged if ``body`` cannot open one."""
    if not isinstance(body, ContactLetter | TransferApplication):
        return conversation
    outgoing, incoming = body.transferring_out.region_code, body.transferring_in.region_code
    regions = {message.from_region, message.to_region}
    faults = [
        _fault(
            f"body.{name}.region_code",
            f"应为发送、接收地区（{message.from_region}、{message.to_region}）之一，且两地不同；实际是{code}",
        )
        for name, code in (("transferring_out", outgoing), ("transferring_in", incoming))
        if code not in regions or outgoing == incoming
    ]
    if isinstance(body, TransferApplication) and body.regime != Regime.PLATFORM.value:
        faults.append(_fault("body.regime", "以转移接续申请发起的应为 platform；联系函方式请直接发联系函"))
    if faults:
        raise ExchangeFault(faults)
    letter = isinstance(body, ContactLetter)
    return Conversation(
        regime=Regime.LETTER if letter else Regime.PLATFORM,
        opened_as=Kind.CONTACT_LETTER if letter else Kind.TRANSFER_APPLICATION,
        requester=message.from_region,
        transferring_out=outgoing,
        transferring_in=incoming,
    )


def _with_documents(conversation: Conversation, message: Message, body: Body) -> Conversation:
    def reference(amount_fen: int = 0) -> Reference:
        return Reference(message_id=message.id, digest=message.digest(), amount_fen=amount_fen)

    update: dict[str, Reference] = {}
    if isinstance(body, ContactLetter | TransferApplication):
        update["request"] = reference()
    elif isinstance(body, InformationSheet):
        update["sheet"] = reference(body.account_amount_fen)
    elif isinstance(body, FundNotice):
        update["funds"] = reference(body.amount_fen)
    elif isinstance(body, Correction):
        if body.information_sheet:
            update["sheet"] = reference(body.information_sheet.account_amount_fen)
        if body.fund_notice:
            update["funds"] = reference(body.fund_notice.amount_fen)
        if body.contact_letter or body.transfer_application:
            update["request"] = reference()
    elif message.kind == Kind.RETURN_FOR_CORRECTION:
        update["returned"] = reference()
    return conversation.model_copy(update=update)


def _forbidden(conversation: Conversation, message: Message) -> Fault:
    kind, state = Kind(message.kind), conversation.state
    if kind is Kind.CONTACT_LETTER and state is State.NEW:
        return _fault("from_region", f"联系函由转入地（{conversation.transferring_in}）发出")
    if reason := REASONS.get((state, kind)):
        return _fault("kind", reason)
    side = "转出地" if message.from_region == conversation.transferring_out else "转入地"
    names = [f"《{KIND_NAMES[k]}》{k}" for k in permitted(conversation, message.from_region)]
    said = f"会话{STATE_NAMES[state]}，{side}不能发《{KIND_NAMES[kind]}》，可以发的是{'、'.join(names)}"
    return _fault("kind", said)


def _fault(field: str, message: str, code: Code = Code.TRANSITION_FORBIDDEN) -> Fault:
    return Fault(code=code, field=field, message=f"{message}（{field}）")
