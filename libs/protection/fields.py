"""Personal fields at rest: AES-256-GCM with a key id, and a keyed blind index to look them up.

Stored form: ``<key id>:<base64 of nonce and ciphertext>``. The region and field name are
authenticated with the value, so a ciphertext moved to another row's column does not open.
"""

from __future__ import annotations

import base64
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class UnknownKeyError(Exception):
    """The value was encrypted with a key this process does not have."""


class FieldProtector:
    """Encrypts, decrypts and indexes personal fields. Old keys stay readable, ``key_id`` writes."""

    def __init__(self, keys: dict[str, bytes], key_id: str, index_key: bytes) -> None:
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._key_id = key_id
        self._index_key = index_key

    def encrypt(self, value: str, context: str) -> str:
        """``context`` names where the value stands, e.g. ``370400/person.credential``."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._key_id].encrypt(nonce, value.encode(), context.encode())
        return f"{self._key_id}:{base64.b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str, context: str) -> str:
        """Raises UnknownKeyError, or cryptography's InvalidTag where value and context disagree."""
        key_id, _, encoded = stored.partition(":")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnknownKeyError(key_id)
        data = base64.b64decode(encoded)
        return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context.encode()).decode()

    def encrypt_bytes(self, value: bytes, context: str) -> bytes:
        """A file kept in the database: ``<key id>:`` and then nonce and ciphertext as they are."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._key_id].encrypt(nonce, value, context.encode())
        return self._key_id.encode() + b":" + nonce + sealed

    def decrypt_bytes(self, stored: bytes, context: str) -> bytes:
        """Inverse of ``encrypt_bytes``. Raises UnknownKeyError, InvalidTag as ``decrypt`` does."""
        key_id, _, data = stored.partition(b":")
        cipher = self._ciphers.get(key_id.decode())
        if cipher is None:
            raise UnknownKeyError(key_id.decode())
        return cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context.encode())

    def blind_index(self, value: str) -> str:
        """Keyed digest (64 hex places) of a canonical value; equal values have equal digests."""
        return hmac.digest(self._index_key, value.encode(), "sha256").hex()
