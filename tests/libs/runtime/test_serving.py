"""Serving inside a running loop."""

from __future__ import annotations

import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from libs.runtime.serving import address_of, listening_socket, served


async def test_answers_are_served_and_not_held_back_by_nagles_algorithm() -> None:
    listener = listening_socket("127.0.0.1", 0)
    # asyncio sets TCP_NODELAY on accepted connections only where the listener names its protocol.
    assert listener.proto == socket.IPPROTO_TCP
    async with (
        served(Starlette(routes=[Route("/", _hello)]), listener),
        httpx.AsyncClient(base_url=address_of(listener)) as client,
    ):
        assert (await client.get("/")).text == "hello"


async def test_a_port_that_is_taken_is_told_at_once() -> None:
    first = listening_socket("127.0.0.1", 0)
    first.listen()
    with pytest.raises(OSError, match="in use"):
        listening_socket("127.0.0.1", first.getsockname()[1])
    first.close()


async def _hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")
