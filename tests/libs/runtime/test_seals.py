"""The seals an installation makes for itself: once, and trusted from the first."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from libs.casework.clock import SHANGHAI
from libs.documents.layout import lay_out
from libs.documents.sealing import FileSealer, seal
from libs.documents.verification import trusted_roots, verify
from libs.regions.agencies import Agencies
from libs.runtime.seals import keep_paper_seals
from tests.libs.documents.pages import sheet

AT = dt.datetime(2026, 3, 10, 9, 30, tzinfo=SHANGHAI)
AGENCY = """- {region_code: "%s", name: %s, address: 某路1号, postcode: "000000", telephone: "0000-0000000",
   account_name: 户, bank_name: 行, account_no: "1"}
"""


def genuine(folder: Path, region_code: str) -> bool:
    sealer = FileSealer.from_file("某经办机构", folder / f"{region_code}.pem")
    roots = trusted_roots((folder / "trusted.pem").read_bytes())
    return verify(seal(lay_out(sheet(), AT), sealer, AT), roots, AT).genuine


def test_every_agency_that_runs_here_has_a_trusted_seal(tmp_path: Path) -> None:
    folder = keep_paper_seals(tmp_path / "seals")
    codes = Agencies.from_file().local_region_codes()
    assert sorted(path.stem for path in folder.glob("*.pem")) == sorted([*codes, "trusted"])
    assert all(genuine(folder, code) for code in codes)


def test_only_the_owner_reads_a_seal(tmp_path: Path) -> None:
    folder = keep_paper_seals(tmp_path / "seals")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "370400.pem").stat().st_mode & 0o777 == 0o600


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    folder = keep_paper_seals(tmp_path / "seals")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    keep_paper_seals(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_new_agency_gets_a_seal_and_the_old_ones_stay_trusted(tmp_path: Path) -> None:
    agencies = tmp_path / "agencies.yaml"
    agencies.write_text(AGENCY % ("370400", "枣庄"), encoding="utf-8")
    folder = keep_paper_seals(tmp_path / "seals", agencies)
    old = (folder / "370400.pem").read_bytes()
    agencies.write_text(AGENCY % ("370400", "枣庄") + AGENCY % ("370600", "烟台"), encoding="utf-8")
    keep_paper_seals(folder, agencies)
    assert (folder / "370400.pem").read_bytes() == old
    assert genuine(folder, "370400")
    assert genuine(folder, "370600")
