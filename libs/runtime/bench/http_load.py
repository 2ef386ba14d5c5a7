"""A lean HTTP/1.1 load generator: prepared bytes over kept-alive connections, nothing parsed twice.

Our own because a full client costs more than the server under test: with httpx the client, not
the gateway, would be measured.
"""

from __future__ import annotations

import asyncio
import time
from urllib.parse import urlsplit

from libs.runtime.bench.figures import Sample


class BadAnswer(Exception):
    """The server answered something else than 200: a figure over errors would be worthless."""


async def measure(url: str, headers: dict[str, str], *, connections: int, seconds: float) -> Sample:
    """Closed loop of GETs over ``connections`` for ``seconds``, after a second of warming up."""
    request = _request(url, headers)
    await _run(url, request, connections, 1.0)
    started = time.perf_counter()
    latencies = await _run(url, request, connections, seconds)
    return Sample.of(latencies, time.perf_counter() - started)


async def _run(url: str, request: bytes, connections: int, seconds: float) -> list[float]:
    deadline = time.perf_counter() + seconds
    results = await asyncio.gather(*(_one(url, request, deadline) for _ in range(connections)))
    return [latency for latencies in results for latency in latencies]


async def _one(url: str, request: bytes, deadline: float) -> list[float]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    latencies = []
    try:
        while (started := time.perf_counter()) < deadline:
            writer.write(request)
            await _read_answer(reader)
            latencies.append(time.perf_counter() - started)
    finally:
        writer.close()
        await writer.wait_closed()
    return latencies


async def _read_answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise BadAnswer(head.split(b"\r\n", 1)[0].decode())
    lowered = head.lower()
    at = lowered.index(b"content-length:") + len(b"content-length:")
    await reader.readexactly(int(lowered[at : lowered.index(b"\r\n", at)]))


def _request(url: str, headers: dict[str, str]) -> bytes:
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
