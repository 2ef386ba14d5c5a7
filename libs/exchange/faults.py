"""What is wrong with a document, said so that the other agency can put it right.

A refusal lists every fault at once; each is one Chinese sentence that names the field and what would be
right, with a stable code for programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails


class Code(StrEnum):
    """Stable codes of faults; ``docs/exchange-protocol.md`` lists them for other implementations."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    WRONG_RECIPIENT = "wrong_recipient"
    DIGEST_MISMATCH = "digest_mismatch"
    SEAL_INVALID = "seal_invalid"
    SIGNER_UNKNOWN = "signer_unknown"
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    KIND_UNKNOWN = "kind_unknown"
    VERSION_UNSUPPORTED = "version_unsupported"
    BODY_INVALID = "body_invalid"
    CONVERSATION_FOREIGN = "conversation_foreign"
    CONFLICT = "conflict"
    TOO_FAR_AHEAD = "too_far_ahead"
    TRANSITION_FORBIDDEN = "transition_forbidden"
    AMOUNT_MISMATCH = "amount_mismatch"
    NOT_ACCEPTED = "not_accepted"
    # Only offline verification reports these.
    CHAIN_BROKEN = "chain_broken"
    SEQUENCE_BROKEN = "sequence_broken"
    RECEIPT_MISSING = "receipt_missing"
    RECEIPT_INVALID = "receipt_invalid"
    DECISION_INVALID = "decision_invalid"


FAULTS_MAX = 100
_TEXT_MAX = 500


def _printable(text: str) -> str:
    """Text from a stranger's document, fit to be quoted in a signed answer."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[:_TEXT_MAX]


class Fault(BaseModel):
    """One thing that is wrong: ``field`` is the path in the document, ``message`` the Chinese sentence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code
    field: Annotated[str, BeforeValidator(_printable)]
    message: Annotated[str, BeforeValidator(_printable)]


class ExchangeFault(Exception):
    """Something was refused; ``faults`` holds every reason."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("；".join(fault.message for fault in faults))
        self.faults = list(faults)


def faults_of(
    error: ValidationError, model: type[BaseModel], *, code: Code = Code.MALFORMED, under: str = ""
) -> list[Fault]:
    """Every error of a failed validation of ``model`` as a Chinese fault; ``under`` prefixes the path."""
    errors = error.errors()
    # A list is "too short" as well when its items are faulty; only the items' own faults help.
    inside = {details["loc"][:depth] for details in errors for depth in range(len(details["loc"]))}
    told = [details for details in errors if details["type"] != "too_short" or details["loc"] not in inside]
    return [_fault(details, model, code, under) for details in told[:FAULTS_MAX]]


def _fault(details: ErrorDetails, model: type[BaseModel], code: Code, under: str) -> Fault:
    label, hint = _label(model, details["loc"])
    path = _path(under, details["loc"])
    return Fault(
        code=code, field=path, message=f"{label}（{path or '整份文件'}）：{_sentence(details, hint)}"
    )


def _path(under: str, loc: Sequence[int | str]) -> str:
    path = under
    for step in loc:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


def _label(model: type[BaseModel], loc: Sequence[int | str]) -> tuple[str, str]:
    """Chinese name of the field at ``loc`` and the hint that says what would be right there."""
    parts: list[str] = []
    hint = ""
    current: type[BaseModel] | None = model
    for step in loc:
        if isinstance(step, int):
            parts.append(f"第{step + 1}项")
            continue
        field = current.model_fields.get(step) if current else None
        parts.append((field and field.title) or step)
        hint = (field and field.description) or ""
        current = _model_in(field.annotation) if field else None
    return "".join(parts) or model.model_config.get("title") or model.__name__, hint


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model an annotation holds, looking through ``X | None`` and ``tuple[X, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(argument) for argument in get_args(annotation))
    return next((model for model in found if model), None)


_SENTENCES = {
    "missing": "必填",
    "extra_forbidden": "协议里没有这个字段，请删去",
    "string_type": "应为文字",
    "string_too_short": "至少{min_length}个字",
    "string_too_long": "最多{max_length}个字",
    "int_type": "应为整数",
    "int_from_float": "应为整数",
    "bool_type": "应为 true 或 false",
    "greater_than_equal": "不得小于{ge}",
    "less_than_equal": "不得大于{le}",
    "literal_error": "应为{expected}",
    "enum": "应为{expected}",
    "too_short": "至少{min_length}项",
    "too_long": "最多{max_length}项",
    "tuple_type": "应为列表",
    "list_type": "应为列表",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "uuid_parsing": "应为小写的 UUIDv7",
    "uuid_version": "应为小写的 UUIDv7",
    "uuid_type": "应为小写的 UUIDv7",
    "date_type": "应为日期，例如 2026-03-02",
    "date_from_datetime_parsing": "应为日期，例如 2026-03-02",
    "date_parsing": "应为日期，例如 2026-03-02",
}


def _sentence(details: ErrorDetails, hint: str) -> str:
    context = details.get("ctx", {})
    if details["type"] == "value_error":
        return str(context["error"])
    template = _SENTENCES.get(details["type"])
    if template is None:
        return f"应为{hint}" if hint else f"填写不对（{details['type']}）"
    said = template.format(**{name: str(value).replace(" or ", " 或 ") for name, value in context.items()})
    return f"{said}；应为{hint}" if hint and not said.startswith("应为") else said
