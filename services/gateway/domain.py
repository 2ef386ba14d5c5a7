"""Rules of the gateway: what a sign-in must show, and which service an application belongs to. Pure."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from libs.casework import case_numbers
from libs.catalogue.lookup import Catalogues, ItemInForce
from libs.refusals.faults import Fault, Refusal, conflict, not_found

LONGEST_CODE_LIFE = dt.timedelta(minutes=5)
CLOCK_DIFFERENCE = dt.timedelta(seconds=30)  # between a backend's clock and ours

# Services that take applications so far; the others' items are shown in the catalogue only.
TAKE_APPLICATIONS = frozenset({"enrollment", "transfer"})

SignInError = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
]


class SignInRefusedError(Exception):
    """No token. ``error`` is the code of RFC 6749 §5.2, ``message`` says in Chinese what would be right."""

    def __init__(self, error: SignInError, message: str, faults: tuple[Fault, ...] = ()) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.faults = faults


@dataclass(frozen=True)
class CodeLife:
    """When a one-time code was made and until when it is good."""

    issued_at: dt.datetime
    expires_at: dt.datetime


def require_short_life(life: CodeLife, now: dt.datetime) -> None:
    """A code lives five minutes at most. Raises SignInRefusedError (invalid_grant)."""
    if life.expires_at - life.issued_at > LONGEST_CODE_LIFE:
        raise SignInRefusedError("invalid_grant", "code的有效期不得超过5分钟，请缩短exp后重新签发。")
    if life.issued_at > now + CLOCK_DIFFERENCE:
        raise SignInRefusedError("invalid_grant", "code的签发时间晚于当前时间，请校准时钟后重新签发。")
    if life.expires_at <= now:
        raise SignInRefusedError("invalid_grant", "code已过期，请重新签发。")


def granted_scopes(asked: str | None, held: list[str]) -> frozenset[str]:
    """The scopes asked for, all held ones where none are. Raises SignInRefusedError (invalid_scope)."""
    if not asked:
        return frozenset(held)
    beyond = sorted(set(asked.split()) - set(held))
    if beyond:
        raise SignInRefusedError("invalid_scope", f"未获授权的scope：{'、'.join(beyond)}。")
    return frozenset(asked.split())


def service_of_application(catalogues: Catalogues, region_code: str, item_key: str, on: dt.date) -> str:
    """The service that takes applications for this item there on that date.

    Raises Refusal: not found for an unknown region or item, conflict (``not_offered_yet``) where
    the owning service takes none yet.
    """
    in_force = catalogues.item(region_code, item_key, on)
    owners = [operation.split(".")[0] for operation in in_force.item.operations]
    taking = next((service for service in owners if service in TAKE_APPLICATIONS), None)
    if taking is None:
        raise _not_offered_yet(region_code, in_force)
    return taking


def service_of_case(case_no: str) -> str:
    """The service that owns this case. Raises Refusal: invalid for a wrong number, not found where

    no such case can exist because its service takes no applications yet.
    """
    service = case_numbers.parse(case_no).operation.service
    if service not in TAKE_APPLICATIONS:
        raise not_found("no_case", f"没有编号为{case_no}的办件。")
    return service


def _not_offered_yet(region_code: str, in_force: ItemInForce) -> Refusal:
    return conflict(
        "not_offered_yet",
        f"“{in_force.item.name.text}”尚未开通线上申请，请到经办窗口办理"
        f"（窗口和电话见GET /v1/regions/{region_code}/offices）。",
    )
