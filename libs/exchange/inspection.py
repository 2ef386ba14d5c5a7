"""Is a message what it claims to be, and is it still wanted? Questions that need no database."""

from __future__ import annotations

import datetime as dt

from libs.exchange.bodies import read_body
from libs.exchange.canonical import SUITES, canonical, digest, parse, suite_of
from libs.exchange.envelope import Message, Receipt, Refusal, moment_text, read_answer
from libs.exchange.faults import Code, ExchangeFault, Fault
from libs.exchange.seals import Verifier

CLOCK_SKEW = dt.timedelta(minutes=5)


def authenticity_faults(message: Message, verifier: Verifier, now: dt.datetime) -> list[Fault]:
    """Why the message cannot be believed to come, unchanged, from ``from_region``."""
    faults = []
    if message.from_region == message.to_region:
        faults.append(_fault("to_region", f"接收地区应与发送地区{message.from_region}不同"))
    suite = suite_of(message.body_digest)
    if suite not in SUITES:
        said = f"正文摘要算法应为{'、'.join(SUITES)}之一，实际是{suite}"
        return [*faults, _fault("body_digest", said, Code.DIGEST_MISMATCH)]
    if (computed := digest(canonical(message.body), suite)) != message.body_digest:
        said = f"正文摘要与正文不符，按正文应为{computed}"
        faults.append(_fault("body_digest", said, Code.DIGEST_MISMATCH))
    return faults + verifier.faults(message, message.from_region, made_at=message.created_at, checked_at=now)


def early_faults(message: Message, now: dt.datetime) -> list[Fault]:
    """A message from the future; it may be taken later, so the refusal is not final."""
    if message.created_at <= now + CLOCK_SKEW:
        return []
    said = f"发送时间{moment_text(message.created_at)}晚于接收地的现在{moment_text(now)}，请校准时钟后再发"
    return [_fault("created_at", said, Code.FROM_THE_FUTURE)]


def content_faults(message: Message, now: dt.datetime) -> list[Fault]:
    """Why a genuine message cannot be used, whatever the conversation: too late, or not understood."""
    faults = []
    if message.expires_at <= now:
        said = f"消息已于{moment_text(message.expires_at)}失效；请另发新消息"
        faults.append(_fault("expires_at", said, Code.EXPIRED))
    try:
        read_body(message.kind, message.kind_version, message.body)
    except ExchangeFault as fault:
        faults += fault.faults
    return faults


def checked_answer(message: Message, raw: bytes, verifier: Verifier, now: dt.datetime) -> Receipt | Refusal:
    """The answer in ``raw``. Raises ExchangeFault unless the receiver sealed it for this message."""
    answer = read_answer(parse(raw))
    if faults := answer_faults(message, answer, verifier, now):
        raise ExchangeFault(faults)
    return answer


def answer_faults(
    message: Message, answer: Receipt | Refusal, verifier: Verifier, now: dt.datetime
) -> list[Fault]:
    """Why ``answer`` is not the receiver's answer to ``message``."""
    faults = []
    if answer.message_id != message.id or answer.message_digest != message.digest():
        said = f"应答应针对消息{message.id}（{message.digest()}）"
        if isinstance(answer, Refusal):
            said += "；对方称：" + "；".join(fault.message for fault in answer.faults)
        faults.append(_fault("message_digest", said, Code.RECEIPT_INVALID))
    if isinstance(answer, Receipt) and answer.conversation != message.conversation:
        said = f"应答的会话应为{message.conversation}"
        faults.append(_fault("conversation", said, Code.RECEIPT_INVALID))
    if answer.receiver != message.to_region:
        faults.append(_fault("receiver", f"应答方应为{message.to_region}", Code.RECEIPT_INVALID))
    return faults + verifier.faults(answer, message.to_region, made_at=answer.at, checked_at=now)


def _fault(field: str, message: str, code: Code = Code.MALFORMED) -> Fault:
    return Fault(code=code, field=field, message=f"{message}（{field}）")
