"""What happens to a person, and to the account, while a withdrawal is under way or after it."""

from __future__ import annotations

from tests.services.enrollment.applications import WUHAN, Applicant, acted, applied
from tests.services.enrollment.changes import changed, credential, line, same_birth_and_sex
from tests.services.enrollment.counter import Counter
from tests.services.enrollment.routes.test_withdrawal_applications import COMMITMENT
from tests.services.enrollment.withdrawals import (
    OF_WUHAN,
    accountant,
    answered,
    batch_of,
    chief,
    clerk,
    form,
    form_of_heir,
    insured,
    paid_line,
    payable,
    registered,
    require_sound_ledger,
    reviewer,
    status_of,
)


async def test_another_credential_meanwhile_is_the_same_person(counter: Counter) -> None:
    one = await insured(counter)
    case = await applied(counter, form(one), clerk())
    case = await acted(counter, case, "accept", clerk())
    case = await acted(counter, case, "approve", reviewer())
    new = same_birth_and_sex(counter, one.card.id_number)
    await changed(counter, one.card, line("credential", credential(new)), line("name", "欧阳某"))
    case = await acted(counter, case, "finance-check", accountant())
    case = await acted(counter, case, "chief-approve", chief())
    batch = await batch_of(counter)
    await answered(counter, batch, *(paid_line(each) for each in batch["lines"]))
    assert await status_of(counter, case, clerk()) == "completed"
    await require_sound_ledger(counter)


async def test_a_late_payment_opens_the_closed_account_again(counter: Counter) -> None:
    one = await insured(counter)
    await payable(counter, form(one))
    batch = await batch_of(counter)
    await answered(counter, batch, *(paid_line(each) for each in batch["lines"]))
    state = "SELECT state FROM ledger_accounts WHERE kind = 'personal_account'"
    assert await counter.rows(state) == [("closed",)]
    await counter.contribute(one.card, ["2025-12"])
    assert await counter.rows(state) == [("open",)]
    await payable(counter, form(one))
    (again,) = (await batch_of(counter))["lines"]
    assert again["amount_yuan"] == "100.00"
    await require_sound_ledger(counter)


async def test_a_merge_waits_for_the_withdrawal_an_heir_applied_for(counter: Counter) -> None:
    one, twin = await insured(counter), await registered(counter, WUHAN)
    papers = (*OF_WUHAN, "agreed-payee-identity-and-account", "death-commitment")
    body = form_of_heir(one, Applicant(counter.people.person("420102")), *papers, death_commitment=COMMITMENT)
    case = await applied(counter, body, clerk())
    await acted(counter, await acted(counter, case, "accept", clerk()), "approve", reviewer())
    told = {
        "keep_id": twin.card.id,
        "merge_id": one.card.id,
        "evidence": [{"name": "户口簿"}],
        "reason": "重复",
    }
    answer = await counter.post("person-merges", told, clerk())
    assert {fault["code"] for fault in answer.json()["errors"]} == {"account_on_hold", "withdrawal_under_way"}
