"""Money: integer fen inside, two decimals outside, 大写 on documents."""

from __future__ import annotations

import re
from typing import Annotated

import cn2an
from pydantic import AfterValidator, WithJsonSchema

_YUAN = re.compile(r"(\d{1,12})\.(\d{2})", re.ASCII)


def fen_of(yuan: str) -> int:
    """``"1234.56"`` -> 123456. Raises ValueError (Chinese) for anything but two decimals."""
    match = _YUAN.fullmatch(yuan)
    if match is None:
        raise ValueError("金额应为元，保留两位小数，例如1234.56")
    return int(match[1]) * 100 + int(match[2])


def yuan_of(amount_fen: int) -> str:
    """123456 -> ``"1234.56"``; negative amounts keep their sign."""
    sign = "-" if amount_fen < 0 else ""
    return f"{sign}{abs(amount_fen) // 100}.{abs(amount_fen) % 100:02d}"


def in_capitals(amount_fen: int) -> str:
    """123456 -> ``壹仟贰佰叁拾肆元伍角陆分``; whole yuan end in 整. Not for negative amounts."""
    if amount_fen < 0:
        raise ValueError("only amounts of zero or more are written in capitals")
    capitals: str = cn2an.an2cn(yuan_of(amount_fen), "rmb")
    return capitals


def _checked(yuan: str) -> str:
    fen_of(yuan)
    return yuan


Yuan = Annotated[
    str,
    AfterValidator(_checked),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,12}\.\d{2}$", "examples": ["1234.56"]}),
]
"""An amount in a request or answer: yuan with two decimals, as text."""
