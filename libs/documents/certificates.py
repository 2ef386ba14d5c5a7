"""Certificates for seals of our own making: for development, rehearsals and the embedded size.

In production an agency brings the key and certificate of its licensed certification authority, in the
same files. A root made here signs the seals made with it and is then forgotten: nobody can add to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

# As the exchange keys: believed for any paper they seal, whatever the clock of a rehearsal says.
_FROM = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
_UNTIL = dt.datetime(2049, 12, 31, tzinfo=dt.UTC)
_COMMON_NAME_BYTES = 64
ROOT_NAME = "yibao 电子签章根证书（自建，非生产用）"


@dataclass(frozen=True)
class SealCertificates:
    """PEM: the root's certificate, and by region the private key with the certificate of its seal."""

    root: bytes
    seals: dict[str, bytes]


def make_seal_certificates(agencies: Mapping[str, str]) -> SealCertificates:
    """A new root, and under it a seal for each agency (region code -> name). ECDSA P-256, SHA-256."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate(root_key, _name(ROOT_NAME), None, root_key)
    seals = {}
    for region_code, agency in agencies.items():
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(key, _name(agency, region_code), root, root_key)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        seals[region_code] = private + certificate.public_bytes(Encoding.PEM)
    return SealCertificates(root.public_bytes(Encoding.PEM), seals)


def _name(name: str, region_code: str | None = None) -> x509.Name:
    """Subject: the whole name as organisation; a common name has room for 64 bytes, 21 characters."""
    common_name = name.encode()[:_COMMON_NAME_BYTES].decode(errors="ignore")
    parts = [(NameOID.COUNTRY_NAME, "CN"), (NameOID.ORGANIZATION_NAME, name)]
    parts += [(NameOID.SERIAL_NUMBER, region_code)] if region_code else []
    parts.append((NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    subject: x509.Name,
    issuer: x509.Certificate | None,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    is_root = issuer is None
    usage = x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=not is_root,  # PAdES: whoever seals commits to what it says
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    return builder.sign(issuer_key, hashes.SHA256())
