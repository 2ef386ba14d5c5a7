"""Facts the enrollment service publishes (topic ``yibao.enrollment``, keyed by ``person_key``)."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import BaseModel

from libs.contracts.base import Fact
from libs.contracts.cases import CaseMoved, MessageSent

PersonKind = Literal["employee", "flexible_worker", "retiree", "resident", "student"]


class EnrollmentCaseMoved(CaseMoved):
    event_type: ClassVar[str] = "cn.yibao.enrollment.case_moved.v1"


class EnrollmentMessageSent(MessageSent):
    event_type: ClassVar[str] = "cn.yibao.enrollment.message_sent.v1"


class EnrolmentStarted(Fact):
    """A person is actively enrolled in a region from ``started_on`` on."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.enrolment_started.v1"

    enrolment_id: str
    person_key: str
    region_code: str
    insurance_kind: str  # national code: 310 employee, 390 resident …
    person_kind: PersonKind
    started_on: dt.date


class EnrolmentStopped(Fact):
    """The enrolment ended or was interrupted; ``stopped_on`` is its last day."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.enrolment_stopped.v1"

    enrolment_id: str
    person_key: str
    region_code: str
    insurance_kind: str
    person_kind: PersonKind
    stopped_on: dt.date
    reason: str


class ContributionPeriod(BaseModel):
    """Consecutive months of one insurance kind in one region, both ends included (``2024-03``)."""

    from_month: str
    to_month: str
    insurance_kind: str
    months_paid: int
    region_code: str
    agency_name: str
    remark: str = ""


class TransferRecordPrepared(Fact):
    """Answer to ``TransferOutAccepted``: what the 信息表 will say; the balance is on hold."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.transfer_record_prepared.v1"

    conversation: str
    case_no: str
    region_code: str
    person_key: str
    insurance_kind: str
    periods: list[ContributionPeriod]
    balance_fen: int
    prepared_at: dt.datetime


class TransferRecordRefused(Fact):
    """Answer to ``TransferOutAccepted``: the relation cannot leave, for all these reasons."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.transfer_record_refused.v1"

    conversation: str
    case_no: str
    region_code: str
    person_key: str
    reasons: list[str]


class TransferCredited(Fact):
    """Answer to ``TransferTakenUp``: money is on the personal account, months are recorded."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.transfer_credited.v1"

    conversation: str
    case_no: str
    region_code: str
    person_key: str
    amount_fen: int
    months_recorded: int
    credited_on: dt.date


class ContributionsRecorded(Fact):
    """A payment of the tax authority pays these months of a person; ``payment`` is its serial number.

    Of a resident's year all months are told at once, those still to come included.
    """

    event_type: ClassVar[str] = "cn.yibao.enrollment.contributions_recorded.v1"

    payment: str
    person_key: str
    region_code: str
    insurance_kind: str
    person_kind: PersonKind
    months: list[str]
    paid_on: dt.date


class ContributionsTakenBack(Fact):
    """A red entry took a payment back: what ``ContributionsRecorded`` said of it no longer holds."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.contributions_taken_back.v1"

    payment: str
    person_key: str
    region_code: str
    insurance_kind: str
    taken_back_on: dt.date
