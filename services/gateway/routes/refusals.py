"""What only the gateway refuses: sign-ins, too many requests, services that do not answer."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from libs.webapp.problems import MEDIA_TYPE, FaultBody, problem_response
from services.gateway.domain import SignInRefusedError
from services.gateway.schemas.sign_in import SignInProblem
from services.gateway.service.limits import TooManyRequestsError
from services.gateway.service.upstreams import BrokenError, SilentError, UnreachableError

_AGAIN = "请稍后用原Idempotency-Key重发，同一笔业务不会办两次"


def install(app: FastAPI) -> None:
    """Answer the gateway's own refusals as problems."""

    @app.exception_handler(SignInRefusedError)
    async def _sign_in(request: Request, refusal: SignInRefusedError) -> JSONResponse:
        return _sign_in_problem(request, refusal)

    @app.exception_handler(TooManyRequestsError)
    async def _too_many(request: Request, refusal: TooManyRequestsError) -> JSONResponse:
        response = problem_response(request, 429, "too_many_requests", refusal.message)
        response.headers["Retry-After"] = str(refusal.retry_after_s)
        return response

    @app.exception_handler(UnreachableError)
    async def _unreachable(request: Request, _: UnreachableError) -> JSONResponse:
        detail = f"办理此业务的服务暂时无法连接，本次未作任何更改；{_AGAIN}。"
        response = problem_response(request, 503, "upstream_unreachable", detail)
        response.headers["Retry-After"] = "5"
        return response

    @app.exception_handler(SilentError)
    async def _silent(request: Request, _: SilentError) -> JSONResponse:
        detail = f"办理此业务的服务未在规定时间内答复，结果尚不确定；{_AGAIN}。"
        return problem_response(request, 504, "upstream_timeout", detail)

    @app.exception_handler(BrokenError)
    async def _broken(request: Request, _: BrokenError) -> JSONResponse:
        detail = f"与办理此业务的服务的连接中断，结果尚不确定；{_AGAIN}。"
        return problem_response(request, 502, "upstream_broken", detail)


def _sign_in_problem(request: Request, refusal: SignInRefusedError) -> JSONResponse:
    """Problem details and RFC 6749 §5.2 in one body."""
    status = 401 if refusal.error == "invalid_client" else 400
    problem = SignInProblem(
        type=f"urn:yibao:problem:{refusal.error}",
        title="未取得访问令牌",
        status=status,
        code=refusal.error,
        detail=refusal.message,
        instance=request.url.path,
        errors=[
            FaultBody(pointer=fault.pointer, code=fault.code, message=fault.message)
            for fault in refusal.faults
        ],
        error=refusal.error,
        error_description=refusal.message,
    )
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="yibao"'
    return JSONResponse(problem.model_dump(), status, headers, media_type=MEDIA_TYPE)
