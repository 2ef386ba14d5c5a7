"""Logs without personal data, metrics, and a trace id in every line.

Identity numbers and other eighteen-place credentials never reach a log line: the finished line is
masked last of all, so nothing a log call is given slips by, however deep it stands.
"""

from __future__ import annotations

import re
import time
from typing import Any

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EIGHTEEN_PLACES = re.compile(r"(?<!\d)(\d{6})\d{8}(\d{3}[\dXx])(?!\d)")

REQUESTS = Counter("yibao_requests_total", "Answered requests", ["service", "method", "route", "status"])
LATENCY = Histogram(
    "yibao_request_duration_seconds",
    "Time from request to answer",
    ["service", "route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


def mask(value: str) -> str:
    """Replace the middle of every eighteen-place number."""
    return _EIGHTEEN_PLACES.sub(r"\1********\2", value)


def mask_line(_: Any, __: str, line: Any) -> str:
    """structlog processor after the renderer."""
    return mask(str(line))


def configure_logging() -> None:
    """JSON lines on standard output; masking is the last step."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
            mask_line,
        ]
    )


def metrics_response() -> Response:
    """Prometheus text of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


class MeasuredApp:
    """Counts and times every answer by route template (never by raw path: that holds case numbers)."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def count_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, count_status)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            REQUESTS.labels(self._service, scope["method"], route, str(status)).inc()
            LATENCY.labels(self._service, route).observe(time.perf_counter() - started)
