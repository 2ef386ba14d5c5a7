"""The shape of a catalogue edition: what one official document says, fact by fact.

Every fact carries ``at``, the lines of the document it was read from
(``L120`` or ``L120-131,L140``, counted from 1 in ``sources/<edition>.txt``), and the
texts are quoted: with white space, character width and the recorded repairs set aside,
``text`` stands in those lines. ``tests/libs/catalogue`` holds every fact to that.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

At = Annotated[str, Field(pattern=r"^L[1-9]\d*(-[1-9]\d*)?(,L[1-9]\d*(-[1-9]\d*)?)*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$")]
Operation = Annotated[
    str, Field(pattern=r"^(enrollment|transfer|remote_care|reimbursement|settlement)\.[a-z_]+$")
]


class Strict(BaseModel):
    """Data files with a misspelt key are refused, not half read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Quote(Strict):
    """Words of the document and the lines they stand in."""

    text: Annotated[str, Field(min_length=1)]
    at: At


class Unit(StrEnum):
    """Units of a time limit; ``immediate`` is decided within the request or the same day."""

    IMMEDIATE = "immediate"
    WORKING_DAY = "working_day"
    NATURAL_DAY = "natural_day"
    MONTH = "month"


class When(Strict):
    """The condition under which a material or a time limit applies; empty means always.

    All given dimensions must hold; within one dimension any listed value suffices.
    """

    scope: list[Literal["in_province", "cross_province", "in_pooling_area"]] = []
    channel: list[str] = []
    level: list[Literal["province", "city", "county", "township", "village"]] = []
    person_kind: list[str] = []  # employee, flexible_worker, resident, hmt_resident, foreigner, ...
    disease: list[str] = []
    case_kind: list[str] = []  # e.g. costly_disease, accident, change, suspend, death, emigration
    evidence: list[Literal["proof", "commitment"]] = []


class Channel(Quote):
    """Where an application may be handed in or its result learned."""

    kind: Literal[
        "window",
        "service_station",
        "online",
        "mini_program",
        "app",
        "telephone",
        "post",
        "fax",
        "agent",
        "self_service",
        "joint_registration",
        "hospital",
        "other",
    ]
    accepts: bool | None = None  # None: the document leaves it to the place
    responds: bool | None = None


class Material(Quote):
    """One document to hand in. ``name`` is short, ``text`` is the document's own wording."""

    key: Slug
    name: Annotated[str, Field(min_length=1)]
    when: When = When()
    when_text: str | None = None  # the condition in words, for people
    one_of: str | None = None  # materials of one item sharing this label are alternatives
    required: bool = True  # False: only on request ("可要求提供")
    commitment_allowed: bool = False  # a 个人承诺书 may stand in for it
    data_sharing: bool | None = None  # may come from data sharing; None: left to the place
    copies: int | None = None
    seal: bool = False  # 加盖单位公章
    form: Slug | None = None  # key of a form of the same edition


class RequiredField(Quote):
    """A field of 受理信息必填项."""

    key: Slug


class TimeLimit(Quote):
    """A time limit of the whole case (stage ``total``) or of one stage of it."""

    stage: Annotated[str, Field(pattern=r"^[a-z_]+$")] = "total"
    when: When = When()
    amount: Annotated[int, Field(ge=0, le=400)]  # 0 with unit immediate
    unit: Unit

    @model_validator(mode="after")
    def _immediate_has_no_amount(self) -> TimeLimit:
        if (self.unit is Unit.IMMEDIATE) != (self.amount == 0):
            raise ValueError("immediate goes with amount 0, and only with it")
        return self


class Step(Quote):
    """A step of 办理环节 / 办理流程."""

    key: Literal[
        "apply",
        "accept",
        "review",
        "second_check",
        "finance_check",
        "evaluate",
        "publicise",
        "negotiate",
        "sign",
        "publish",
        "transfer_out",
        "transfer_in",
        "pay",
        "report",
        "close",
        "feedback",
        "other",
    ]
    name: str
    channel: str | None = None  # where a document tells the flow per channel


class Parameter(Quote):
    """A value a service reads, e.g. ``transfer.regime`` = ``letter``."""

    key: Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$")]
    value: Any


class MessageTemplate(Quote):
    """消息推送模板: ``text`` as printed; ``body`` with named places for the asterisks."""

    kind: Literal["completed", "not_completed", "accepted", "supplement", "refused", "progress", "other"]
    body: str


class RiskPoint(Quote):
    name: str


class LegalBasis(Quote):
    """设定依据 / 办理依据: ``text`` as printed, split where the document splits."""

    title: str
    number: str | None = None
    articles: str | None = None


class ResultDocument(Quote):
    name: str
    form: Slug | None = None


class Difference(Strict):
    """Two readings inside one edition, and which of them is in force and why.

    The item's own facts are always the reading in force; this keeps the other beside it.
    """

    field: str
    readings: Annotated[dict[str, Quote], Field(min_length=2)]  # e.g. list / guide
    in_force: str
    reason: str


class Note(Strict):
    """An oddity of the original, or a remark of the editor of this file."""

    text: str
    at: At | None = None


class ServiceItem(Strict):
    """One 政务服务事项 (or one guide chapter) as one document describes it."""

    key: Slug  # national code where one exists, otherwise a stable local key
    operations: Annotated[list[Operation], Field(min_length=1)]  # what the owning service does
    national_code: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    national_code_from: str | None = None  # None: printed here; else "shandong-2020"
    number: str  # as printed: "11", "2.1", "二十三"
    part: Literal["list", "guide", "specification"]
    name: Quote
    main_item: Quote | None = None
    main_item_code: str | None = None
    description: Quote | None = None
    audience: list[
        Literal[
            "employer",
            "employee",
            "flexible_worker",
            "resident",
            "student",
            "facility",
            "pharmacy",
            "aid_recipient",
            "person",
        ]
    ]
    audience_text: Quote | None = None
    conditions: list[Quote] = []
    levels: list[Literal["province", "city", "county", "township", "village"]] = []
    levels_text: Quote | None = None
    departments: list[Quote] = []
    channels: list[Channel] = []
    case_kind: Literal["immediate", "commitment"] | None = None  # 即办件 / 承诺件
    materials: list[Material] = []
    required_fields: list[RequiredField] = []
    time_limits: Annotated[list[TimeLimit], Field(min_length=1)]
    steps: list[Step] = []
    flow: list[Quote] = []  # 办理流程 in the document's words
    result_documents: list[ResultDocument] = []
    message_templates: list[MessageTemplate] = []
    risk_level: Literal["low", "medium", "higher", "high"] | None = None
    risk_level_text: Quote | None = None
    risk_points: list[RiskPoint] = []
    legal_basis: list[LegalBasis] = []
    remarks: list[Quote] = []
    parameters: list[Parameter] = []
    telephones: list[Quote] = []  # progress and supervision telephones as printed
    list_item: Slug | None = None  # guide chapter -> the list item of the same edition
    partial: bool = False  # does only part of its operations: the province's item stays beside it
    differences: list[Difference] = []
    notes: list[Note] = []


class FormField(Strict):
    """One place to fill in on a printed form."""

    key: Slug
    label: str
    at: At
    choices: list[str] = []
    section: str | None = None


class Form(Strict):
    """A printed form (表 n)."""

    key: Slug
    number: str
    title: Quote
    fields: list[FormField] = []
    columns: list[FormField] = []  # of a table whose rows repeat
    instructions: list[Quote] = []
    numbering: Quote | None = None  # e.g. (省份)(统筹地区)(年份)(第XXXX号)
    notes: list[Note] = []


class Repair(Strict):
    """A scanning or conversion error put right: certain ones only."""

    at: At
    original: str
    repaired: str
    reason: str


class NotOffered(Quote):
    """An operation of the province's list that this city's document does away with, and its words."""

    operation: Operation


class Edition(Strict):
    """One document: head data, repairs and oddities; its items and forms are files beside it.

    ``inherits`` records against which edition of its province a city's document was written. It
    does not decide what the city inherits: that is the province's edition in force on the date
    asked for (``lookup.Catalogues``), so a new list of the province applies without touching the city's.
    """

    id: Slug
    title: str
    publisher: str
    document_number: str | None = None
    region_codes: Annotated[list[str], Field(min_length=1)]
    published_on: dt.date | None = None
    effective_on: dt.date
    effective_reason: str  # where the date comes from
    source: str  # file name under sources/
    inherits: Slug | None = None  # the province's edition it was written against
    not_offered: list[NotOffered] = []
    repairs: list[Repair] = []
    notes: list[Note] = []
