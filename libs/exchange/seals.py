"""Seals: who may sign for a region, and whether a signature is theirs.

One suite now, Ed25519; SM2 with SM3 follows as one more ``Signer`` and one more entry in ``ALGORITHMS``.
A key may live in a file, in a database or in an HSM: ``Signer`` only promises a signature.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict

from libs.exchange.envelope import D, Document, Moment, RegionCode, Seal
from libs.exchange.faults import Code, Fault

ED25519 = "ed25519"


class TrustedKey(BaseModel):
    """A region's public key (base64 of the raw key) and when it may be used: from ``valid_from`` up to, not
    including, ``valid_until``; nothing under a key revoked before it was checked is believed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region_code: RegionCode
    algorithm: str
    key_id: str
    public_key: str
    valid_from: Moment
    valid_until: Moment | None = None
    revoked_at: Moment | None = None


class Signer(Protocol):
    """Signs for one region with one key."""

    region_code: str
    algorithm: str
    key_id: str

    def sign(self, content: bytes) -> bytes:
        """The raw signature over ``content``."""
        ...


class Ed25519Signer:
    """Signs with an Ed25519 key held in memory."""

    algorithm = ED25519

    def __init__(self, region_code: str, private_key: Ed25519PrivateKey) -> None:
        self.region_code = region_code
        self._key = private_key
        self._public = private_key.public_key().public_bytes_raw()
        self.key_id = key_id_of(self._public)

    @classmethod
    def generate(cls, region_code: str) -> Self:
        """A signer with a new key."""
        return cls(region_code, Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, region_code: str, pem: bytes, password: bytes | None = None) -> Self:
        """A signer from a PKCS#8 file. Raises ValueError if it holds another kind of key."""
        key = serialization.load_pem_private_key(pem, password)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError(f"签章密钥文件里应为 Ed25519 私钥，实际是 {type(key).__name__}")
        return cls(region_code, key)

    def pem(self, password: bytes | None = None) -> bytes:
        """The private key as PKCS#8, encrypted if a password is given."""
        protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password:
            protection = serialization.BestAvailableEncryption(password)
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
        )

    def sign(self, content: bytes) -> bytes:
        return self._key.sign(content)

    def trusted_key(self, valid_from: dt.datetime, valid_until: dt.datetime | None = None) -> TrustedKey:
        """What the other agencies enter into their directories."""
        return TrustedKey(
            region_code=self.region_code,
            algorithm=self.algorithm,
            key_id=self.key_id,
            public_key=base64.b64encode(self._public).decode(),
            valid_from=valid_from,
            valid_until=valid_until,
        )


def key_id_of(public_key: bytes) -> str:
    """Short name of a key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def sealed(document: D, signer: Signer) -> D:
    """``document`` under the seal of ``signer``."""
    blank = Seal(signer=signer.region_code, algorithm=signer.algorithm, key_id=signer.key_id)
    prepared = document.model_copy(update={"seal": blank})
    value = base64.b64encode(signer.sign(prepared.sealed_bytes())).decode()
    return prepared.model_copy(update={"seal": blank.model_copy(update={"value": value})})


def _ed25519_verify(public_key: bytes, signature: bytes, content: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)


# Each raises InvalidSignature (or ValueError for a key of the wrong shape).
ALGORITHMS: dict[str, Callable[[bytes, bytes, bytes], None]] = {ED25519: _ed25519_verify}


class KeyDirectory:
    """Which keys each region may sign with. Grows by adding; a lost key is revoked, not removed."""

    def __init__(self, keys: Iterable[TrustedKey] = ()) -> None:
        self._keys: dict[tuple[str, str], TrustedKey] = {}
        for key in keys:
            self.add(key)

    def add(self, key: TrustedKey) -> None:
        """Add or replace a key."""
        self._keys[key.region_code, key.key_id] = key

    def find(self, region_code: str, key_id: str) -> TrustedKey | None:
        """The key of this region with this id, valid or not."""
        return self._keys.get((region_code, key_id))

    def of(self, *region_codes: str) -> list[TrustedKey]:
        """All keys of these regions."""
        return [key for key in self._keys.values() if key.region_code in region_codes]

    @classmethod
    def from_data(cls, data: list[dict[str, Any]]) -> Self:
        """From JSON values, as ``to_data`` wrote them."""
        return cls(TrustedKey.model_validate(entry) for entry in data)

    def to_data(self, *region_codes: str) -> list[dict[str, Any]]:
        """JSON values of the keys of these regions (all, if none is named)."""
        keys = self.of(*region_codes) if region_codes else self._keys.values()
        return [key.model_dump(mode="json") for key in keys]


class Verifier:
    """Checks seals against a directory."""

    def __init__(self, directory: KeyDirectory) -> None:
        self.directory = directory

    def faults(
        self, document: Document, region_code: str, *, made_at: dt.datetime, checked_at: dt.datetime
    ) -> list[Fault]:
        """Why the seal is not one of ``region_code``; empty if it is.

        The key must have been valid at ``made_at``, and not revoked by ``checked_at``: with a stolen key one
        could date a message back, so after a revocation nothing new is believed.
        """
        seal = document.seal
        if seal is None:
            return [_fault("seal", "签章（seal）：必填")]
        if seal.signer != region_code:
            said = f"签章地区（seal.signer）：应为发出地区{region_code}，实际是{seal.signer}"
            return [_fault("seal.signer", said)]
        key = self.directory.find(region_code, seal.key_id)
        if key is None or key.algorithm != seal.algorithm or seal.algorithm not in ALGORITHMS:
            said = f"密钥编号（seal.key_id）：公钥目录里没有{region_code}的{seal.algorithm}密钥{seal.key_id}"
            return [_fault("seal.key_id", f"{said}；请先登记公钥", Code.SIGNER_UNKNOWN)]
        return _validity_faults(key, made_at, checked_at) or _signature_faults(key, seal, document)


def _validity_faults(key: TrustedKey, made_at: dt.datetime, checked_at: dt.datetime) -> list[Fault]:
    if key.revoked_at is not None and checked_at >= key.revoked_at:
        return [_fault("seal.key_id", f"密钥编号（seal.key_id）：密钥{key.key_id}已作废，请用有效的密钥签章")]
    if made_at < key.valid_from or (key.valid_until is not None and made_at >= key.valid_until):
        said = f"密钥编号（seal.key_id）：签章时密钥{key.key_id}不在有效期内，请用有效的密钥签章"
        return [_fault("seal.key_id", said)]
    return []


def _signature_faults(key: TrustedKey, seal: Seal, document: Document) -> list[Fault]:
    try:
        signature = base64.b64decode(seal.value, validate=True)
        public_key = base64.b64decode(key.public_key, validate=True)
        ALGORITHMS[seal.algorithm](public_key, signature, document.sealed_bytes())
    except (InvalidSignature, binascii.Error, ValueError):
        said = "签章值（seal.value）：与文件内容不符，文件被改动过或不是用所称密钥签的"
        return [_fault("seal.value", said)]
    return []


def _fault(field: str, message: str, code: Code = Code.SEAL_INVALID) -> Fault:
    return Fault(code=code, field=field, message=message)
