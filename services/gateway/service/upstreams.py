"""The services behind the gateway: in the same process, or over HTTP. Both speak ASGI to us.

Errors, all before anything was answered::

    UpstreamError
      UnreachableError   no connection: nothing was done
      SilentError        no answer in time: what was done is unknown
      BrokenError        the connection or the answer broke off: what was done is unknown
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import aiohttp
from multidict import CIMultiDict
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from yarl import URL

from services.gateway.service.headers import returned_headers
from services.gateway.settings import GatewaySettings

# uvicorn closes an idle connection after five seconds: give it up before, or a request is sent
# into a connection that is just being closed.
_IDLE_S = 3.0
_MOST_CONNECTIONS = 512
_READ_AT_ONCE_BYTES = 64 * 1024
_NOT_OURS_TO_ADD = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class UpstreamError(Exception):
    """A service did not answer."""


class UnreachableError(UpstreamError):
    """No connection."""


class SilentError(UpstreamError):
    """No answer in time."""


class BrokenError(UpstreamError):
    """The connection or the answer broke off."""


class Upstream(Protocol):
    """A service as the gateway calls it. Raises UpstreamError."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class Upstreams(Protocol):
    """All services behind the gateway, by name."""

    def __getitem__(self, service: str) -> Upstream: ...

    async def close(self) -> None: ...


class InProcess:
    """Services that run in this process, called directly."""

    def __init__(self, apps: Mapping[str, ASGIApp], answer_timeout_s: float = 30.0) -> None:
        self._services = {name: _LocalService(app, answer_timeout_s) for name, app in apps.items()}

    def __getitem__(self, service: str) -> Upstream:
        return self._services[service]

    async def close(self) -> None:
        """The services are whoever's made them."""


class _LocalService:
    def __init__(self, app: ASGIApp, answer_timeout_s: float) -> None:
        self._app = app
        self._answer_timeout_s = answer_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(self._answer_timeout_s) as limit:

                async def send_in_time(message: Message) -> None:
                    if message["type"] == "http.response.start":
                        limit.reschedule(None)
                        message = {**message, "headers": returned_headers(message["headers"])}
                    await send(message)

                await self._app(scope, receive, send_in_time)
        except TimeoutError as error:
            if limit.expired():
                raise SilentError from error
            raise


class OverHttp:
    """Services in other processes. Connections are opened when first needed and kept."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._urls = settings.upstream_urls
        self._timeout = aiohttp.ClientTimeout(
            total=None,
            connect=settings.upstream_connect_timeout_s,
            sock_read=settings.upstream_answer_timeout_s,
        )
        self._session: aiohttp.ClientSession | None = None

    def __getitem__(self, service: str) -> Upstream:
        if service not in self._urls:
            raise UnreachableError(f"no URL is set for {service}")
        return _RemoteService(self._opened(), self._urls[service].rstrip("/"))

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, keepalive_timeout=_IDLE_S),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_NOT_OURS_TO_ADD,
            )
        return self._session


class _RemoteService:
    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._session.request(
                scope["method"],
                _url(self._base_url, scope),
                headers=CIMultiDict((n.decode("latin-1"), v.decode("latin-1")) for n, v in scope["headers"]),
                data=await _body(receive),
                allow_redirects=False,
            ) as answer:
                await _pass_on(answer, send)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnreachableError(str(error)) from error
        except TimeoutError as error:
            raise SilentError(str(error)) from error
        except aiohttp.ClientError as error:
            raise BrokenError(str(error)) from error


def _url(base_url: str, scope: Scope) -> URL:
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    return URL(base_url + path + (f"?{query}" if query else ""), encoded=True)


async def _body(receive: Receive) -> AsyncIterator[bytes] | None:
    """The request's body as it comes, None where there is none: headers do not tell any more."""
    first = await receive()
    if not first.get("body") and not first.get("more_body"):
        return None
    return _pieces(first, receive)


async def _pieces(message: Message, receive: Receive) -> AsyncIterator[bytes]:
    yield message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the caller went away")
        yield message.get("body", b"")


async def _pass_on(answer: aiohttp.ClientResponse, send: Send) -> None:
    headers = returned_headers(answer.raw_headers)
    # A small answer is read to its end first: if it breaks off, the caller still gets a clean 502.
    if answer.content_length is not None and answer.content_length <= _READ_AT_ONCE_BYTES:
        body = await answer.read()
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async for chunk in answer.content.iter_any():
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
