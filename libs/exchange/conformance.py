"""Conformance kit: does an endpoint speak the protocol of ``docs/exchange-protocol.md``?

Any city can point it at its own installation, with a test region whose public key the endpoint trusts. Each
check opens a conversation of its own about a made-up person, so the kit can be run again and again; nothing
asks for money. The letters are delivered, so the endpoint should not be a region's live one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx
from uuid_utils.compat import uuid7

from libs.exchange.canonical import DOCUMENT_MAX_BYTES, canonical, digest
from libs.exchange.envelope import Receipt
from libs.exchange.faults import Code
from libs.exchange.probe import Endpoint, NotConforming, letter_body
from libs.exchange.seals import Ed25519Signer, sealed


@dataclass(frozen=True)
class Check:
    """Outcome of one check; ``detail`` says what was wrong."""

    name: str
    passed: bool
    detail: str = ""


async def run_conformance(endpoint: Endpoint) -> list[Check]:
    """Run every check; each is one line of the report."""
    checks = []
    for name, check in CHECKS.items():
        try:
            await check(endpoint)
        except (NotConforming, httpx.HTTPError) as error:
            checks.append(Check(name, False, str(error) or type(error).__name__))
        else:
            checks.append(Check(name, True))
    return checks


async def _good(endpoint: Endpoint) -> None:
    receipt = await endpoint.receipt(endpoint.letter())
    if receipt.missing:
        raise NotConforming("按序到达的消息不应有尚缺序号")


async def _duplicate(endpoint: Endpoint) -> None:
    letter = endpoint.letter()
    first, second = await endpoint.receipt(letter), await endpoint.receipt(letter)
    if first != second:
        raise NotConforming("同一消息重发，应得到同一回执")


async def _reordered(endpoint: Endpoint) -> None:
    letter = endpoint.letter()
    second, third = (endpoint.inquiry(letter.conversation, number) for number in (2, 3))
    parked = await endpoint.receipt(third, "parked")
    if parked.missing != (1, 2):
        raise NotConforming(f"先收到第3号时应称尚缺1、2，实际是{parked.missing}")
    await endpoint.receipt(letter)
    await endpoint.receipt(second)
    await endpoint.receipt(third)


async def _tampered(endpoint: Endpoint) -> None:
    letter = endpoint.letter()
    changed = letter.model_copy(update={"body": {**letter.body, "accepted_case_no": "CHANGED"}})
    await endpoint.refusal(changed, Code.DIGEST_MISMATCH, final=False)
    rewritten = changed.model_copy(update={"body_digest": digest(canonical(changed.body))})
    await endpoint.refusal(rewritten, Code.SEAL_INVALID, final=False)
    await endpoint.receipt(letter)  # the forgery has not spoiled the genuine one


async def _wrong_seal(endpoint: Endpoint) -> None:
    stranger = Ed25519Signer.generate(endpoint.signer.region_code)
    await endpoint.refusal(endpoint.letter(signer=stranger), Code.SIGNER_UNKNOWN, final=False)
    stranger.key_id = endpoint.signer.key_id
    await endpoint.refusal(endpoint.letter(signer=stranger), Code.SEAL_INVALID, final=False)


async def _impostor(endpoint: Endpoint) -> None:
    honest = endpoint.letter()
    posing = honest.model_copy(update={"from_region": "990000"})
    await endpoint.refusal(sealed(posing, endpoint.signer), Code.SEAL_INVALID, final=False)


async def _expired(endpoint: Endpoint) -> None:
    long_ago = endpoint.clock.now() - dt.timedelta(days=2)
    await endpoint.refusal(endpoint.letter(created_at=long_ago), Code.EXPIRED, final=True)


async def _future(endpoint: Endpoint) -> None:
    tomorrow = endpoint.clock.now() + dt.timedelta(days=1)
    await endpoint.refusal(endpoint.letter(created_at=tomorrow), Code.FROM_THE_FUTURE, final=False)


async def _unknown_kind(endpoint: Endpoint) -> None:
    unknown = endpoint.message("greeting", letter_body(endpoint))
    first = await endpoint.refusal(unknown, Code.KIND_UNKNOWN, final=True)
    if first != await endpoint.refusal(unknown, Code.KIND_UNKNOWN, final=True):
        raise NotConforming("同一消息重发，应得到同一拒收")


async def _unknown_version(endpoint: Endpoint) -> None:
    await endpoint.refusal(endpoint.letter(version=999), Code.VERSION_UNSUPPORTED, final=True)


async def _bad_body(endpoint: Endpoint) -> None:
    letter = endpoint.letter()
    body = {name: value for name, value in letter.body.items() if name not in ("handler", "telephone")}
    broken = letter.model_copy(update={"body": body, "body_digest": digest(canonical(body))})
    refusal = await endpoint.refusal(sealed(broken, endpoint.signer), Code.BODY_INVALID, final=True)
    named = {fault.field for fault in refusal.faults}
    if named != {"body.handler", "body.telephone"}:
        raise NotConforming(f"应一次指出 body.handler、body.telephone，实际是{sorted(named)}")


async def _forbidden(endpoint: Endpoint) -> None:
    inquiry = endpoint.inquiry(str(uuid7()), 1)
    await endpoint.refusal(inquiry, Code.TRANSITION_FORBIDDEN, final=True)


async def _conflict(endpoint: Endpoint) -> None:
    letter = endpoint.letter()
    await endpoint.receipt(letter)
    same_number = endpoint.inquiry(letter.conversation, 1)
    await endpoint.refusal(same_number, Code.CONFLICT, final=True)
    same_id = endpoint.inquiry(letter.conversation, 2).model_copy(update={"id": letter.id})
    await endpoint.refusal(sealed(same_id, endpoint.signer), Code.CONFLICT, final=True)


async def _too_far_ahead(endpoint: Endpoint) -> None:
    letter = endpoint.letter()
    await endpoint.receipt(letter)
    await endpoint.refusal(endpoint.inquiry(letter.conversation, 10_000), Code.TOO_FAR_AHEAD, final=False)


async def _malformed(endpoint: Endpoint) -> None:
    letter = endpoint.letter().raw()
    for raw, code in (
        (b"{", Code.MALFORMED),
        (b"\xff\xfe", Code.MALFORMED),
        (b"[" * 5000, Code.MALFORMED),
        (letter.replace(b'"sequence":1', b'"sequence":1.0'), Code.MALFORMED),
        (letter.replace(b'"sequence":1', b'"sequence":1,"sequence":1'), Code.MALFORMED),
        (letter.replace(b'"sequence":1', b'"sequence":"1"'), Code.MALFORMED),
        (letter[:-1] + b" " * DOCUMENT_MAX_BYTES + b"}", Code.TOO_LARGE),
    ):
        answer = await endpoint.post(raw)
        if isinstance(answer, Receipt) or answer.faults[0].code != code:
            raise NotConforming(f"{raw[:40]!r}…应以 {code} 拒收")


CHECKS: dict[str, Callable[[Endpoint], Awaitable[None]]] = {
    "正常消息得到有签章的回执": _good,
    "重发的消息得到同一回执": _duplicate,
    "先到的后号消息暂存并索要前号，补齐后依次递交": _reordered,
    "被改动的消息拒收，原消息不受影响": _tampered,
    "签章密钥不符的消息拒收": _wrong_seal,
    "冒充其他地区的消息拒收": _impostor,
    "过期的消息拒收": _expired,
    "发送时间在将来的消息暂不接收": _future,
    "不认识的消息种类拒收": _unknown_kind,
    "不支持的版本拒收": _unknown_version,
    "正文有误时一次指出全部": _bad_body,
    "次序不允许的消息拒收": _forbidden,
    "编号或序号重用而内容不同的消息拒收": _conflict,
    "超前太多的序号暂不接收": _too_far_ahead,
    "不合格式的文件拒收": _malformed,
}
