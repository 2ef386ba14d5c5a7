"""Sealing a paper: a PAdES signature (B-B, detached, SHA-256) that shows as the agency's red seal."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from pyhanko.keys.pemder import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.content import RawContent
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, Signer, SimpleSigner
from pyhanko.stamp import StaticContentStamp, StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from libs.casework.clock import SHANGHAI
from libs.documents.emblem import DIAMETER, emblem
from libs.documents.layout import LaidOut

FIELD_NAME = "AgencySeal"
_DIGEST = "sha256"
# Drawn over the agency's name, which stays to be read through it.
_OPACITY = 0.82


class Sealer(Protocol):
    """Whoever keeps an agency's seal: a key file now, a hardware module later.

    ``name`` is what the seal shows; ``signer`` what pyHanko signs with (it has one for PKCS#11 too).
    """

    @property
    def name(self) -> str: ...

    @property
    def signer(self) -> Signer: ...


class FileSealer:
    """A seal whose private key lies in a PEM file beside its certificate (and those above it)."""

    def __init__(self, name: str, pem: bytes) -> None:
        """Raises ValueError where the PEM holds no private key or no certificate."""
        self.name = name
        certificates = list(load_certs_from_pemder_data(pem))
        if not certificates:
            raise ValueError("the seal's file holds no certificate")
        key = load_private_key_from_pemder_data(pem, passphrase=None)
        chain = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        chain.register_multiple(certificates[1:])
        self.signer: Signer = SimpleSigner(certificates[0], key, chain)

    @classmethod
    def from_file(cls, name: str, path: Path) -> FileSealer:
        """The seal kept at ``path``. Raises OSError, ValueError."""
        return cls(name, path.read_bytes())


def seal(paper: LaidOut, sealer: Sealer, at: dt.datetime, extra_fonts: tuple[Path, ...] = ()) -> bytes:
    """The paper with its seal: afterwards nothing may be changed or added.

    Raises ValueError for a sheet without a place for it.
    """
    if paper.seal_place is None:
        raise ValueError("the sheet has no place for a seal")
    drawing = emblem(sealer.name, extra_fonts)
    place, radius = paper.seal_place, DIAMETER / 2
    box = (place.x - radius, place.y - radius, place.x + radius, place.y + radius)
    metadata = PdfSignatureMetadata(
        field_name=FIELD_NAME,
        md_algorithm=_DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        name=sealer.name,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    style = _SealStyle(
        background=RawContent(drawing, box=BoxConstraints(DIAMETER, DIAMETER)),
        background_opacity=_OPACITY,
        border_width=0,
    )
    signer = _ClockedSigner(
        metadata,
        sealer.signer,
        stamp_style=style,
        new_field_spec=SigFieldSpec(FIELD_NAME, on_page=place.page, box=_whole(box)),
    )
    signer.at = at.astimezone(SHANGHAI)
    sealed = signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(paper.pdf)))
    return bytes(sealed.getvalue())


class _SealStyle(StaticStampStyle):
    """The seal's drawing, compressed: a third of what it is otherwise."""

    def create_stamp(
        self, writer: BasePdfFileWriter, box: BoxConstraints, text_params: dict[str, Any]
    ) -> StaticContentStamp:
        return _SealStamp(writer=writer, style=self, box=box)


class _SealStamp(StaticContentStamp):
    def as_form_xobject(self) -> StreamObject:
        drawing = super().as_form_xobject()
        drawing.compress()  # type: ignore[no-untyped-call]
        return drawing


class _ClockedSigner(PdfSigner):
    """Signs at the time of the injected clock, not of the machine."""

    at: dt.datetime

    def init_signing_session(self, *args: Any, **options: Any) -> Any:
        session = super().init_signing_session(*args, **options)
        session.system_time = self.at
        return session


def _whole(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    """Whole points, as a field's box is given; the width stays what it is."""
    left, bottom = round(box[0]), round(box[1])
    return left, bottom, left + round(DIAMETER), bottom + round(DIAMETER)
