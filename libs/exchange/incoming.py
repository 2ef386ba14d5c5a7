"""Receiving: verify, recognise, put in order, judge by the table, deliver, and answer under seal.

Everything happens in the caller's transaction; the caller commits, then answers. If it dies before the
commit, nothing happened and the sender asks again; if it dies after, the sender asks again and gets the same
answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.clock import Clock
from libs.exchange import conversations
from libs.exchange.arrivals import Arrival, Arrivals
from libs.exchange.bodies import read_body
from libs.exchange.canonical import SUITES, parse, suite_of
from libs.exchange.conversation import apply
from libs.exchange.conversations import HeldConversation
from libs.exchange.envelope import MISSING_MAX, Message, Receipt, Refusal, Stored, read
from libs.exchange.faults import FAULTS_MAX, Code, ExchangeFault, Fault
from libs.exchange.inspection import authenticity_faults, content_faults, early_faults
from libs.exchange.keeping import PLAIN, BodyKeeper
from libs.exchange.seals import Signer, Verifier, sealed

Deliver = Callable[[AsyncSession, Message], Awaitable[None]]
SignerOf = Callable[[str], Signer | None]

# How far ahead of the last message in order another one is kept waiting.
PARKED_MAX = MISSING_MAX


class NotAccepted(ExchangeFault):
    """Raised by ``deliver`` to refuse a message for good: what it wrote is undone, the refusal is sealed."""


async def receive(
    session: AsyncSession,
    raw: bytes,
    *,
    verifier: Verifier,
    signer_of: SignerOf,
    clock: Clock,
    deliver: Deliver,
    keeper: BodyKeeper = PLAIN,
) -> Receipt | Refusal:
    """Take one message and answer it.

    ``signer_of`` gives the signer of a region served here, None for any other. ``deliver`` gets each message
    once, in sequence, in this transaction; any exception but ``NotAccepted`` goes through to the caller,
    who rolls back.
    """
    now = clock.now()
    try:
        value = parse(raw)
    except ExchangeFault as fault:
        return _refusal(now, fault.faults, None)
    addressee = value.get("to_region")
    signer = signer_of(addressee) if isinstance(addressee, str) else None
    try:
        message = read(Message, value)
    except ExchangeFault as fault:
        return _refusal(now, fault.faults, signer)
    if signer is None:
        return _refusal(now, [_recipient_fault(message)], None, message)
    if faults := authenticity_faults(message, verifier, now):
        return _refusal(now, faults, signer, message)
    return await _Desk(session, signer, deliver, now, Arrivals(session, keeper, now)).take(message)


@dataclass
class _Desk:
    """Takes genuine messages for one region at one moment."""

    session: AsyncSession
    signer: Signer
    deliver: Deliver
    now: dt.datetime
    arrivals: Arrivals

    async def take(self, message: Message) -> Receipt | Refusal:
        held = await self._hold(message)
        earlier = await self.arrivals.of_same_id_or_number(message)
        for arrival in earlier:
            if arrival.message_id == message.id and arrival.digest == message.digest():
                return arrival.answer
        if faults := [*_stranger_faults(held, message), *_conflict_faults(message, earlier)]:
            return self._refuse(message, faults, final=True)
        if faults := [*early_faults(message, self.now), *_distance_faults(held, message)]:
            return self._refuse(message, faults, final=False)
        answer = await self._take_new(held, message)
        await self._go_on(message)
        return answer

    async def _take_new(self, held: HeldConversation, message: Message) -> Receipt | Refusal:
        if faults := content_faults(message, self.now):
            return await self._keep_refused(message, faults)
        if message.sequence == held.handled_sequence + 1:
            return await self._deliver_next(held, message)
        missing = await self.arrivals.missing(held, message.sequence)
        receipt = self._receipt(message, "parked", missing)
        await self.arrivals.keep(message, receipt)
        return receipt

    async def _deliver_next(
        self, held: HeldConversation, message: Message, *, was_parked: bool = False
    ) -> Receipt | Refusal:
        body = read_body(message.kind, message.kind_version, message.body)
        try:
            standing = apply(held.standing, message, body, sending=False)
        except ExchangeFault as fault:
            return await self._keep_refused(message, fault.faults, was_parked=was_parked)
        receipt = self._receipt(message, "delivered")
        try:
            async with self.session.begin_nested():
                await self.arrivals.keep(message, receipt, was_parked=was_parked)
                moved = replace(held, standing=standing, handled_sequence=message.sequence)
                await conversations.save(self.session, moved, self.now)
                await self.deliver(self.session, message)
        except NotAccepted as fault:
            return await self._keep_refused(message, fault.faults, was_parked=was_parked)
        return receipt

    async def _go_on(self, latest: Message) -> None:
        """Pass over what was refused and deliver what was parked, as far as the sequence has no gap."""
        while True:
            # Loaded anew each time: a delivery may have sent an answer in the same conversation.
            held = await self._hold(latest)
            arrival = await self.arrivals.numbered(held, held.handled_sequence + 1)
            if arrival is None:
                return
            if arrival.message is None:
                passed = replace(held, handled_sequence=held.handled_sequence + 1)
                await conversations.save(self.session, passed, self.now)
            else:
                await self._deliver_next(held, arrival.message, was_parked=True)

    async def _keep_refused(
        self, message: Message, faults: Sequence[Fault], *, was_parked: bool = False
    ) -> Refusal:
        """Refuse for good. The number counts as used (``_go_on``)."""
        refusal = self._refuse(message, faults, final=True)
        await self.arrivals.keep(message, refusal, was_parked=was_parked)
        return refusal

    async def _hold(self, message: Message) -> HeldConversation:
        return await conversations.hold(
            self.session, message.to_region, message.conversation, message.from_region, self.now
        )

    def _refuse(self, message: Message, faults: Sequence[Fault], *, final: bool) -> Refusal:
        return _refusal(self.now, faults, self.signer, message, final=final)

    def _receipt(self, message: Message, stored: Stored, missing: tuple[int, ...] = ()) -> Receipt:
        receipt = Receipt(
            message_id=message.id,
            message_digest=message.digest(),
            conversation=message.conversation,
            receiver=message.to_region,
            at=self.now,
            stored=stored,
            missing=missing,
        )
        return sealed(receipt, self.signer)


def _refusal(
    now: dt.datetime,
    faults: Sequence[Fault],
    signer: Signer | None,
    message: Message | None = None,
    *,
    final: bool = False,
) -> Refusal:
    """Without a signer (nobody here is addressed) the refusal goes unsealed, and no sender may rely on it."""
    refusal = Refusal(
        message_id=message.id if message else None,
        message_digest=message.digest() if message and suite_of(message.body_digest) in SUITES else None,
        receiver=signer.region_code if signer else None,
        at=now,
        final=final,
        faults=tuple(faults[:FAULTS_MAX]),
    )
    return sealed(refusal, signer) if signer else refusal


def _recipient_fault(message: Message) -> Fault:
    said = f"接收地区（to_region）：{message.to_region}不由本机构受理，请查对地址"
    return Fault(code=Code.WRONG_RECIPIENT, field="to_region", message=said)


def _stranger_faults(held: HeldConversation, message: Message) -> list[Fault]:
    if message.from_region == held.peer_region:
        return []
    said = f"会话编号（conversation）：{message.conversation}已由另一地区发起，请用本方自己的会话编号"
    return [Fault(code=Code.CONVERSATION_FOREIGN, field="conversation", message=said)]


def _conflict_faults(message: Message, earlier: Sequence[Arrival]) -> list[Fault]:
    if not earlier:
        return []
    said = (
        f"消息编号、会话内序号（id、sequence）：编号{message.id}或序号{message.sequence}已用于内容不同的消息"
    )
    return [Fault(code=Code.CONFLICT, field="sequence", message=f"{said}，请用新的编号和序号")]


def _distance_faults(held: HeldConversation, message: Message) -> list[Fault]:
    if message.sequence <= held.handled_sequence + 1 + PARKED_MAX:
        return []
    said = f"会话内序号（sequence）：第{held.handled_sequence + 1}号还没有收到，请先发送"
    return [Fault(code=Code.TOO_FAR_AHEAD, field="sequence", message=said)]
