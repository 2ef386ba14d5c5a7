"""The edge: one request, one caller, one transaction, committed before the answer leaves.

``TransactionRoute`` is the route class of every router that touches a service's database:
authenticate, open the transaction with the caller's regions, answer a repeated write from the
store, run the endpoint, keep the answer, commit. Nobody else commits.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, cast

import structlog
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casework.clock import Clock
from libs.eventbus.faults import is_database_away
from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, Refusal, RefusalKind, invalid
from libs.webapp import idempotency
from libs.webapp.callers import Caller, TokenVerifier, bearer_token
from libs.webapp.database import Database
from libs.webapp.settings import ServiceSettings

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
log = structlog.get_logger(__name__)

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
# SQLSTATE class 22: a value no column can hold (half a character, NUL, a number of 30 places). Schemas
# name such a field; this is for what they let through.
_DATA_EXCEPTION = "22"


@dataclass(frozen=True)
class Resources:
    """What a service's requests and workers share; made once by the composition."""

    settings: ServiceSettings
    database: Database
    clock: Clock
    protector: FieldProtector
    tokens: TokenVerifier


class TransactionRoute(APIRoute):
    """Authenticated, idempotent, transactional route; its summary is the endpoint's first line."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        if options.get("summary") is None and endpoint.__doc__:
            options["summary"] = endpoint.__doc__.strip().splitlines()[0].rstrip("。")
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Handler:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            resources = resources_of(request)
            caller = resources.tokens.caller_of(bearer_token(request))
            request.state.caller = caller
            with refusals_told(request):
                async with resources.database.transaction(caller.regions) as session:
                    request.state.session = session
                    return await _answer(request, session, caller, endpoint)

        return handle


@contextmanager
def refusals_told(request: Request) -> Iterator[None]:
    """Failures of the database that mean something to the caller are raised as that; others as they are."""
    try:
        yield
    except Exception as error:
        refusal = _refusal_of(error)
        if refusal is None:
            raise
        log.warning("refused", code=refusal.code, path=request.url.path, exc_info=error)
        raise refusal from error


def _refusal_of(error: Exception) -> Refusal | None:
    """What a failure of the database means to the caller; None for any other error."""
    if is_database_away(error):
        message = "系统暂时繁忙，本次未作任何更改，请稍后重试（办理类请求用原Idempotency-Key）。"
        return Refusal(RefusalKind.UNAVAILABLE, "database", message)
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    if str(state or "").startswith(_DATA_EXCEPTION):
        message = "内容中有无法保存的字符，或有超出范围的数字，请更正后重新提交；本次未作任何更改。"
        return invalid("unstorable", message, [Fault("unstorable", message)])
    return None


async def _answer(request: Request, session: AsyncSession, caller: Caller, endpoint: Handler) -> Response:
    if request.method not in WRITES:
        return await endpoint(request)
    attempt = await idempotency.attempt_of(request, f"{caller.kind}:{caller.subject}")
    protector = resources_of(request).protector
    answer = await idempotency.stored_answer(session, attempt, protector)
    if answer is None:
        answer = await endpoint(request)
        await idempotency.store_answer(session, attempt, answer, protector)
    return answer


def resources_of(request: Request) -> Resources:
    """The running service's resources."""
    return cast(Resources, request.app.state.resources)


# Dependencies are coroutines: FastAPI sends plain functions through its thread pool, a hop each.


async def _resources(request: Request) -> Resources:
    return resources_of(request)


async def _session(request: Request) -> AsyncSession:
    return cast(AsyncSession, request.state.session)


async def _caller(request: Request) -> Caller:
    return cast(Caller, request.state.caller)


async def _idempotency_key(
    key: Annotated[
        str | None,
        Header(alias=idempotency.HEADER, description="每笔业务一个新值；重发时用原值，只办一次。"),
    ] = None,
) -> None:
    """Only for the OpenAPI document; TransactionRoute reads the header itself."""


SessionDep = Annotated[AsyncSession, Depends(_session)]
CallerDep = Annotated[Caller, Depends(_caller)]
ResourcesDep = Annotated[Resources, Depends(_resources)]
IdempotencyKeyDoc = Depends(_idempotency_key)
