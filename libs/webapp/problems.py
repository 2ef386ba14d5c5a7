"""RFC 9457 problem+json in Chinese: one table from kinds of refusal to HTTP status."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import structlog
import yaml
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from libs.refusals.faults import Fault, Refusal, RefusalKind

MEDIA_TYPE = "application/problem+json"

STATUS_OF_KIND = {
    RefusalKind.INVALID: 422,
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.FORBIDDEN: 403,
    RefusalKind.CONFLICT: 409,
    RefusalKind.STALE_VERSION: 412,
    RefusalKind.UNAVAILABLE: 503,
}

TITLES = {
    400: "请求有误",
    401: "未登录或登录已失效",
    403: "无权办理",
    404: "未找到",
    405: "不支持这种请求方法",
    409: "与当前状态冲突",
    412: "内容已被他人更新",
    413: "请求内容过大",
    422: "提交的内容有误",
    429: "请求过于频繁",
    500: "系统故障",
    502: "上游服务无应答",
    503: "服务暂不可用",
    504: "上游服务超时",
}

# Where the title alone does not say what would be right.
_DETAILS = {
    400: "请求内容无法读取，应为UTF-8编码的JSON；本次未作任何更改。",
    404: "没有此地址，请核对路径。",
    405: "此地址不支持这种请求方法，可用的方法见Allow头。",
}

_log = structlog.get_logger(__name__)


class FaultBody(BaseModel):
    """One fault: which field, what is wrong and what would be right, by which rule."""

    pointer: str
    code: str
    message: str
    rule: str | None = None


class Problem(BaseModel):
    """The body of every answer that is not a success."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    errors: list[FaultBody] = []


def problem_response(
    request: Request, status: int, code: str, detail: str, faults: Sequence[Fault] = ()
) -> JSONResponse:
    """A problem+json answer listing every fault."""
    problem = Problem(
        type=f"urn:yibao:problem:{code}",
        title=TITLES.get(status, "请求未能完成"),
        status=status,
        code=code,
        detail=detail,
        instance=request.url.path,
        errors=[FaultBody(pointer=f.pointer, code=f.code, message=f.message, rule=f.rule) for f in faults],
    )
    return JSONResponse(problem.model_dump(), status_code=status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer refusals, malformed requests and malfunctions of ``app`` as problems."""

    @app.exception_handler(Refusal)
    async def _refusal(request: Request, refusal: Refusal) -> JSONResponse:
        status = STATUS_OF_KIND[refusal.kind]
        return problem_response(request, status, refusal.code, refusal.message, refusal.faults)

    @app.exception_handler(RequestValidationError)
    async def _malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [fault_of_validation(entry) for entry in error.errors()]
        detail = f"提交的内容有{len(faults)}处错误，请按提示更正后重新提交；本次未作任何更改。"
        return problem_response(request, 422, "invalid_request", detail, faults)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        title = TITLES.get(error.status_code, "请求未能完成")
        detail = _DETAILS.get(error.status_code, f"{title}。")
        response = problem_response(request, error.status_code, f"http_{error.status_code}", detail)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(Exception)
    async def _malfunction(request: Request, error: Exception) -> JSONResponse:
        _log.error("malfunction", path=request.url.path, exc_info=error)
        return problem_response(request, 500, "malfunction", "系统发生故障，本次未作任何更改，请稍后重试。")


def fault_of_validation(entry: dict[str, Any]) -> Fault:
    """A pydantic error as a fault with a Chinese sentence (validation_messages.yaml)."""
    template = _validation_messages().get(entry["type"], "内容不符合要求（{type}）。")
    context = {name: str(value).replace(" or ", "或") for name, value in (entry.get("ctx") or {}).items()}
    values = {"type": entry["type"], **context}
    return Fault(entry["type"], template.format_map(_Lenient(values)), _pointer(entry))


def _pointer(entry: dict[str, Any]) -> str:
    """JSON pointer (RFC 6901) of the field; that of broken JSON is the whole body."""
    if entry["type"] == "json_invalid":
        return ""
    location = [str(part).replace("~", "~0").replace("/", "~1") for part in entry["loc"]]
    return "".join(f"/{part}" for part in (location[1:] if location[:1] == ["body"] else location))


class _Lenient(dict[str, Any]):
    """Leaves a place open rather than fail while telling somebody else's mistake."""

    def __missing__(self, key: str) -> str:
        return "…"


@cache
def _validation_messages() -> dict[str, str]:
    path = Path(__file__).parent / "validation_messages.yaml"
    messages: dict[str, str] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return messages
