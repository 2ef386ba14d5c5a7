"""Agencies (经办机构) that take part in the exchange: names, addresses, accounts, where to reach them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from libs.refusals.faults import Fault, invalid

DEFAULT_FILE = Path(__file__).parent / "data" / "agencies.yaml"


@dataclass(frozen=True)
class Agency:
    """One pooling area's agency. ``exchange_url`` is None where it runs in the same deployment."""

    region_code: str
    name: str
    address: str
    postcode: str
    telephone: str
    account_name: str
    bank_name: str
    account_no: str
    exchange_url: str | None = None


class Agencies:
    """The directory of agencies by region code."""

    def __init__(self, agencies: list[Agency]) -> None:
        self._by_region = {agency.region_code: agency for agency in agencies}

    @classmethod
    def from_file(cls, path: Path = DEFAULT_FILE) -> Agencies:
        """Read a directory file of the shape of data/agencies.yaml."""
        return cls([Agency(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))])

    def region_codes(self) -> list[str]:
        """Regions of all agencies, as listed."""
        return list(self._by_region)

    def local_region_codes(self) -> list[str]:
        """Regions whose agency runs in this deployment."""
        return [code for code, agency in self._by_region.items() if agency.exchange_url is None]

    def find(self, region_code: str) -> Agency | None:
        """The region's agency, or None if it does not take part."""
        return self._by_region.get(region_code)

    def require(self, region_code: str, pointer: str) -> Agency:
        """The region's agency. Raises Refusal (invalid) naming the field where there is none."""
        agency = self.find(region_code)
        if agency is None:
            message = f"行政区划{region_code}的经办机构未接入转移接续交换，请核对代码或线下办理。"
            raise invalid("agency_unknown", message, [Fault("agency_unknown", message, pointer)])
        return agency
