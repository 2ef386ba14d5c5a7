"""How message bodies are kept at rest: bodies hold identity numbers and bank accounts, the rest does not."""

from __future__ import annotations

import json
from typing import Protocol

from libs.exchange.canonical import JsonObject, canonical
from libs.exchange.envelope import Message


class BodyKeeper(Protocol):
    """Encrypts bodies on the way into the database and decrypts them on the way out."""

    def protect(self, body: bytes) -> bytes:
        """What is stored for ``body``."""
        ...

    def reveal(self, kept: bytes) -> bytes:
        """The body that was stored as ``kept``."""
        ...


class PlainBodies:
    """Keeps bodies as they are: tests and conformance runs with made-up people."""

    def protect(self, body: bytes) -> bytes:
        return body

    def reveal(self, kept: bytes) -> bytes:
        return kept


PLAIN = PlainBodies()


def kept_body(message: Message, keeper: BodyKeeper) -> bytes:
    """The column ``body`` for this message."""
    return keeper.protect(canonical(message.body))


def restored(header: JsonObject, body: bytes, keeper: BodyKeeper) -> Message:
    """The message from its two columns."""
    return Message.model_validate({**header, "body": json.loads(keeper.reveal(body))})
