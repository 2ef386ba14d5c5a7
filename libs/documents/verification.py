"""Whether a paper is what its agency sealed: by whom and when, whole, unchanged, and trusted."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

from asn1crypto.core import Asn1Value
from asn1crypto.x509 import Certificate
from pyhanko.keys.pemder import load_certs_from_pemder_data
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import async_validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import PdfSignatureStatus, SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from libs.casework.clock import SHANGHAI

# It logs the subject of every certificate it does not trust: a stranger's name has no place in our log.
logging.getLogger("pyhanko.sign").setLevel(logging.CRITICAL)

UNREADABLE = "文件不是可读取的PDF，无法核验。"
UNSEALED = "文件没有电子签章，不能证明由经办机构出具。"
SEVERAL = "文件有不止一个签章，不是本系统出具的凭证。"
CHANGED = "内容在盖章后被改动，不可采信。"
ADDED = "盖章后又追加了内容，签章没有覆盖整份文件，不可采信。"
UNTRUSTED = "签章证书不在受信任的名单内，或当时不在有效期内，不能证明盖章人身份。"
FUTURE = "签章时间晚于现在，不可采信。"


@dataclass(frozen=True)
class SealReport:
    """What was found. ``faults`` are in Chinese, all of them; none means the paper is genuine.

    ``sealed_by``: whose the seal's certificate is; ``sealed_at``: what the seal itself says
    (no time stamping authority stands behind it), in Asia/Shanghai.
    """

    sealed_by: str | None
    sealed_at: dt.datetime | None
    intact: bool
    covers_all: bool
    trusted: bool
    faults: tuple[str, ...]

    @property
    def genuine(self) -> bool:
        """Sealed by a trusted agency, whole and unchanged."""
        return not self.faults


def trusted_roots(pem: bytes) -> list[Certificate]:
    """Certificates of a PEM file, for ``verify``. Raises ValueError."""
    return list(load_certs_from_pemder_data(pem))


def verify(pdf: bytes, roots: Sequence[Certificate], now: dt.datetime) -> SealReport:
    """Verify a paper of anybody's. Not to be called on an event loop: it works, and runs its own.

    The certificate must have been good at the time the seal says: a paper outlives the seal's certificate.
    """
    try:
        return asyncio.run(_verify(pdf, roots, now))
    except Exception:
        # Whatever a stranger's bytes do to the reader (a hundred kinds of error), they are no paper of ours.
        return _nothing(UNREADABLE)


async def _verify(pdf: bytes, roots: Sequence[Certificate], now: dt.datetime) -> SealReport:
    signatures = PdfFileReader(BytesIO(pdf)).embedded_signatures
    if len(signatures) != 1:
        return _nothing(SEVERAL if signatures else UNSEALED)
    signature = signatures[0]
    said = signature.self_reported_timestamp
    context = ValidationContext(trust_roots=list(roots), allow_fetching=False, moment=said or now)
    # What was added later need not be understood, only found: a stranger's file is not worth the work.
    status = await async_validate_pdf_signature(signature, signer_validation_context=context, skip_diff=True)
    return _report(signature, status, said, now)


def _report(
    signature: EmbeddedPdfSignature, status: PdfSignatureStatus, said: dt.datetime | None, now: dt.datetime
) -> SealReport:
    signed = status.intact and status.valid
    intact = signed and _padded_with_nothing(signature)
    covers_all = status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    checks = (
        (intact, CHANGED),
        (covers_all, ADDED),
        (status.trusted or not signed, UNTRUSTED),  # nobody is asked about a seal that is broken
        (said is not None and said <= now + dt.timedelta(minutes=5), FUTURE),
    )
    subject = signature.signer_cert.subject.native
    return SealReport(
        sealed_by=subject.get("organization_name") or subject.get("common_name"),
        sealed_at=said and said.astimezone(SHANGHAI),
        intact=intact,
        covers_all=covers_all,
        trusted=status.trusted,
        faults=tuple(fault for good, fault in checks if not good),
    )


def _padded_with_nothing(signature: EmbeddedPdfSignature) -> bool:
    """The signature lies in a gap it does not cover itself; what it leaves of the gap must be zeros."""
    gap: bytes = signature.pkcs7_content
    length = len(Asn1Value.load(gap).dump())
    return not gap[length:].strip(b"\0")


def _nothing(fault: str) -> SealReport:
    return SealReport(None, None, intact=False, covers_all=False, trusted=False, faults=(fault,))
