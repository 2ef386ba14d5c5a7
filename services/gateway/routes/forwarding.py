"""What the gateway forwards, and how: the table, and the way of one request.

The body streams through, counted against the largest allowed; the Authorization header goes along,
because every service verifies it again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from libs.refusals.faults import Fault, invalid
from libs.webapp.callers import bearer_token
from libs.webapp.problems import fault_of_validation
from services.gateway import domain
from services.gateway.routes.runtime import Gateway, address_of
from services.gateway.service.headers import forwarded_headers
from services.gateway.service.upstreams import UpstreamError

Destination = Callable[[Request, Gateway], Awaitable[str]]


@dataclass(frozen=True)
class Rule:
    """Requests for ``path`` go to ``to``; ``signed`` ones carry a seal instead of a token."""

    path: str
    to: str | Destination
    methods: tuple[str, ...] | None = None  # None: all
    signed: bool = False


async def by_item(request: Request, gateway: Gateway) -> str:
    """The service that takes applications for the item named in the body."""
    addressed = _addressed(await request.body())
    on = gateway.resources.clock.now().date()
    return domain.service_of_application(gateway.catalogues, addressed.region_code, addressed.item_key, on)


async def by_case_number(request: Request, gateway: Gateway) -> str:
    """The service that owns the case named in the path."""
    return domain.service_of_case(request.path_params["case_no"])


# The first rule that fits counts.
RULES = (
    Rule("/v1/applications", by_item, methods=("POST",)),
    Rule("/v1/applications", "tracking", methods=("GET",)),
    Rule("/v1/applications/{case_no}/timeline", "tracking"),
    Rule("/v1/applications/{case_no}", by_case_number),
    Rule("/v1/applications/{case_no}/{rest:path}", by_case_number),
    Rule("/v1/tracking/{rest:path}", "tracking"),
    Rule("/v1/enrollment/{rest:path}", "enrollment"),
    Rule("/v1/transfers", "transfer"),
    Rule("/v1/transfers/{rest:path}", "transfer"),
    Rule("/v1/remote-care/{rest:path}", "remote_care"),
    Rule("/v1/reimbursements", "reimbursement"),
    Rule("/v1/reimbursements/{rest:path}", "reimbursement"),
    Rule("/v1/settlements/{rest:path}", "settlement"),
    Rule("/exchange/v1/messages", "transfer", methods=("POST",), signed=True),
)


def routes() -> list[Route]:
    """The table as routes of the gateway's app."""
    return [
        Route(rule.path, Forward(rule), methods=rule.methods, include_in_schema=False, name=rule.path)
        for rule in RULES
    ]


class Forward:
    """The way of one request: count, find the service, hand over."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self.path = rule.path  # what metrics call this route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self
        gateway = cast(Gateway, scope["app"].state.gateway)
        body = CountedBody(receive, gateway.settings.largest_body_bytes)
        request = Request(scope, body.receive)
        _refuse_announced(request, gateway.settings.largest_body_bytes)
        await self._admit(request, gateway)
        service = await self._service(request, gateway)
        try:
            await gateway.upstreams[service](_scope_for_service(request), body.replayed(request), send)
        except UpstreamError as error:
            if body.is_too_large:
                raise HTTPException(413) from error
            raise

    async def _admit(self, request: Request, gateway: Gateway) -> None:
        """Count the request. Raises NotSignedInError, TooManyRequestsError."""
        if self._rule.signed:
            await gateway.limits.count_agency(address_of(request))
            return
        await gateway.limits.count_caller(gateway.verifier.caller_of(bearer_token(request)))

    async def _service(self, request: Request, gateway: Gateway) -> str:
        return self._rule.to if isinstance(self._rule.to, str) else await self._rule.to(request, gateway)


class CountedBody:
    """A request body on its way through; more than ``largest_bytes`` is refused with 413."""

    def __init__(self, receive: Receive, largest_bytes: int) -> None:
        self._receive = receive
        self._left = largest_bytes
        self.is_too_large = False

    async def receive(self) -> Message:
        """The next piece."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.is_too_large = True
            raise HTTPException(413)
        return message

    def replayed(self, request: Request) -> Receive:
        """The body again where the gateway has read it to find the service."""
        read: bytes | None = getattr(request, "_body", None)
        if read is None:
            return self.receive
        again: list[Message] = [{"type": "http.request", "body": read, "more_body": False}]

        async def receive() -> Message:
            return again.pop() if again else await self.receive()

        return receive


class _Addressed(BaseModel):
    """The part of an application that says where it belongs; the service checks the rest."""

    model_config = ConfigDict(extra="ignore")

    region_code: str = Field(pattern=r"^[1-9]\d{5}$")
    item_key: str = Field(max_length=100, pattern=r"^[a-z0-9_-]+$")


def _addressed(body: bytes) -> _Addressed:
    try:
        return _Addressed.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise invalid(
            "invalid_request", "请求内容不是合法的JSON。", [Fault("json_invalid", "不是合法的JSON。")]
        ) from error
    except ValidationError as error:
        faults = [fault_of_validation(dict(entry)) for entry in error.errors()]
        raise invalid("invalid_request", "申请须注明行政区划和服务事项。", faults) from error


def _refuse_announced(request: Request, largest_bytes: int) -> None:
    announced = request.headers.get("Content-Length", "0")
    if not announced.isdecimal() or int(announced) > largest_bytes:
        raise HTTPException(413)


def _scope_for_service(request: Request) -> Scope:
    """A scope of its own: nothing of the gateway's routing or state is seen by the service."""
    scope = request.scope
    return {
        "type": "http",
        "asgi": scope["asgi"],
        "http_version": scope["http_version"],
        "method": scope["method"],
        "scheme": scope["scheme"],
        "path": scope["path"],
        "raw_path": scope["raw_path"],
        "query_string": scope["query_string"],
        "root_path": "",
        "headers": forwarded_headers(scope["headers"], address_of(request), scope["scheme"]),
        "client": scope.get("client"),
        "server": scope.get("server"),
        "state": {},
    }
