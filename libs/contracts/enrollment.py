"""Facts the enrollment service publishes (topic ``yibao.enrollment``, keyed by ``person_key``)."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import BaseModel, Field

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
    person_id: str | None = None  # the region's record; stays when the credential changes
    person_version: int = 0  # of the record when this happened: the highest knows the key best


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
    started_on: dt.date | None = None
    person_id: str | None = None
    person_version: int = 0


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


class EmployerRegistered(Fact):
    """An employer is insured in a region; keyed by the employer, as all facts about employers."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.employer_registered.v1"

    employer_id: str
    region_code: str
    credit_code: str
    name: str
    nature: str | None = None
    insurance_kinds: list[str] = Field(default=[])
    insured_since: dt.date | None = None


class EmployerChanged(Fact):
    """An employer's data or state have changed; ``fields`` names which, values that are personal stay out."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.employer_changed.v1"

    employer_id: str
    region_code: str
    version: int
    credit_code: str
    name: str
    state: Literal["active", "suspended", "cancelled"]
    state_since: dt.date | None = None
    fields: list[str]


class EmployerSucceeded(Fact):
    """``people`` go on with the successor from ``effective_on``; of each there are facts of their own."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.employer_succeeded.v1"

    predecessor_id: str
    successor_id: str
    region_code: str
    kind: Literal["split", "merge", "separate"]
    effective_on: dt.date
    people: int


class PersonRegistered(Fact):
    """A region has a record of a person from now on."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.person_registered.v1"

    person_id: str
    person_key: str
    region_code: str
    person_version: int


class PersonChanged(Fact):
    """Data of a person changed; ``items`` names which (``name``, ``telephone`` …), never the values."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.person_changed.v1"

    person_id: str
    person_key: str
    region_code: str
    person_version: int
    items: list[str]
    changed_on: dt.date


class PersonKeyChanged(Fact):
    """The person's credential changed, and with it the blind index; told in the previous key's order.

    Facts of the new key may arrive before this one, and late ones of the old key after it: of
    everything told of a ``person_id``, the highest ``person_version`` says which key is theirs.
    """

    event_type: ClassVar[str] = "cn.yibao.enrollment.person_key_changed.v1"

    person_id: str
    region_code: str
    person_version: int
    previous_person_key: str
    person_key: str
    changed_on: dt.date


class PersonsMerged(Fact):
    """Two records were of one person: what was told of ``merged_id`` is ``kept_id``'s from now on.

    Told in the order of the merged record's key.
    """

    event_type: ClassVar[str] = "cn.yibao.enrollment.persons_merged.v1"

    kept_id: str
    kept_version: int
    person_key: str
    merged_id: str
    merged_person_key: str
    region_code: str
    merged_on: dt.date


class PersonDeceased(Fact):
    """A death was learned: everything the person is entitled to ends with ``deceased_on``."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.person_deceased.v1"

    notice_id: str
    person_key: str
    region_code: str
    deceased_on: dt.date
    source: str  # data_sharing, officer, withdrawal, employer


class DeathRevoked(Fact):
    """A death was reported wrongly: the person lives, as if ``PersonDeceased`` had not been."""

    event_type: ClassVar[str] = "cn.yibao.enrollment.death_revoked.v1"

    notice_id: str
    person_key: str
    region_code: str
    deceased_on: dt.date


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
