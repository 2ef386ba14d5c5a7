"""Facts the transfer service publishes (topic ``yibao.transfer``, keyed by region and ``person_key``).

``conversation`` is the two-sided case: both regions' cases of one move share it.
"""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from libs.contracts.base import Fact
from libs.contracts.cases import CaseMoved, MessageSent
from libs.contracts.enrollment import ContributionPeriod


class TransferCaseMoved(CaseMoved):
    event_type: ClassVar[str] = "cn.yibao.transfer.case_moved.v1"


class TransferMessageSent(MessageSent):
    event_type: ClassVar[str] = "cn.yibao.transfer.message_sent.v1"


class TransferFact(Fact):
    """What all facts of one side of a move have in common. ``region_code`` is that side's."""

    conversation: str
    case_no: str
    region_code: str
    counterpart_region_code: str
    person_key: str
    insurance_kind: str


class TransferOutAccepted(TransferFact):
    """The transferring-out side took the move up: enrollment prepares periods and holds the balance."""

    event_type: ClassVar[str] = "cn.yibao.transfer.transfer_out_accepted.v1"


class InformationSheetIssued(TransferFact):
    """The sealed 信息表 left. Enrollment: hold ends, personal account → in transit."""

    event_type: ClassVar[str] = "cn.yibao.transfer.information_sheet_issued.v1"

    sheet_number: str
    amount_fen: int
    issued_on: dt.date


class FundsPaid(TransferFact):
    """The bank of the transferring-out side paid. Enrollment: bank mirror and clearing."""

    event_type: ClassVar[str] = "cn.yibao.transfer.funds_paid.v1"

    amount_fen: int
    bank_reference: str
    paid_on: dt.date


class FundsReceived(TransferFact):
    """Money arrived at the transferring-in side and was matched to the file."""

    event_type: ClassVar[str] = "cn.yibao.transfer.funds_received.v1"

    amount_fen: int
    bank_reference: str
    received_on: dt.date


class TransferTakenUp(TransferFact):
    """The transferring-in side took the 信息表 up: enrollment credits and records the months."""

    event_type: ClassVar[str] = "cn.yibao.transfer.transfer_taken_up.v1"

    amount_fen: int
    periods: list[ContributionPeriod]
    taken_up_on: dt.date
    waiting_until: dt.date | None = None
    back_payment_from: str | None = None


class TransferOutCompleted(TransferFact):
    """The transferring-in side reported completion: in transit is settled, the relation has left."""

    event_type: ClassVar[str] = "cn.yibao.transfer.transfer_out_completed.v1"

    amount_fen: int
    completed_on: dt.date


class TransferOutCancelled(TransferFact):
    """Withdrawn, rejected or returned before the money left: enrollment ends the hold."""

    event_type: ClassVar[str] = "cn.yibao.transfer.transfer_out_cancelled.v1"

    reason: str
