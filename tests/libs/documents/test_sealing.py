"""A seal holds: whoever reads the paper can tell that the agency sealed it and nobody touched it since."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from rich.console import Console

from libs.casework.clock import AdjustableClock
from libs.documents import verification
from libs.documents.certificates import make_seal_certificates
from libs.documents.layout import LaidOut, lay_out
from libs.documents.reports import verify_file
from libs.documents.sealing import FileSealer, seal
from libs.documents.verification import trusted_roots, verify
from tests.libs.documents.pages import AGENCY, AT, red_share, sheet, words

CERTIFICATES = make_seal_certificates({"370400": AGENCY})
ROOTS = trusted_roots(CERTIFICATES.root)
SEALER = FileSealer(AGENCY, CERTIFICATES.seals["370400"])


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return seal(lay_out(sheet(), AT), SEALER, AT)


def test_a_sealed_paper_is_genuine(sealed: bytes) -> None:
    report = verify(sealed, ROOTS, AT)
    assert report.genuine
    assert (report.intact, report.covers_all, report.trusted) == (True, True, True)
    assert (report.sealed_by, report.sealed_at) == (AGENCY, AT)


def test_the_library_s_own_verification_agrees(sealed: bytes) -> None:
    signature = PdfFileReader(BytesIO(sealed)).embedded_signatures[0]
    context = ValidationContext(trust_roots=ROOTS, allow_fetching=False)
    status = validate_pdf_signature(signature, context)
    assert status.bottom_line
    assert signature.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert status.md_algorithm == "sha256"


def test_every_flipped_bit_is_found(sealed: bytes) -> None:
    for place in range(0, len(sealed), 97):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert not verify(bytes(changed), ROOTS, AT).genuine, f"bit at {place} of {len(sealed)}"


def test_a_changed_byte_of_the_content_is_called_so(sealed: bytes) -> None:
    changed = bytearray(sealed)
    changed[sealed.index(b"20260310093000") + 13] ^= 1
    report = verify(bytes(changed), ROOTS, AT)
    assert report.faults == (verification.CHANGED,)
    assert not report.intact


def test_a_revision_added_later_is_found(sealed: bytes) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(sealed))
    writer.root["/Lang"] = writer.root["/Lang"].__class__("en")
    writer.update_root()
    out = BytesIO()
    writer.write(out)
    report = verify(out.getvalue(), ROOTS, AT)
    assert verification.ADDED in report.faults
    assert not report.covers_all


def test_bytes_after_the_end_are_found(sealed: bytes) -> None:
    assert not verify(sealed + b"\n% more", ROOTS, AT).genuine


def test_a_seal_of_nobody_we_trust_is_found(sealed: bytes) -> None:
    others = trusted_roots(make_seal_certificates({}).root)
    assert verify(sealed, others, AT).faults == (verification.UNTRUSTED,)
    assert verify(sealed, [], AT).faults == (verification.UNTRUSTED,)


def test_a_seal_of_tomorrow_is_found(sealed: bytes) -> None:
    assert verify(sealed, ROOTS, AT - dt.timedelta(days=1)).faults == (verification.FUTURE,)


@pytest.mark.parametrize(
    "junk", [b"", b"abc", b"%PDF-1.4\n%%EOF", b"%PDF-1.7\nxref\n0 1\ntrailer<</Root 1 0 R>>"]
)
def test_what_is_no_pdf_is_called_so(junk: bytes) -> None:
    assert verify(junk, ROOTS, AT).faults == (verification.UNREADABLE,)


def test_a_paper_without_seal_is_called_so() -> None:
    assert verify(lay_out(sheet(), AT).pdf, ROOTS, AT).faults == (verification.UNSEALED,)


def test_the_seal_is_to_be_seen_and_adds_no_words(sealed: bytes) -> None:
    assert red_share(lay_out(sheet(), AT).pdf) == 0
    assert 0.003 < red_share(sealed) < 0.03
    assert words(sealed) == words(lay_out(sheet(), AT).pdf)


def test_a_sheet_without_place_for_a_seal_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="no place"):
        seal(LaidOut(lay_out(sheet(), AT).pdf, 1, None), SEALER, AT)


@pytest.mark.parametrize(
    "name", ["局", "内蒙古自治区锡林郭勒盟苏尼特右旗医疗保障服务中心综合业务经办机构分中心"]
)
def test_short_and_long_names_fit_around_the_seal(name: str) -> None:
    certificates = make_seal_certificates({"1": name})
    paper = seal(lay_out(sheet(), AT), FileSealer(name, certificates.seals["1"]), AT)
    assert verify(paper, trusted_roots(certificates.root), AT).genuine


def test_a_file_without_key_or_certificate_is_no_seal() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the library's own words
        FileSealer(AGENCY, CERTIFICATES.root)
    key_only = CERTIFICATES.seals["370400"].split(b"-----BEGIN CERTIFICATE")[0]
    with pytest.raises(ValueError, match="no certificate"):
        FileSealer(AGENCY, key_only)


def test_the_command_tells_in_chinese_and_by_its_exit_code(tmp_path: Path, sealed: bytes) -> None:
    paper, roots = tmp_path / "paper.pdf", tmp_path / "trusted.pem"
    roots.write_bytes(CERTIFICATES.root)
    clock, page = AdjustableClock(AT), Console(record=True, width=120)
    paper.write_bytes(sealed)
    assert verify_file(paper, roots, page, clock) == 0
    paper.write_bytes(sealed + b"\n% more")
    assert verify_file(paper, roots, page, clock) == 1
    assert verify_file(tmp_path / "none.pdf", roots, page, clock) == 2
    told = page.export_text()
    assert AGENCY in told
    assert "核验通过" in told
    assert verification.ADDED in told
    assert "无法读取" in told
