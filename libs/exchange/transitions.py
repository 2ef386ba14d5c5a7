"""Which message may follow in which state of a conversation, for each side and regime.

The table ``RULES`` is the whole protocol; ``conversation.apply`` reads it. Both agencies run the same table
over the same messages, but not in the same order: messages cross on the way. Rules marked ``late`` accept
what the other side had already sent when this side moved on. After a withdrawal of one's own, what was under
way is judged as if one had not withdrawn, and the withdrawal falls if it brings money or a completion
(``OVERRIDES_WITHDRAWAL``); the other side then refuses the withdrawal. So both ends agree once nothing is
under way any more: ``tests/libs/exchange/test_crossings.py`` walks through the interleavings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libs.exchange.envelope import Kind


class Regime(StrEnum):
    """联系函方式 (``shandong-2020``) and 平台方式 (医保办发〔2021〕43号)."""

    LETTER = "letter"
    PLATFORM = "platform"


class State(StrEnum):
    """States of a conversation."""

    NEW = "new"
    REQUESTED = "requested"
    REQUEST_RETURNED = "request_returned"
    AWAITING_FUNDS = "awaiting_funds"
    SHEET_ISSUED = "sheet_issued"
    SHEET_RETURNED = "sheet_returned"
    FUNDED = "funded"
    FUNDS_RETURNED = "funds_returned"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


STATE_NAMES = {
    State.NEW: "尚未开始",
    State.REQUESTED: "已发起、待出具信息表",
    State.REQUEST_RETURNED: "申请已退回、待更正",
    State.AWAITING_FUNDS: "信息表已出、待划转资金",
    State.SHEET_ISSUED: "信息表已出、无资金、待办结",
    State.SHEET_RETURNED: "信息表已退回、待更正",
    State.FUNDED: "资金已划转、待办结",
    State.FUNDS_RETURNED: "资金划转后退回、待更正",
    State.COMPLETED: "已办结",
    State.WITHDRAWN: "已撤回",
}


class By(StrEnum):
    """Who may send: 转出地, 转入地, whoever opened the conversation, the other one, 转出地 if it opened it,
    or either."""

    OUT = "out"
    IN = "in"
    REQUESTER = "requester"
    REQUESTED = "requested"
    OUT_AS_REQUESTER = "out_as_requester"
    EITHER = "either"


@dataclass(frozen=True)
class Rule:
    """``by`` may send ``kind`` in any of ``states``; the conversation is then in ``then`` (None: unchanged).

    ``money`` restricts the rule to sheets with (True) or without (False) account money. ``late``: accepted on
    arrival, but not to be sent in this state.
    """

    kind: Kind
    by: By
    states: tuple[State, ...]
    then: State | None
    regime: Regime | None = None
    money: bool | None = None
    late: bool = False


S, K = State, Kind
_BEFORE_MONEY = (S.REQUESTED, S.REQUEST_RETURNED, S.AWAITING_FUNDS, S.SHEET_ISSUED, S.SHEET_RETURNED)
_OPENED = tuple(state for state in State if state is not S.NEW)

RULES = (
    # Opening.
    Rule(K.CONTACT_LETTER, By.IN, (S.NEW,), S.REQUESTED, Regime.LETTER),
    Rule(K.TRANSFER_APPLICATION, By.EITHER, (S.NEW,), S.REQUESTED, Regime.PLATFORM),
    # The transferring-out agency answers with the sheet, then with the money.
    Rule(K.INFORMATION_SHEET, By.OUT, (S.REQUESTED,), S.AWAITING_FUNDS, money=True),
    Rule(K.INFORMATION_SHEET, By.OUT, (S.REQUESTED,), S.SHEET_ISSUED, money=False),
    Rule(K.FUND_NOTICE, By.OUT, (S.AWAITING_FUNDS,), S.FUNDED),
    # The transferring-in agency closes.
    Rule(K.COMPLETION, By.IN, (S.SHEET_ISSUED, S.FUNDED), S.COMPLETED),
    # Returns and corrections.
    Rule(K.RETURN_FOR_CORRECTION, By.REQUESTED, (S.REQUESTED,), S.REQUEST_RETURNED),
    Rule(K.CORRECTION, By.REQUESTER, (S.REQUEST_RETURNED,), S.REQUESTED),
    Rule(K.RETURN_FOR_CORRECTION, By.IN, (S.AWAITING_FUNDS, S.SHEET_ISSUED), S.SHEET_RETURNED),
    Rule(K.CORRECTION, By.OUT, (S.SHEET_RETURNED, S.AWAITING_FUNDS), S.AWAITING_FUNDS, money=True),
    Rule(K.CORRECTION, By.OUT, (S.SHEET_RETURNED, S.AWAITING_FUNDS), S.SHEET_ISSUED, money=False),
    Rule(K.RETURN_FOR_CORRECTION, By.IN, (S.FUNDED,), S.FUNDS_RETURNED),
    Rule(K.CORRECTION, By.OUT, (S.FUNDS_RETURNED,), S.FUNDED),
    # Either side may withdraw until money has been paid.
    Rule(K.WITHDRAWAL, By.EITHER, _BEFORE_MONEY, S.WITHDRAWN),
    # Asking is always allowed and changes nothing.
    Rule(K.INQUIRY, By.EITHER, _OPENED, None),
    # What was under way when this side moved on. (A transferring-out agency that opened the conversation may
    # have sent its sheet before it learned that the application was returned.)
    Rule(
        K.INFORMATION_SHEET,
        By.OUT_AS_REQUESTER,
        (S.REQUEST_RETURNED,),
        S.AWAITING_FUNDS,
        money=True,
        late=True,
    ),
    Rule(
        K.INFORMATION_SHEET,
        By.OUT_AS_REQUESTER,
        (S.REQUEST_RETURNED,),
        S.SHEET_ISSUED,
        money=False,
        late=True,
    ),
    Rule(K.FUND_NOTICE, By.OUT, (S.SHEET_RETURNED,), S.FUNDS_RETURNED, late=True),
    Rule(K.WITHDRAWAL, By.EITHER, (S.WITHDRAWN,), S.WITHDRAWN, late=True),
)

RETURNED = (S.REQUEST_RETURNED, S.SHEET_RETURNED, S.FUNDS_RETURNED)

# States that a withdrawal cannot undo: reached by a message that crossed it, they end it.
OVERRIDES_WITHDRAWAL = (S.FUNDED, S.FUNDS_RETURNED, S.COMPLETED)

# Why a frequent wish is refused; other cases are explained from the table.
REASONS = {
    (S.FUNDED, K.WITHDRAWAL): "资金已划转，不能撤回；请办结，或退回更正",
    (S.FUNDS_RETURNED, K.WITHDRAWAL): "资金已划转，不能撤回；请更正后办结",
    (S.AWAITING_FUNDS, K.COMPLETION): "信息表载明有个人账户资金，收到划转通知后方可办结",
    (S.SHEET_ISSUED, K.FUND_NOTICE): "信息表载明无个人账户资金；如有资金，请先更正信息表",
    (S.NEW, K.INFORMATION_SHEET): "应先有联系函或转移接续申请，再出具信息表",
    (S.NEW, K.FUND_NOTICE): "应先有信息表，再划转资金",
    (S.REQUESTED, K.FUND_NOTICE): "应先有信息表，再划转资金",
}
