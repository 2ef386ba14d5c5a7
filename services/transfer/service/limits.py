"""Time limits of a case and of its stages, by the catalogues in force when it was applied for."""

from __future__ import annotations

import datetime as dt

from libs.casebook.cases import Case
from libs.casework.deadlines import CaseClock, TimeAllowed, allowed_by
from libs.casework.working_days import DueDate
from libs.catalogue.lookup import ItemInForce, scope_between
from libs.catalogue.schema import Unit
from libs.catalogue.situation import Situation
from services.transfer.domain.stages import STAGE_LIMITS, Side, Stage
from services.transfer.models import Move
from services.transfer.service.office import OPERATIONS, Office


def total_clock(item: ItemInForce, region_code: str, other_region_code: str, today: dt.date) -> CaseClock:
    """The whole case's clock, started today."""
    allowed = allowed_by(item.item, Situation(scope=scope_between(region_code, other_region_code)))
    assert allowed is not None, f"{item.edition.id} {item.item.key} has no total limit"
    return CaseClock.start(allowed, today)


def stage_due(office: Office, case: Case, move: Move, stage: Stage) -> DueDate | None:
    """Last day for this stage, ours (then within our total) or the other city's; None where it has none.

    Counted from ``move.limit_since``.
    """
    limit = STAGE_LIMITS.get(stage)
    if limit is None:
        return None
    side = Side(move.side) if limit.ours else Side(move.side).other
    region_code = move.region_code if limit.ours else move.counterpart_region_code
    situation = Situation(scope=scope_between(move.region_code, move.counterpart_region_code))
    allowed = _stated(office, region_code, side, limit.name, situation, case.submitted_on)
    if allowed is None:
        allowed = TimeAllowed(office.rules.stage_limits_working_days[limit.name], Unit.WORKING_DAY)
    due = allowed.from_day(move.limit_since)
    within = [due, case.clock.due] if case.clock and limit.ours else [due]
    return min(within, key=lambda one: one.on)


def _stated(
    office: Office, region_code: str, side: Side, name: str, situation: Situation, on: dt.date
) -> TimeAllowed | None:
    """The stage's limit in the most local edition that states one: 烟台 states none, its province does.

    None also where no catalogue covers the region: the other city may be anywhere.
    """
    for files in office.catalogues.editions_in_force(region_code, on):
        for item in sorted(files.items, key=lambda item: item.list_item is not None):  # the list first
            if set(OPERATIONS[side]).intersection(item.operations):
                allowed = allowed_by(item, situation, name)
                if allowed is not None:
                    return allowed
    return None
