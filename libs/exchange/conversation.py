"""Where a conversation stands, and what a message makes of it (the table is in ``transitions.py``)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from libs.exchange.bodies import (
    Body,
    Completion,
    ContactLetter,
    Correction,
    FundNotice,
    InformationSheet,
    TransferApplication,
)
from libs.exchange.envelope import KIND_NAMES, Kind, Message
from libs.exchange.faults import Code, ExchangeFault, Fault
from libs.exchange.transitions import (
    OVERRIDES_WITHDRAWAL,
    REASONS,
    RULES,
    STATE_NAMES,
    By,
    Regime,
    Rule,
    State,
)

_RETURNED = (State.REQUEST_RETURNED, State.SHEET_RETURNED, State.FUNDS_RETURNED)


class Reference(BaseModel):
    """A message in force: by its digest others answer it, by its id it is replaced."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    message_id: UUID
    digest: str
    amount_fen: int = 0


class Conversation(BaseModel):
    """Where a conversation stands, as far as one side has sent and received."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: State = State.NEW
    regime: Regime | None = None
    opened_as: Kind | None = None
    requester: str | None = None
    transferring_out: str | None = None
    transferring_in: str | None = None
    request: Reference | None = None
    sheet: Reference | None = None
    funds: Reference | None = None
    returned: Reference | None = None
    withdrawn_from: State | None = None
    """After a withdrawal of this side: where the conversation would stand without it."""

    @property
    def over(self) -> bool:
        """Nothing more is expected of either side."""
        return self.state in (State.COMPLETED, State.WITHDRAWN)

    def is_sender(self, region_code: str, by: By) -> bool:
        """Whether this region has the part ``by`` in the conversation."""
        return {
            By.OUT: region_code == self.transferring_out,
            By.IN: region_code == self.transferring_in,
            By.REQUESTER: region_code == self.requester,
            By.REQUESTED: region_code != self.requester,
            By.EITHER: True,
        }[by]


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
    faults = [*_answer_faults(opened, message, sending), *_document_faults(opened, after, message, body)]
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
    elif kind is Kind.CORRECTION and conversation.state in _RETURNED:
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
        and message.answers_digest not in _digests(conversation.sheet, conversation.funds)
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


def _answer_faults(conversation: Conversation, message: Message, sending: bool) -> Iterator[Fault]:
    wanted = _answerable(conversation, Kind(message.kind), sending)
    if wanted is not None and message.answers_digest not in wanted:
        names = "或".join(digest or "空" for digest in sorted(wanted, key=str)) or "空"
        yield _fault("answers_digest", f"所答消息的摘要应为{names}，实际是{message.answers_digest or '空'}")


def _answerable(conversation: Conversation, kind: Kind, sending: bool) -> set[str | None] | None:
    """Digests a message of this kind may answer; None: any."""
    if kind in (Kind.INFORMATION_SHEET, Kind.FUND_NOTICE):
        return _digests(conversation.request)
    if kind is Kind.COMPLETION:
        return _digests(conversation.sheet, conversation.funds)
    if kind is Kind.RETURN_FOR_CORRECTION:
        in_force = _digests(conversation.sheet, conversation.funds)
        return in_force or _digests(conversation.request)
    if kind is Kind.CORRECTION:
        unasked = not sending or conversation.state not in _RETURNED
        return _digests(conversation.returned) | ({None} if unasked else set())
    return None


def _digests(*references: Reference | None) -> set[str | None]:
    return {reference.digest for reference in references if reference is not None}


def _document_faults(
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
