"""Who may move: conditions at either end (医保办发〔2021〕43号; hubei-2022 L2804)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from libs.refusals.faults import Fault
from services.transfer.domain.stages import Side

EMPLOYEE_INSURANCE = "310"
RESIDENT_INSURANCE = "390"
INSURANCE_NAMES = {EMPLOYEE_INSURANCE: "职工基本医疗保险", RESIDENT_INSURANCE: "城乡居民基本医疗保险"}

# Conditions of the national measures, cited to people of every region; read in hubei-2022 L2804.
RULE_STOPPED = "医保办发〔2021〕43号（在转出地已中止参保）"
RULE_ENROLLED = "医保办发〔2021〕43号（按规定参加转入地基本医疗保险）"
RULE_MEASURES = "医保办发〔2021〕43号"


@dataclass(frozen=True)
class Standing:
    """What is known of a person's enrolment in one region (from enrollment's facts)."""

    insurance_kind: str
    person_kind: str
    active: bool
    started_on: dt.date
    stopped_on: dt.date | None = None


@dataclass(frozen=True)
class Wish:
    """What is asked for."""

    from_region_code: str
    to_region_code: str
    insurance_kind: str


def faults_of_wish(wish: Wish) -> list[Fault]:
    """What is wrong with the application wherever it is made."""
    if wish.from_region_code[:4] != wish.to_region_code[:4]:
        return []
    message = "转出地与转入地属于同一统筹地区，无需转移接续，可直接办理统筹区内转移。"
    return [Fault("same_pooling_area", message, "/payload/to_region_code", RULE_MEASURES)]


def faults_at(side: Side, wish: Wish, standings: Sequence[Standing]) -> list[Fault]:
    """All reasons why the relation may not move, as far as this end can see."""
    if side is Side.OUT:
        return faults_of_wish(wish) + _faults_at_origin(wish, standings)
    return faults_of_wish(wish) + _faults_at_destination(wish, standings)


def _faults_at_origin(wish: Wish, standings: Sequence[Standing]) -> list[Fault]:
    name = INSURANCE_NAMES[wish.insurance_kind]
    own = [standing for standing in standings if standing.insurance_kind == wish.insurance_kind]
    if not own:
        message = f"转出地没有该人员的{name}参保记录，请核对转出地和险种。"
        return [Fault("not_known_at_origin", message, "/payload/from_region_code", RULE_MEASURES)]
    faults = []
    if any(standing.active for standing in own):
        message = f"在转出地的{name}尚未停保，请先办理停保手续。"
        faults.append(Fault("still_active_at_origin", message, "/payload/from_region_code", RULE_STOPPED))
    return faults + _retirement_faults(own)


def _faults_at_destination(wish: Wish, standings: Sequence[Standing]) -> list[Fault]:
    active = [standing for standing in standings if standing.active]
    if not active:
        message = "在转入地尚未参加基本医疗保险，请先在转入地办理参保缴费。"
        return [Fault("not_enrolled_at_destination", message, "/payload/to_region_code", RULE_ENROLLED)]
    return _retirement_faults(active) + _resident_to_resident_faults(wish, active)


def _retirement_faults(standings: Sequence[Standing]) -> list[Fault]:
    if not any(standing.person_kind == "retiree" for standing in standings):
        return []
    message = "已经享受职工退休人员医疗保险待遇的，不转移基本医疗保险关系。"
    return [Fault("retiree", message, "/applicant", RULE_MEASURES)]


def _resident_to_resident_faults(wish: Wish, active: Sequence[Standing]) -> list[Fault]:
    """Within the year, residents' relations are as a rule not moved (domain.md §3)."""
    kinds = {standing.insurance_kind for standing in active}
    if wish.insurance_kind != RESIDENT_INSURANCE or kinds != {RESIDENT_INSURANCE}:
        return []
    message = "城乡居民在同一年度内由居民医保转居民医保的，原则上不转移接续，待遇在原参保地享受至年末。"
    return [Fault("resident_to_resident", message, "/payload/insurance_kind", RULE_MEASURES)]
