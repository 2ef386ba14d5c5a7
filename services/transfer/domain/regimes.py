"""Which regime two regions use with each other: a parameter of their catalogues, no region's name."""

from __future__ import annotations

import datetime as dt

from libs.catalogue.lookup import Catalogues
from services.transfer.domain.stages import Regime, Side, regime_between

_OPERATIONS = ("transfer.in", "transfer.out", "transfer.relation")


def regime_for(catalogues: Catalogues, from_region: str, to_region: str, on: dt.date) -> Regime:
    """Platform where both regions' catalogues in force on ``on`` say so, otherwise letters."""
    return regime_between(_regime_said(catalogues, from_region, on), _regime_said(catalogues, to_region, on))


def accepting_sides(regime: Regime) -> frozenset[Side]:
    """Letters: the transferring-in agency accepts (shandong-2020 L538-540); platform: either end."""
    return frozenset({Side.IN}) if regime is Regime.LETTER else frozenset(Side)


def _regime_said(catalogues: Catalogues, region_code: str, on: dt.date) -> str | None:
    stated = catalogues.parameter_in_force(region_code, _OPERATIONS, "transfer.regime", on)
    return str(stated.parameter.value) if stated else None
