"""Unified social credit codes (统一社会信用代码, GB 32100), by python-stdnum."""

from __future__ import annotations

from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from libs.refusals.faults import Fault


def faults_of(code: str, pointer: str) -> list[Fault]:
    """Empty when the code is right; otherwise one fault saying what is wrong."""
    try:
        uscc.validate(code)
    except ValidationError:
        return [
            Fault("credit_code", "统一社会信用代码有误：应为18位，末位为校验码，请核对是否录错。", pointer)
        ]
    return []
