"""What the service has at hand for as long as it runs."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from libs.casebook.cases import Case, Casebook
from libs.catalogue.lookup import Catalogues, ItemInForce
from libs.exchange.keeping import BodyKeeper
from libs.exchange.seals import Signer
from libs.protection.fields import FieldProtector
from libs.refusals.faults import invalid
from libs.regions.agencies import Agencies
from services.transfer.domain.rules import Rules
from services.transfer.domain.stages import Side

# Tried in this order: an edition that splits the item by direction, then one that does not.
OPERATIONS = {
    Side.IN: ("transfer.in", "transfer.relation"),
    Side.OUT: ("transfer.out", "transfer.relation"),
}


@dataclass(frozen=True)
class Office:
    """Case file, catalogues, directory, seals, keys and rules."""

    casebook: Casebook
    catalogues: Catalogues
    agencies: Agencies
    signers: dict[str, Signer]
    protector: FieldProtector
    keeper: BodyKeeper
    rules: Rules

    def signer_of(self, region_code: str) -> Signer:
        """The seal of a region whose agency runs here. Raises Refusal where it does not."""
        signer = self.signers.get(region_code)
        if signer is None:
            raise invalid("region_not_here", f"行政区划{region_code}的经办机构不在本系统办理业务。")
        return signer

    def item(self, region_code: str, side: Side, on: dt.date) -> ItemInForce:
        """The item in force for this side of a move."""
        return self.catalogues.item_for(region_code, OPERATIONS[side], on)

    def item_of(self, case: Case) -> ItemInForce:
        """The item a case was applied for, as it was in force then."""
        return self.catalogues.item(case.region_code, case.item_key, case.submitted_on)
