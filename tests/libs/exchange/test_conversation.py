"""What may follow what, and what is said when it may not."""

from __future__ import annotations

import pytest
from uuid_utils.compat import uuid7

from libs.exchange.bodies import Body, read_body
from libs.exchange.conversation import apply, default_answer, permitted
from libs.exchange.envelope import Kind, Message
from libs.exchange.faults import Code, ExchangeFault, Fault
from libs.exchange.standing import Conversation
from libs.exchange.transitions import RULES, STATE_NAMES, Regime, State
from tests.libs.exchange import papers
from tests.libs.exchange.papers import WUHAN, YANTAI, ZAOZHUANG

OUT, IN = YANTAI, ZAOZHUANG

LETTER = (Kind.CONTACT_LETTER, papers.contact_letter(), IN)
SHEET = (Kind.INFORMATION_SHEET, papers.sheet(), OUT)
EMPTY_SHEET = (Kind.INFORMATION_SHEET, papers.sheet(0), OUT)
FUNDS = (Kind.FUND_NOTICE, papers.fund_notice(), OUT)
RETURN = (Kind.RETURN_FOR_CORRECTION, papers.returned(), IN)
DONE = (Kind.COMPLETION, papers.completion(), IN)
Step = tuple[Kind, Body, str]


def written(standing: Conversation, step: Step, answers: str | None = None) -> Message:
    kind, body, sender = step
    return papers.message(
        kind,
        body,
        from_region=sender,
        to_region=IN if sender == OUT else OUT,
        answers=answers or default_answer(standing, kind),
    )


def after(*steps: Step, sending: bool = True) -> Conversation:
    standing = Conversation()
    for step in steps:
        message = written(standing, step)
        standing = apply(standing, message, read_body(message.kind, 1, message.body), sending=sending)
    return standing


def refused(standing: Conversation, step: Step, *, sending: bool = True) -> list[Fault]:
    message = written(standing, step)
    with pytest.raises(ExchangeFault) as raised:
        apply(standing, message, read_body(message.kind, 1, message.body), sending=sending)
    return raised.value.faults


def test_a_letter_opens_the_letter_regime_and_an_application_the_platform_regime() -> None:
    assert after(LETTER).regime is Regime.LETTER
    for opener in (IN, OUT):
        opened = after((Kind.TRANSFER_APPLICATION, papers.application(), opener))
        assert (opened.regime, opened.transferring_in, opened.transferring_out) == (Regime.PLATFORM, IN, OUT)


def test_a_transfer_runs_from_letter_over_sheet_and_money_to_completion() -> None:
    states = [after(*(LETTER, SHEET, FUNDS, DONE)[:length]).state for length in range(1, 5)]
    assert states == [State.REQUESTED, State.AWAITING_FUNDS, State.FUNDED, State.COMPLETED]


def test_without_account_money_the_sheet_is_followed_by_completion() -> None:
    without_money = (Kind.COMPLETION, papers.completion(0), IN)
    assert after(LETTER, EMPTY_SHEET, without_money).state is State.COMPLETED


def test_completion_before_the_money_is_refused_with_its_reason() -> None:
    faults = refused(after(LETTER, SHEET), (Kind.COMPLETION, papers.completion(0), IN))
    assert "收到划转通知后方可办结" in faults[0].message


def test_withdrawal_after_payment_is_refused() -> None:
    for sender in (IN, OUT):
        faults = refused(after(LETTER, SHEET, FUNDS), (Kind.WITHDRAWAL, papers.withdrawal(), sender))
        assert [fault.code for fault in faults] == [Code.TRANSITION_FORBIDDEN]
        assert "资金已划转，不能撤回" in faults[0].message


def test_either_side_may_withdraw_until_payment() -> None:
    for steps in ((LETTER,), (LETTER, SHEET), (LETTER, EMPTY_SHEET), (LETTER, SHEET, RETURN)):
        for sender in (IN, OUT):
            withdrawn = after(*steps, (Kind.WITHDRAWAL, papers.withdrawal(), sender))
            assert withdrawn.state is State.WITHDRAWN


def test_money_that_crossed_a_withdrawal_beats_it() -> None:
    standing = after(LETTER, SHEET, (Kind.WITHDRAWAL, papers.withdrawal(), IN))
    funds = written(standing, FUNDS)
    assert apply(standing, funds, papers.fund_notice(), sending=False).state is State.FUNDED


def test_a_completion_that_crossed_a_withdrawal_beats_it() -> None:
    standing = after(LETTER, EMPTY_SHEET, (Kind.WITHDRAWAL, papers.withdrawal(), OUT))
    body = papers.completion(0)
    done = written(standing, (Kind.COMPLETION, body, IN))
    assert apply(standing, done, body, sending=False).state is State.COMPLETED


def test_after_the_other_sides_withdrawal_nothing_is_taken() -> None:
    standing = after(LETTER, SHEET)
    withdrawal = written(standing, (Kind.WITHDRAWAL, papers.withdrawal(), OUT))
    standing = apply(standing, withdrawal, papers.withdrawal(), sending=False)
    assert refused(standing, FUNDS, sending=False)[0].code is Code.TRANSITION_FORBIDDEN


def test_a_sheet_is_returned_corrected_and_goes_on() -> None:
    standing = after(LETTER, SHEET, RETURN)
    assert standing.state is State.SHEET_RETURNED
    assert standing.sheet
    correction = papers.correction(standing.sheet.message_id, sheet=papers.sheet(500))
    standing = apply(
        standing, written(standing, (Kind.CORRECTION, correction, OUT)), correction, sending=True
    )
    assert standing.state is State.AWAITING_FUNDS
    assert standing.sheet
    assert standing.sheet.amount_fen == 500


def test_a_return_of_a_sheet_replaced_meanwhile_has_no_effect_on_arrival() -> None:
    standing = after(LETTER, SHEET)
    late_return = written(standing, RETURN)
    assert standing.sheet
    correction = papers.correction(standing.sheet.message_id, sheet=papers.sheet(500))
    corrected = apply(
        standing, written(standing, (Kind.CORRECTION, correction, OUT)), correction, sending=True
    )
    assert apply(corrected, late_return, papers.returned(), sending=False) == corrected


def test_a_correction_must_name_what_it_replaces() -> None:
    standing = after(LETTER, SHEET, RETURN)
    correction = papers.correction(uuid7(), sheet=papers.sheet(500))
    faults = refused(standing, (Kind.CORRECTION, correction, OUT))
    assert standing.sheet
    assert [fault.field for fault in faults] == ["body.replaces"]
    assert str(standing.sheet.message_id) in faults[0].message


def test_the_fund_notice_must_equal_the_sheet() -> None:
    faults = refused(after(LETTER, SHEET), (Kind.FUND_NOTICE, papers.fund_notice(234566), OUT))
    assert [fault.code for fault in faults] == [Code.AMOUNT_MISMATCH]
    assert "234567" in faults[0].message
    assert "234566" in faults[0].message


def test_the_completion_must_equal_the_fund_notice() -> None:
    faults = refused(after(LETTER, SHEET, FUNDS), (Kind.COMPLETION, papers.completion(234568), IN))
    assert [fault.code for fault in faults] == [Code.AMOUNT_MISMATCH]


def test_all_that_is_wrong_is_said_at_once() -> None:
    standing = after(LETTER, SHEET, FUNDS)
    body = papers.completion(1)
    message = written(standing, (Kind.COMPLETION, body, IN), answers="sha256:" + "0" * 64)
    with pytest.raises(ExchangeFault) as raised:
        apply(standing, message, body, sending=True)
    assert [fault.field for fault in raised.value.faults] == ["answers_digest", "body.credited_amount_fen"]


def test_the_transferring_out_side_cannot_send_the_letter() -> None:
    faults = refused(Conversation(), (Kind.CONTACT_LETTER, papers.contact_letter(), OUT))
    assert [fault.field for fault in faults] == ["from_region"]
    assert f"转入地（{IN}）发出" in faults[0].message


def test_a_letter_about_other_regions_is_refused_naming_both_fields() -> None:
    letter = papers.contact_letter(WUHAN, out=WUHAN)
    faults = refused(Conversation(), (Kind.CONTACT_LETTER, letter, IN))
    assert [fault.field for fault in faults] == [
        "body.transferring_out.region_code",
        "body.transferring_in.region_code",
    ]


def test_an_application_in_the_letter_regime_is_refused() -> None:
    application = papers.application().model_copy(update={"regime": "letter"})
    faults = refused(Conversation(), (Kind.TRANSFER_APPLICATION, application, IN))
    assert [fault.field for fault in faults] == ["body.regime"]


def test_an_inquiry_is_allowed_at_any_time_but_the_first_and_changes_nothing() -> None:
    inquiry = (Kind.INQUIRY, papers.inquiry(), OUT)
    assert refused(Conversation(), inquiry)
    for steps in ((LETTER,), (LETTER, SHEET, FUNDS), (LETTER, SHEET, FUNDS, DONE)):
        standing = after(*steps)
        assert apply(standing, written(standing, inquiry), papers.inquiry(), sending=True) == standing


def test_a_refusal_names_what_could_be_sent_instead() -> None:
    faults = refused(after(LETTER), (Kind.COMPLETION, papers.completion(), IN))
    standing = after(LETTER)
    for kind in permitted(standing, IN):
        assert kind in faults[0].message
    assert STATE_NAMES[State.REQUESTED] in faults[0].message


def test_every_state_is_reached_and_left_by_some_rule() -> None:
    reached = {rule.then for rule in RULES} | {State.NEW}
    assert reached - {None} == set(State)
    left = {state for rule in RULES for state in rule.states if rule.then not in (None, state)}
    assert set(State) - left == {State.COMPLETED, State.WITHDRAWN}


@pytest.mark.parametrize("state", [state for state in State if state is not State.NEW])
@pytest.mark.parametrize("requester", [IN, OUT])
def test_only_the_old_place_issues_sheet_and_money_only_the_new_place_completes(
    state: State, requester: str
) -> None:
    opened = after((Kind.TRANSFER_APPLICATION, papers.application(), requester), SHEET, FUNDS)
    standing = opened.model_copy(update={"state": state})
    for kind, body, sender in (
        (Kind.INFORMATION_SHEET, papers.sheet(), IN),
        (Kind.FUND_NOTICE, papers.fund_notice(), IN),
        (Kind.COMPLETION, papers.completion(), OUT),
    ):
        assert refused(standing, (kind, body, sender), sending=False)[0].field == "kind"
