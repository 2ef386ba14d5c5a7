"""Passwords and client secrets: argon2id, off the event loop."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_hasher = PasswordHasher()  # argon2-cffi's profile: RFC 9106, low memory (64 MiB, about 50 ms)

# Verified where nobody has the name: an unknown name takes as long as a wrong password.
_NOBODY = _hasher.hash("nobody")


def hash_of(secret: str) -> str:
    """What is stored in place of the secret."""
    return _hasher.hash(secret)


async def is_right(secret: str, stored: str | None) -> bool:
    """Whether ``secret`` is the one stored; never where nothing is stored."""
    right = await asyncio.to_thread(_verify, secret, stored or _NOBODY)
    return right and stored is not None


def _verify(secret: str, stored: str) -> bool:
    try:
        return _hasher.verify(stored, secret)
    except (VerificationError, InvalidHashError):
        return False
