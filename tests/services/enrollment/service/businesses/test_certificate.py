"""参保凭证: issued at once to whoever is insured, numbered without gaps, sealed, given out again as it is."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest

from libs.casework.clock import AdjustableClock
from libs.documents.verification import trusted_roots, verify
from libs.refusals.faults import Refusal, RefusalKind
from libs.webapp.callers import Role
from libs.webapp.edge import Resources
from services.enrollment.service.press import Press, press_of
from tests.libs.documents.pages import words
from tests.services.enrollment.certificates import (
    WUHAN,
    applicant,
    apply,
    at_the_window,
    bearer,
    certificate_app,
    form,
    issued,
)
from tests.services.enrollment.counter import YANTAI, Card, Counter
from tests.support.tokens import officer

MONTHS = ["2025-11", "2025-12", "2026-01", "2026-02"]


@pytest.fixture
async def client(resources: Resources) -> AsyncIterator[httpx.AsyncClient]:
    async with certificate_app(resources, press_of(resources.settings)) as made:
        yield made


async def insured(counter: Counter, months: list[str] = MONTHS) -> Card:
    card = await counter.person(WUHAN)
    await counter.enrol(card)
    if months:
        await counter.contribute(card, months)
    return card


async def test_every_field_of_form_8_is_in_the_document_and_on_the_paper(
    counter: Counter, client: httpx.AsyncClient
) -> None:
    card = await insured(counter)
    person = await applicant(counter, card)
    body = form(person, household_place="湖北省武汉市江岸区", household_type="城镇")
    document, pdf = await issued(client, body, bearer(card))
    told = document["content"]
    assert told["certificate-number"] == document["number"] == "(湖北省)(武汉市)(2026)(第0001号)"
    assert told["generated-on"] == "2026年03月10日"
    assert (told["name"], told["credential"]) == (person["name"], f"居民身份证\n{card.id_number}")
    assert (told["household-place"], told["household-type"]) == ("湖北省武汉市江岸区", "城镇")
    assert (told["insurance-type"], told["insured-place"]) == ("职工基本医疗保险", "湖北省武汉市")
    assert (told["insured-from"], told["insured-to"]) == ("2025年11月", "2026年02月")
    assert told["contribution-months"] == "4"
    assert (told["account-balance"], told["account-balance-in-words"]) == ("400.00", "肆佰元整")
    assert told["agency-name"] == "武汉市医疗保障经办机构"
    assert (told["agency-region-code"], told["agency-postcode"]) == ("420100", "430000")
    read = words(pdf)
    assert all(value.replace("\n", "").replace(" ", "") in read for value in told.values())


async def test_the_paper_bears_the_agency_s_seal_and_is_trusted(
    counter: Counter, client: httpx.AsyncClient, resources: Resources
) -> None:
    card = await insured(counter)
    _, pdf = await issued(client, form(await applicant(counter, card)), bearer(card))
    roots = trusted_roots((resources.settings.paper_seals_folder / "trusted.pem").read_bytes())
    report = await asyncio.to_thread(verify, pdf, roots, resources.clock.now())
    assert report.genuine
    assert (report.sealed_by, report.sealed_at) == ("武汉市医疗保障经办机构", resources.clock.now())


async def test_the_same_paper_is_given_out_again_byte_for_byte(
    counter: Counter, client: httpx.AsyncClient, clock: AdjustableClock
) -> None:
    card = await insured(counter)
    document, pdf = await issued(client, form(await applicant(counter, card)), bearer(card))
    await counter.contribute(card, ["2026-03"])
    clock.advance(dt.timedelta(days=1))
    again = await client.get(f"/v1/enrollment/papers/{document['id']}", headers=bearer(card))
    assert again.content == pdf
    assert again.headers["content-type"] == "application/pdf"
    assert again.headers["content-disposition"] == (
        f'attachment; filename="participation-certificate-{document["id"]}.pdf"'
    )


async def test_the_paper_is_encrypted_at_rest_with_its_digest_beside_it(
    counter: Counter, client: httpx.AsyncClient
) -> None:
    card = await insured(counter)
    _, pdf = await issued(client, form(await applicant(counter, card)), bearer(card))
    rows = await counter.rows("SELECT pdf, digest FROM papers")
    assert [digest for _, digest in rows] == [hashlib.sha256(pdf).hexdigest()]
    assert b"%PDF" not in rows[0][0]
    assert b"obj" not in rows[0][0]


async def test_only_the_person_and_their_region_s_officers_get_the_paper(
    counter: Counter, client: httpx.AsyncClient
) -> None:
    card, other = await insured(counter), await insured(counter)
    document, pdf = await issued(client, form(await applicant(counter, card)), bearer(card))
    path = f"/v1/enrollment/papers/{document['id']}"
    at_home = await client.get(path, headers=officer(WUHAN, Role.CLERK))
    assert at_home.content == pdf
    strangers = [bearer(other), officer(YANTAI, Role.CLERK, Role.REVIEWER)]
    answers = [await client.get(path, headers=caller) for caller in strangers]
    assert [answer.status_code for answer in answers] == [404, 404]
    missing = await client.get(f"/v1/enrollment/papers/{card.id}", headers=bearer(card))
    assert missing.json()["detail"] == answers[0].json()["detail"]


async def test_a_citizen_applies_for_nobody_else(counter: Counter, client: httpx.AsyncClient) -> None:
    card, other = await insured(counter), await insured(counter)
    body = form(await applicant(counter, card), person=await applicant(counter, other))
    answer = await apply(client, body, bearer(card))
    assert answer.status_code == 403
    assert "只能为本人" in answer.json()["detail"]


async def test_a_clerk_issues_it_for_whoever_stands_at_the_window(
    counter: Counter, client: httpx.AsyncClient
) -> None:
    card, relative = await insured(counter), await insured(counter)
    body = form(await applicant(counter, relative), person=await applicant(counter, card))
    document, _ = await issued(client, at_the_window(body), officer(WUHAN, Role.CLERK))
    assert card.id_number in document["content"]["credential"]


async def test_nobody_without_a_record_here_gets_one(counter: Counter, client: httpx.AsyncClient) -> None:
    card = await counter.person(YANTAI)
    answer = await apply(client, form(await applicant(counter, card)), bearer(card))
    assert answer.json()["status"] == "supplementing"
    (notice,) = answer.json()["notice"]
    assert notice["code"] == "no_record"
    assert "没有参保档案" in notice["message"]
    assert await counter.rows("SELECT 1 FROM papers") == []


async def test_who_was_never_insured_in_that_kind_is_told_so(
    counter: Counter, client: httpx.AsyncClient
) -> None:
    card = await insured(counter)
    body = form(await applicant(counter, card), insurance_kind="390")
    answer = await apply(client, body, bearer(card))
    assert [item["code"] for item in answer.json()["notice"]] == ["never_insured"]
    assert "城乡居民基本医疗保险" in answer.json()["notice"][0]["message"]


async def test_everything_wrong_is_told_at_once(counter: Counter, client: httpx.AsyncClient) -> None:
    card = await insured(counter)
    person = {**await applicant(counter, card), "name": "别人"}
    body = form(person, insurance_kind="390", household_type="\U0002a6d0")
    answer = await apply(client, body, bearer(card))
    told = {item["code"]: item["pointer"] for item in answer.json()["notice"]}
    assert told == {
        "name_differs": "/applicant/name",
        "never_insured": "/payload/insurance_kind",
        "unprintable": "/payload/household_type",
    }


async def test_insured_without_a_month_paid_is_certified_as_such(
    counter: Counter, client: httpx.AsyncClient
) -> None:
    card = await insured(counter, months=[])
    document, _ = await issued(client, form(await applicant(counter, card)), bearer(card))
    told = document["content"]
    assert (told["insured-from"], told["insured-to"]) == ("2024年01月", "2026年03月")
    assert (told["contribution-months"], told["account-balance-in-words"]) == ("0", "零元整")


async def test_residents_have_no_personal_account(counter: Counter, client: httpx.AsyncClient) -> None:
    card = await counter.person(WUHAN)
    await counter.enrol(card, kind="390", person_kind="resident")
    body = form(await applicant(counter, card), insurance_kind="390")
    document, _ = await issued(client, body, bearer(card))
    assert document["content"]["account-balance-in-words"] == "不设个人账户"


async def test_without_the_agency_s_seal_nothing_is_issued(
    counter: Counter, resources: Resources, tmp_path_factory: pytest.TempPathFactory
) -> None:
    card = await insured(counter)
    body = form(await applicant(counter, card))
    empty = Press(tmp_path_factory.mktemp("no-seals"), press_of(resources.settings).agencies)
    async with certificate_app(resources, empty) as client:
        answer = await apply(client, body, bearer(card))
    assert answer.status_code == 503
    assert "电子签章" in answer.json()["detail"]
    assert await counter.rows("SELECT 1 FROM cases") == []


class JammedPress(Press):
    """Fails at the third sheet and the eleventh, after their numbers were taken."""

    printed = 0

    async def sealed(self, *args: object) -> bytes:  # type: ignore[override]
        self.printed += 1
        if self.printed in (3, 11):
            raise Refusal(RefusalKind.UNAVAILABLE, "jammed", "暂不能出具。")
        return await super().sealed(*args)  # type: ignore[arg-type]


async def test_twenty_at_once_are_numbered_without_gaps_though_two_more_fail(
    counter: Counter, resources: Resources
) -> None:
    cards = [await insured(counter) for _ in range(22)]
    bodies = [form(await applicant(counter, card)) for card in cards]
    jammed = JammedPress(resources.settings.paper_seals_folder, press_of(resources.settings).agencies)
    async with certificate_app(resources, jammed) as client:
        answers = await asyncio.gather(
            *(apply(client, body, bearer(card)) for body, card in zip(bodies, cards, strict=True))
        )
    assert sorted(answer.status_code for answer in answers) == [201] * 20 + [503] * 2
    numbers = await counter.rows("SELECT number FROM case_documents ORDER BY number")
    assert [number for (number,) in numbers] == [
        f"(湖北省)(武汉市)(2026)(第{serial:04d}号)" for serial in range(1, 21)
    ]
    assert await counter.rows("SELECT count(*) FROM papers") == [(20,)]
