"""The seals of the agencies that run here, and the directory of everybody's public keys."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from libs.casework.clock import SHANGHAI
from libs.exchange.seals import Ed25519Signer, KeyDirectory
from libs.regions.agencies import DEFAULT_FILE, Agencies

TRUSTED_KEYS_FILE = "trusted.json"
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
