"""The door other cities knock at: ``POST /exchange/v1/messages``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.clock import Clock
from libs.eventbus.retry import through_deadlocks
from libs.exchange.canonical import DOCUMENT_MAX_BYTES
from libs.exchange.courier import PATH
from libs.exchange.envelope import Receipt, Refusal
from libs.exchange.faults import Code
from libs.exchange.incoming import Deliver, SignerOf, receive
from libs.exchange.keeping import PLAIN, BodyKeeper
from libs.exchange.seals import Verifier

# The status helps whoever looks at a proxy's log; a sender relies on the sealed document only.
STATUS = {
    Code.TOO_LARGE: 413,
    Code.WRONG_RECIPIENT: 404,
    Code.SEAL_INVALID: 403,
    Code.SIGNER_UNKNOWN: 403,
    Code.CONVERSATION_FOREIGN: 403,
    Code.CONFLICT: 409,
    Code.TRANSITION_FORBIDDEN: 409,
    Code.AMOUNT_MISMATCH: 409,
    Code.TOO_FAR_AHEAD: 409,
    Code.MALFORMED: 400,
}


def exchange_router(
    open_transaction: Callable[[], AbstractAsyncContextManager[AsyncSession]],
    *,
    verifier: Verifier,
    signer_of: SignerOf,
    clock: Clock,
    deliver: Deliver,
    keeper: BodyKeeper = PLAIN,
) -> APIRouter:
    """The route. ``open_transaction`` gives a session committed on leaving, before the answer goes out."""
    router = APIRouter()

    @router.post(
        PATH,
        operation_id="receive_exchange_message",
        tags=["经办机构间交换"],
        summary="接收经办机构之间的联系函、信息表等消息",
        response_model=Receipt,
        responses={status: {"model": Refusal} for status in sorted({*STATUS.values(), 422})},
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {}}}},
    )
    async def receive_exchange_message(request: Request) -> Response:
        raw = await _bounded_body(request)

        async def received() -> Receipt | Refusal:
            async with open_transaction() as session:
                return await receive(
                    session,
                    raw,
                    verifier=verifier,
                    signer_of=signer_of,
                    clock=clock,
                    deliver=deliver,
                    keeper=keeper,
                )

        answer = await through_deadlocks(received)
        return Response(answer.raw(), status_of(answer), media_type="application/json")

    return router


def status_of(answer: Receipt | Refusal) -> int:
    """200 for a receipt; for a refusal the status of its first fault."""
    return 200 if isinstance(answer, Receipt) else STATUS.get(answer.faults[0].code, 422)


async def _bounded_body(request: Request) -> bytes:
    """The body, or as much of it as shows that it is too large."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > DOCUMENT_MAX_BYTES:
            break
    return bytes(body)
