"""What travels between agencies: the message, and its two possible answers, receipt and refusal.

All three are JSON documents in canonical form (``canonical.py``) under a seal. The seal covers everything but
its own ``value`` and the message's ``body``; the body is bound by ``body_digest``. So a message can still be
verified after the personal data in its body have been erased.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from pydantic import UUID7, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from libs.exchange.canonical import INTEGER_MAX, JsonObject, canonical, digest, suite_of
from libs.exchange.faults import FAULTS_MAX, Code, ExchangeFault, Fault, faults_of

PROTOCOL: Literal["yibao-exchange/1"] = "yibao-exchange/1"
BEIJING = dt.timezone(dt.timedelta(hours=8))
MISSING_MAX = 100


class Kind(StrEnum):
    """Kinds of business messages; a receipt is an answer of its own, not a kind."""

    TRANSFER_APPLICATION = "transfer_application"
    CONTACT_LETTER = "contact_letter"
    INFORMATION_SHEET = "information_sheet"
    FUND_NOTICE = "fund_notice"
    RETURN_FOR_CORRECTION = "return_for_correction"
    CORRECTION = "correction"
    WITHDRAWAL = "withdrawal"
    COMPLETION = "completion"
    INQUIRY = "inquiry"


KIND_NAMES = {
    Kind.TRANSFER_APPLICATION: "转移接续申请",
    Kind.CONTACT_LETTER: "联系函",
    Kind.INFORMATION_SHEET: "信息表",
    Kind.FUND_NOTICE: "划转通知",
    Kind.RETURN_FOR_CORRECTION: "退回更正",
    Kind.CORRECTION: "更正",
    Kind.WITHDRAWAL: "撤回",
    Kind.COMPLETION: "办结反馈",
    Kind.INQUIRY: "催办",
}

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+08:00")
_MOMENT_HINT = "北京时间，例如 2026-03-02T09:30:00.000000+08:00"


def _read_moment(value: Any) -> dt.datetime:
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(BEIJING)
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return dt.datetime.fromisoformat(value)
    except ValueError:
        pass  # a 13th month: the sentence below says what would be right
    raise ValueError(f"应为{_MOMENT_HINT}")


def moment_text(moment: dt.datetime) -> str:
    """The one spelling of a moment on the wire: Beijing time to the microsecond."""
    return moment.astimezone(BEIJING).isoformat(timespec="microseconds")


Moment = Annotated[dt.datetime, BeforeValidator(_read_moment), PlainSerializer(moment_text, when_used="json")]
RegionCode = Annotated[str, Field(pattern=r"^[1-9]\d{5}$", description="六位行政区划代码，例如 370400")]
Digest = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]{2,16}:[0-9a-f]{64}$", description="摘要，sha256: 后接 64 位小写十六进制"),
]
ConversationId = Annotated[
    str,
    Field(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$",
        description="一至六十四位字母、数字或 . _ : -，宜用 UUIDv7",
    ),
]
Sequence = Annotated[int, Field(ge=1, le=INTEGER_MAX)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=10_000)


class Seal(_Strict, title="签章"):
    """Who signed, with which key and algorithm; ``value`` is base64."""

    signer: RegionCode = Field(title="签章地区")
    algorithm: str = Field(title="签章算法", pattern=r"^[a-z0-9-]{2,32}$", description="算法名，例如 ed25519")
    key_id: str = Field(title="密钥编号", min_length=1, max_length=64)
    value: str = Field(title="签章值", default="", max_length=1024)


class Document(_Strict, title="文件"):
    """What message, receipt and refusal have in common."""

    protocol: Literal["yibao-exchange/1"] = Field(title="协议版本", default=PROTOCOL)
    seal: Seal | None = Field(title="签章", default=None)

    def wire(self) -> JsonObject:
        """The document as JSON values; its canonical form is what is sent."""
        return self.model_dump(mode="json")

    def raw(self) -> bytes:
        """The bytes on the wire."""
        return canonical(self.wire())

    def sealed_bytes(self) -> bytes:
        """What the seal signs: all but ``body`` and ``seal.value``, in canonical form."""
        part = self.wire()
        part.pop("body", None)
        if part["seal"] is not None:
            del part["seal"]["value"]
        return canonical(part)


D = TypeVar("D", bound=Document)


class Message(Document, title="消息"):
    """One business message from one agency to another."""

    document: Literal["message"] = Field(title="文件种类", default="message")
    id: UUID7 = Field(title="消息编号")
    kind: str = Field(
        title="消息种类", pattern=r"^[a-z_]{1,40}$", description="小写英文名，例如 contact_letter"
    )
    kind_version: int = Field(title="消息种类版本", ge=1, le=1000)
    conversation: ConversationId = Field(title="会话编号")
    sequence: Sequence = Field(title="会话内序号")
    from_region: RegionCode = Field(title="发送地区")
    to_region: RegionCode = Field(title="接收地区")
    created_at: Moment = Field(title="发送时间")
    expires_at: Moment = Field(title="失效时间")
    body: JsonObject = Field(title="正文")
    body_digest: Digest = Field(title="正文摘要")
    answers_digest: Digest | None = Field(title="所答消息的摘要", default=None)

    def digest(self) -> str:
        """``sha256:…`` over the sealed part; receipts and answers refer to a message by it."""
        return digest(self.sealed_bytes(), suite_of(self.body_digest))

    def header(self) -> JsonObject:
        """The message without its body: no personal data, yet the seal can be checked on it."""
        return {name: value for name, value in self.wire().items() if name != "body"}


def draft(
    *,
    id: UUID,
    kind: str,
    kind_version: int,
    conversation: str,
    sequence: int,
    from_region: str,
    to_region: str,
    created_at: dt.datetime,
    expires_at: dt.datetime,
    body: JsonObject,
    answers_digest: str | None = None,
) -> Message:
    """A message with its body digest, not yet sealed. Raises ExchangeFault with every fault."""
    try:
        return Message(
            id=id,
            kind=kind,
            kind_version=kind_version,
            conversation=conversation,
            sequence=sequence,
            from_region=from_region,
            to_region=to_region,
            created_at=created_at,
            expires_at=expires_at,
            body=body,
            body_digest=digest(canonical(body)),
            answers_digest=answers_digest,
        )
    except ValidationError as error:
        raise ExchangeFault(faults_of(error, Message)) from None


Stored = Literal["delivered", "parked"]


class Receipt(Document, title="回执"):
    """“Stored, digest so-and-so”. Not a business answer.

    ``parked`` means stored but not yet delivered, because the messages in ``missing`` (sequence numbers of
    the same sender) have not come; the sender sends those again, and asks again for this one.
    """

    document: Literal["receipt"] = Field(title="文件种类", default="receipt")
    message_id: UUID7 = Field(title="消息编号")
    message_digest: Digest = Field(title="消息摘要")
    conversation: ConversationId = Field(title="会话编号")
    receiver: RegionCode = Field(title="接收地区")
    at: Moment = Field(title="接收时间")
    stored: Stored = Field(title="存收状态")
    missing: tuple[Sequence, ...] = Field(title="尚缺的序号", default=(), max_length=MISSING_MAX)


class Refusal(Document, title="拒收"):
    """Why a message was not taken. ``final`` tells the sender that asking again is of no use.

    ``message_id`` and ``message_digest`` are absent where the document could not be read.
    """

    document: Literal["refusal"] = Field(title="文件种类", default="refusal")
    message_id: UUID | None = Field(title="消息编号", default=None)
    message_digest: Digest | None = Field(title="消息摘要", default=None)
    receiver: RegionCode | None = Field(title="接收地区", default=None)
    at: Moment = Field(title="拒收时间")
    final: bool = Field(title="不再受理")
    faults: tuple[Fault, ...] = Field(title="原因", min_length=1, max_length=FAULTS_MAX)


def read(kind_of_document: type[D], value: JsonObject) -> D:
    """A document from parsed JSON. Raises ExchangeFault with every fault, spelling included."""
    try:
        document = kind_of_document.model_validate(value)
    except ValidationError as error:
        raise ExchangeFault(faults_of(error, kind_of_document)) from None
    if faults := list(_spelling_faults(document, value)):
        raise ExchangeFault(faults)
    return document


def _spelling_faults(document: Document, value: JsonObject) -> Iterator[Fault]:
    """Fields not spelt canonically (``"1"`` for ``1``, an upper-case UUID, a left-out null): the seal covers
    the canonical spelling only, so another one must not slip through."""
    for name, wanted in document.wire().items():
        if name != "body" and (name not in value or canonical(value[name]) != canonical(wanted)):
            label = type(document).model_fields[name].title
            spelt = canonical(wanted).decode()
            message = f"{label}（{name}）：写法不规范，应为 {spelt}"
            yield Fault(code=Code.MALFORMED, field=name, message=message)


def read_answer(value: JsonObject) -> Receipt | Refusal:
    """The answer to a message, seal unchecked. Raises ExchangeFault if it is neither receipt nor refusal."""
    if value.get("document") == "receipt":
        return read(Receipt, value)
    return read(Refusal, value)
