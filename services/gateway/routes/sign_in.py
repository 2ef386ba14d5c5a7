"""``POST /v1/auth/token``: OAuth 2.0 in form encoding (RFC 6749) or JSON, and the public keys."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import APIRouter, Body, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message

from libs.webapp.problems import Problem, fault_of_validation
from services.gateway.domain import SignInRefusedError
from services.gateway.routes.runtime import GatewayDep, address_of
from services.gateway.schemas.sign_in import (
    ClientCredentialsGrant,
    MiniProgramCodeGrant,
    PasswordGrant,
    SignInProblem,
    TokenAnswer,
    TokenRequest,
)

LARGEST_REQUEST_BYTES = 16 * 1024
_FORM = "application/x-www-form-urlencoded"
_GRANT_SCHEMAS = [
    {"$ref": f"#/components/schemas/{grant.__name__}"}
    for grant in (ClientCredentialsGrant, PasswordGrant, MiniProgramCodeGrant)
]


class TokenRoute(APIRoute):
    """Turns a form and HTTP Basic client authentication into the JSON body the endpoint declares."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            parameters = await _parameters(request) | _basic_credentials(request)
            try:
                return await endpoint(_as_json(request, parameters))
            except RequestValidationError as error:
                raise _refused(error.errors()) from error

        return handle


router = APIRouter(tags=["登录"])
token_router = APIRouter(route_class=TokenRoute, tags=["登录"])


@token_router.post(
    "/v1/auth/token",
    summary="取得访问令牌",
    responses={
        400: {"model": SignInProblem, "description": "未取得令牌（RFC 6749 第5.2节）"},
        401: {"model": SignInProblem, "description": "客户端认证失败"},
        429: {"model": Problem, "description": "失败次数过多"},
    },
    openapi_extra={"requestBody": {"content": {_FORM: {"schema": {"oneOf": _GRANT_SCHEMAS}}}}},
)
async def issue_token(
    request: Request,
    response: Response,
    asked: Annotated[TokenRequest, Body()],
    gateway: GatewayDep,
) -> TokenAnswer:
    """系统用client_credentials，经办人员用password，小程序后台用一次性code。可用表单或JSON提交。"""
    answer = await gateway.sign_in.grant(asked, address_of(request))
    response.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/.well-known/jwks.json", summary="验证令牌的公钥（JWKS）")
async def key_set(gateway: GatewayDep) -> dict[str, Any]:
    """RFC 7517。"""
    return gateway.issuer.key_set()


async def _parameters(request: Request) -> dict[str, Any]:
    body = await _small_body(request)
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() == _FORM:
        return _form(body)
    try:
        content = json.loads(body)
    except ValueError as error:
        raise SignInRefusedError("invalid_request", "请求应为表单或JSON对象。") from error
    if not isinstance(content, dict):
        raise SignInRefusedError("invalid_request", "请求应为表单或JSON对象。")
    return content


async def _small_body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_REQUEST_BYTES:
            raise HTTPException(413)
    return body


def _form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise SignInRefusedError("invalid_request", "表单的编码有误，应为UTF-8百分号编码。") from error
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise SignInRefusedError("invalid_request", "同一参数不得出现两次。")
    return {name: value for name, value in parameters.items() if value}


def _basic_credentials(request: Request) -> dict[str, str]:
    """``client_id`` and ``client_secret`` of the Authorization header (RFC 6749 §2.3.1)."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise SignInRefusedError("invalid_client", "Authorization头的Basic认证格式不对。") from error
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}


def _as_json(request: Request, parameters: dict[str, Any]) -> Request:
    """The same request with these parameters as its JSON body."""
    kept = [(name, value) for name, value in request.scope["headers"] if name != b"content-type"]
    scope = {**request.scope, "headers": [*kept, (b"content-type", b"application/json")]}
    body = json.dumps(parameters).encode()

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)


def _refused(errors: Sequence[Any]) -> SignInRefusedError:
    """What was wrong with the parameters, in the words of RFC 6749."""
    if any(error["type"] == "union_tag_invalid" for error in errors):
        return SignInRefusedError("unsupported_grant_type", "不支持这种grant_type。")
    if any(error["type"] == "union_tag_not_found" for error in errors):
        return SignInRefusedError("invalid_request", "缺少参数grant_type。")
    faults = tuple(fault_of_validation({**error, "loc": ("body", *error["loc"][2:])}) for error in errors)
    names = "、".join(fault.pointer.lstrip("/") for fault in faults)
    return SignInRefusedError("invalid_request", f"参数缺少或有误：{names}。", faults)
