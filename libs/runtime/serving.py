"""Serve ASGI apps with uvicorn inside a running event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

# Requests under way may finish; who hangs on longer is cut off.
_GRACE_S = 10


class _Server(uvicorn.Server):
    """Leaves signals to whoever runs the loop: the stack around it stops everything in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket, so that the address is certain before anything is told of it. Port 0: a free one."""
    # The protocol is named because asyncio switches Nagle's algorithm off only for sockets that say
    # TCP; without it every answer in two parts waited 40 ms for the other side's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def address_of(listener: socket.socket) -> str:
    """``http://127.0.0.1:8080`` of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def served(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve ``app`` on the socket for as long as the block lasts."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=10
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(30):
            while not server.started:
                if serving.done():
                    serving.result()
                    raise RuntimeError("the server ended before it started")
                await asyncio.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        await serving
