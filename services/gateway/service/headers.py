"""Headers on their way through: what is passed on, what stays here, what is added."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]

# RFC 9110 §7.6.1: for one hop only.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# Where a request comes from is said by us, never by the caller.
_SAID_BY_US = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})
_NOT_PASSED_ON = _HOP_BY_HOP | _SAID_BY_US | {b"host", b"expect"}
_NOT_RETURNED = _HOP_BY_HOP | {b"date", b"server"}

_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def forwarded_headers(headers: Iterable[tuple[bytes, bytes]], address: str, scheme: str) -> Headers:
    """Headers of a request as the service gets them. ``address`` is the caller's."""
    given = list(headers)
    named = _named_in_connection(given)
    kept = [
        (name, value)
        for name, value in given
        if name not in _NOT_PASSED_ON and name not in named and name != b"traceparent"
    ]
    return [
        *kept,
        (b"x-forwarded-for", address.encode()),
        (b"x-forwarded-proto", scheme.encode()),
        (b"traceparent", _trace_of(given)),
    ]


def returned_headers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers of a service's answer as the caller gets them."""
    given = [(name.lower(), value) for name, value in headers]
    named = _named_in_connection(given)
    return [(name, value) for name, value in given if name not in _NOT_RETURNED and name not in named]


def _named_in_connection(headers: Headers) -> set[bytes]:
    values = b",".join(value for name, value in headers if name == b"connection")
    return {part.strip().lower() for part in values.split(b",")}


def _trace_of(headers: Headers) -> bytes:
    """The caller's trace, or a new one where it has none (W3C Trace Context)."""
    given = next((value for name, value in headers if name == b"traceparent"), b"")
    if _TRACEPARENT.fullmatch(given):
        return given
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01".encode()
