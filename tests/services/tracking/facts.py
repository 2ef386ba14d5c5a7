"""Facts as the transfer service tells them, about made-up cases."""

from __future__ import annotations

import datetime as dt
from typing import Any

from libs.casework.case_numbers import CaseNumber, operation_codes
from libs.casework.lifecycle import ACTION_NAMES, STATUS_NAMES, Action, Status
from libs.contracts.transfer import TransferCaseMoved, TransferMessageSent
from tests.support.service import NOW

ZAOZHUANG = "370400"
YANTAI = "370600"
WUHAN = "420100"
LI = "a" * 64
WANG = "b" * 64


def case_number(serial: int = 1, region_code: str = ZAOZHUANG) -> str:
    """A case number that is right to the check digit."""
    return str(CaseNumber(region_code, operation_codes()["transfer.in"], NOW.date(), serial))


def moved(
    case_no: str,
    version: int = 1,
    action: Action = Action.SUBMIT,
    status: Status = Status.SUBMITTED,
    **more: Any,
) -> TransferCaseMoved:
    """A move of a case; ``version`` n happened n minutes after ``NOW``."""
    fields = {
        "case_no": case_no,
        "version": version,
        "region_code": case_no[:6],
        "operation": "transfer.in",
        "item_key": "zaozhuang-transfer-in",
        "item_name": "基本医疗保险关系转入",
        "edition_id": "zaozhuang",
        "subject_key": LI,
        "subject_name_masked": "李**",
        "action": action.value,
        "action_name": ACTION_NAMES[action],
        "status": status.value,
        "status_name": STATUS_NAMES[status],
        "stage": status.value,
        "stage_name": STATUS_NAMES[status],
        "actor_kind": "citizen" if action is Action.SUBMIT else "officer",
        "actor_name": "李**" if action is Action.SUBMIT else "经办甲",
        "at": NOW + dt.timedelta(minutes=version),
    }
    return TransferCaseMoved(**{**fields, **more})


def told(case_no: str, text: str, minutes: int = 5, kind: str = "accepted") -> TransferMessageSent:
    """A message to the applicant."""
    return TransferMessageSent(
        case_no=case_no,
        region_code=case_no[:6],
        subject_key=LI,
        kind=kind,
        text=text,
        at=NOW + dt.timedelta(minutes=minutes),
    )
