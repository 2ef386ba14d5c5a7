"""Carries a message to the other agency and brings back its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import httpx

PATH = "/exchange/v1/messages"
ANSWER_MAX_BYTES = 256 * 1024


class NotCarried(Exception):
    """No answer came back; the message says why, in Chinese, without personal data."""


class Courier(Protocol):
    """The way to the peers. Tests put their unreliable networks here."""

    async def carry(self, to_region: str, raw: bytes) -> bytes:
        """Deliver ``raw`` and return the answer's bytes. Raises NotCarried."""
        ...


class HttpCourier:
    """POSTs to each region's base address (``https://host``) plus ``PATH``.

    One client serves all peers; within one process give it an ``httpx.ASGITransport``. ``address_of`` returns
    None for a region nobody has registered.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        address_of: Callable[[str], str | None],
        *,
        timeout_s: float = 30.0,
    ) -> None:
        self._client = client
        self._address_of = address_of
        self._timeout_s = timeout_s

    async def carry(self, to_region: str, raw: bytes) -> bytes:
        address = self._address_of(to_region)
        if address is None:
            raise NotCarried(f"通讯录里没有{to_region}的交换地址，请先登记")
        try:
            return await self._post(address.rstrip("/") + PATH, raw)
        except httpx.HTTPError as error:
            raise NotCarried(f"无法送达{to_region}：{type(error).__name__}") from error

    async def _post(self, url: str, raw: bytes) -> bytes:
        headers = {"content-type": "application/json", "accept": "application/json"}
        async with self._client.stream(
            "POST", url, content=raw, headers=headers, timeout=self._timeout_s
        ) as response:
            # Receipts come with 200, refusals with 4xx; only the seal on them counts.
            if response.status_code != 200 and not 400 <= response.status_code < 500:
                raise NotCarried(f"对方答复 HTTP {response.status_code}，没有回执")
            answer = bytearray()
            async for part in response.aiter_bytes():
                answer += part
                if len(answer) > ANSWER_MAX_BYTES:
                    raise NotCarried(f"对方的答复超过{ANSWER_MAX_BYTES}字节")
            return bytes(answer)
