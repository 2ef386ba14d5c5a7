"""Telephone numbers as people write them: mobile, or fixed with its area code."""

from __future__ import annotations

import re

from libs.refusals.faults import Fault

_TELEPHONE = re.compile(r"1\d{10}|0\d{2,3}-?\d{7,8}", re.ASCII)


def faults_of(number: str, pointer: str) -> list[Fault]:
    """Empty when the number is right; otherwise one fault saying what is wrong."""
    if _TELEPHONE.fullmatch(number):
        return []
    message = "联系电话应为11位手机号，或带区号的固定电话，例如0632-0000000。"
    return [Fault("telephone", message, pointer)]
