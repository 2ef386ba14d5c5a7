"""The seals of the agencies that run here: for the exchange, with everybody's public keys, and for papers."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from libs.casework.clock import SHANGHAI
from libs.documents.certificates import make_seal_certificates
from libs.exchange.seals import Ed25519Signer, KeyDirectory
from libs.regions.agencies import DEFAULT_FILE, Agencies

TRUSTED_KEYS_FILE = "trusted.json"
TRUSTED_ROOTS_FILE = "trusted.pem"
# A key made here is nobody else's: it may be believed for any message it signs.
_VALID_FROM = dt.datetime(2020, 1, 1, tzinfo=SHANGHAI)


def keep_seals(folder: Path, agencies_file: Path = DEFAULT_FILE) -> Path:
    """A seal for every agency that runs here, and the directory of public keys, made once.

    Returns ``folder``. Keys of agencies elsewhere are added to ``trusted.json`` by hand.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    trusted = folder / TRUSTED_KEYS_FILE
    known = KeyDirectory.from_data(
        json.loads(trusted.read_text(encoding="utf-8")) if trusted.exists() else []
    )
    for region_code in Agencies.from_file(agencies_file).local_region_codes():
        path = folder / f"{region_code}.pem"
        if path.exists():
            continue
        signer = Ed25519Signer.generate(region_code)
        path.touch(mode=0o600)
        path.write_bytes(signer.pem())
        known.add(signer.trusted_key(_VALID_FROM))
    trusted.write_text(json.dumps(known.to_data(), ensure_ascii=False, indent=1), encoding="utf-8")
    return folder


def keep_paper_seals(folder: Path, agencies_file: Path = DEFAULT_FILE) -> Path:
    """A paper seal for every agency that runs here that has none, under a root made for it (and forgotten).

    Returns ``folder``. Seals of a licensed certification authority are laid there by hand instead, their
    root's certificate added to ``trusted.pem``; what lies there is left as it is.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    agencies = Agencies.from_file(agencies_file)
    local = {code: agencies.require(code, "").name for code in agencies.local_region_codes()}
    new = {code: name for code, name in local.items() if not (folder / f"{code}.pem").exists()}
    if not new:
        return folder
    made = make_seal_certificates(new)
    # The root first: a seal that is there is one that is trusted, also when this is cut short.
    with (folder / TRUSTED_ROOTS_FILE).open("ab") as trusted:
        trusted.write(made.root)
    for region_code, pem in made.seals.items():
        path = folder / f"{region_code}.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem)
    return folder
