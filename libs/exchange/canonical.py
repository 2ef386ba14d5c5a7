"""Canonical JSON and digests: the same content has the same bytes on every machine.

RFC 8785 (JCS) without fractions: object keys sorted by UTF-16 code units, no white space, UTF-8, shortest
escapes; numbers are integers within ±(2^53-1), because money is fen and two machines need not agree on 0.1.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from libs.exchange.faults import FAULTS_MAX, Code, ExchangeFault, Fault

JsonObject = dict[str, Any]

INTEGER_MAX = 2**53 - 1
DEPTH_MAX = 20
DOCUMENT_MAX_BYTES = 256 * 1024

DEFAULT_SUITE = "sha256"
SUITES: dict[str, Callable[[bytes], str]] = {
    # SM3 follows here together with SM2 seals; the name travels in front of every digest.
    "sha256": lambda content: hashlib.sha256(content).hexdigest(),
}


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value. Raises ExchangeFault naming everything that cannot be written."""
    if faults := list(islice(value_faults(value), FAULTS_MAX)):
        raise ExchangeFault(faults)
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":")).encode()


def digest(content: bytes, suite: str = DEFAULT_SUITE) -> str:
    """``suite:hex`` of ``content``. Raises KeyError for a suite this installation does not know."""
    return f"{suite}:{SUITES[suite](content)}"


def suite_of(value: str) -> str:
    """Suite a digest was made with: ``sha256:ab…`` -> ``sha256``."""
    return value.partition(":")[0]


def parse(raw: bytes) -> JsonObject:
    """One JSON object from the wire. Raises ExchangeFault: size, UTF-8, syntax, doubled keys, fractions."""
    if len(raw) > DOCUMENT_MAX_BYTES:
        raise _refused(Code.TOO_LARGE, f"整份文件：共{len(raw)}字节，最多{DOCUMENT_MAX_BYTES}字节")
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise _refused(Code.MALFORMED, "整份文件：应为 UTF-8 编码") from None
    except (ValueError, RecursionError):  # also integers of thousands of digits
        raise _refused(Code.MALFORMED, "整份文件：应为一个合法的 JSON 对象") from None
    if not isinstance(value, dict):
        raise _refused(Code.MALFORMED, "整份文件：应为一个 JSON 对象")
    if faults := list(islice(value_faults(value), FAULTS_MAX)):
        raise ExchangeFault(faults)
    return value


def value_faults(value: Any, path: str = "", depth: int = 0) -> Iterator[Fault]:
    """Everything in ``value`` that has no canonical form."""
    where = path or "整份文件"
    if depth > DEPTH_MAX:
        yield Fault(code=Code.MALFORMED, field=path, message=f"{where}：最多嵌套{DEPTH_MAX}层")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _text_faults(key, f"{where}的字段名", path)
            yield from value_faults(inner, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            yield from value_faults(inner, f"{path}[{position}]", depth + 1)
    elif isinstance(value, str):
        yield from _text_faults(value, where, path)
    elif message := _scalar_fault(value):
        yield Fault(code=Code.MALFORMED, field=path, message=f"{where}：{message}")


def _scalar_fault(value: Any) -> str:
    if isinstance(value, float):
        return "不能用小数；金额请用以分为单位的整数"
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        return f"整数应在±{INTEGER_MAX}以内"
    if value is None or isinstance(value, int):
        return ""
    return "应为文字、整数、true、false、null、列表或对象"


def _text_faults(text: Any, where: str, path: str) -> Iterator[Fault]:
    if not isinstance(text, str):
        yield Fault(code=Code.MALFORMED, field=path, message=f"{where}：应为文字")
        return
    if "\x00" in text:
        yield Fault(code=Code.MALFORMED, field=path, message=f"{where}：不能含空字符 U+0000")
    if any("\ud800" <= character <= "\udfff" for character in text):
        message = f"{where}：含不成对的代理字符，请改为完整的汉字"
        yield Fault(code=Code.MALFORMED, field=path, message=message)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value, key=lambda k: k.encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_sorted(inner) for inner in value]
    return value


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    members = dict(pairs)
    if len(members) < len(pairs):
        doubled = [key for key, times in Counter(key for key, _ in pairs).items() if times > 1][:FAULTS_MAX]
        raise _refused(Code.MALFORMED, f"字段{'、'.join(doubled)}：同一对象里只能出现一次")
    return members


def _refused(code: Code, message: str) -> ExchangeFault:
    return ExchangeFault([Fault(code=code, field="", message=message)])
