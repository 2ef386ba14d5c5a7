"""Whatever is sent: no malfunction, nothing undocumented, every 422 in Chinese and with pointers.

A seeded sample of the walk over every place of every body and every parameter; all of it takes minutes.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from libs.casework.clock import SHANGHAI, AdjustableClock
from libs.webapp.callers import Role
from services.enrollment.app import create
from services.enrollment.domain.employment import ChangeKind
from tests.services.enrollment.applications import WUHAN, application
from tests.services.enrollment.counter import Counter
from tests.services.enrollment.doors import PEOPLE, A, Line, applications, ask, lines
from tests.services.enrollment.town import Town, town_of
from tests.support.tokens import officer, once

TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\U0001f600",
        "x" * 101,
        "x" * 100_000,
        "%",
        "_",
        "'",
        "\u202e",
        "１２",
        "²",
    ),
    *("0001-01-01", "1900-01-01", "2024-02-29", "2023-02-29", "2026-13-01", "2999-12-31", "9999-12-31"),
    *("0001-01", "1994-01", "2999-12", "9999-12", "2026-03"),
    *("-1.00", "0.00", "99999999999.99", "99999999999999999999.99", "NaN", "1e400", "9223372036854775808"),
    *("000000", "420100", "899999", "00000000-0000-0000-0000-000000000000", "W10=", "WyIiXQ=="),
    "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwgIjAwMDAwMDAwLTAwMDAtMDAwMC0wMDAwLTAwMDAwMDAwMDAwMCJd",
)
HALF_A_CHARACTER = "\ud800"
OTHERS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**30,
    1.5,
    1e308,
    [],
    {},
    [[]],
    [None],
    {"a": 1},
)
FILES = (
    *(
        b"",
        b"\x00" * 500,
        b"PK\x03\x04" + bytes(range(64)),
        b"%PDF-1.7\n%%EOF",
        b"\xff\xfe" + bytes(range(64)),
    ),
    *("姓名,证件类型,证件号码\n".encode(encoding) for encoding in ("utf-16", "gb18030", "utf-8-sig")),
)
MEDIA_TYPES = (
    "text/plain",
    "application/json; charset=latin1",
    "multipart/form-data; boundary=x",
    "a/b;;",
    "",
)
WALK = 800
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
EXTREMES = ("0001-01-01", "1900-01-01", "2024-02-29", "2023-02-29", "2999-12-31", "9999-12-31")

Place = tuple[Any, ...]
Sent = tuple[str, Line]


@pytest.fixture
async def town(counter: Counter) -> Town:
    return await town_of(counter)


def places(node: Any, at: Place = ()) -> Iterator[Place]:
    """Every place of a body, the whole first."""
    yield at
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        yield from places(value, (*at, key))


def at(node: Any, place: Place) -> Any:
    for key in place:
        node = node[key]
    return node


def put(node: Any, place: Place, value: Any) -> Any:
    """A copy of the body with another value there."""
    if not place:
        return value
    node = copy.deepcopy(node)
    at(node, place[:-1])[place[-1]] = value
    return node


def mangled(rnd: random.Random, line: Line) -> Any:
    """The body with one thing wrong."""
    if isinstance(line.body, bytes):
        return rnd.choice((*FILES, line.body[: rnd.randrange(len(line.body))]))
    place = rnd.choice(list(places(line.body)))
    texts = (*TEXTS, HALF_A_CHARACTER)
    return put(line.body, place, rnd.choice(texts if rnd.random() < 0.6 else OTHERS))


def wrongly_answered(name: str, answer: httpx.Response, documented: dict[str, Any]) -> str | None:
    """What is wrong about an answer, if anything is."""
    status = answer.status_code
    if status >= 500:
        return "malfunction"
    if status < 400:
        return None if str(status) in documented else "undocumented"
    if answer.headers["content-type"] != "application/problem+json":
        return "no problem"
    told = answer.json()
    if status == 422 and not told["errors"]:
        return "no pointers"
    sentences = [told["detail"], *(fault["message"] for fault in told["errors"])]
    if not all(re.search("[\u4e00-\u9fff]", sentence) for sentence in sentences):
        return "not in Chinese"
    return "unclear" if any("…" in one or "不符合要求（" in one for one in sentences) else None


class Door:
    """Sends anything to the app, whose malfunctions are answered here as in production."""

    def __init__(self, counter: Counter, town: Town) -> None:
        self.app = create(counter.resources)
        self.town, self.caller = town, officer(WUHAN, *Role, subject="door")
        self.paths = self.app.openapi()["paths"]
        self.wrong: list[tuple[Any, ...]] = []
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://service")

    async def send(
        self, name: str, body: Any, query: dict[str, Any], ids: dict[str, str] | None = None, **headers: str
    ) -> None:
        method, path = name.split(" ")[:2]
        operation = self.paths[path][method.lower()]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        typed = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
        given = {**(once(self.caller) if method == "POST" else self.caller), **typed, **headers}
        answer = await self.client.request(
            method,
            path.format(**{**self.town.ids, **(ids or {})}),
            params=query,
            content=None if method == "GET" else content,
            headers=given,
        )
        fault = wrongly_answered(name, answer, operation["responses"])
        if fault:
            self.wrong.append((fault, name, str(body)[:200], query, ids, headers, answer.text[:200]))

    async def send_wrong(self, rnd: random.Random, name: str, line: Line) -> None:
        """One of many ways to get it wrong."""
        method, path = name.split(" ")[:2]
        parameters = self.paths[path][method.lower()].get("parameters", [])
        named = [one for one in parameters if one["in"] in ("path", "query") and one["name"] != "wait_s"]
        if line.body is not None and (not named or rnd.random() < 0.6):
            media_type = {"Content-Type": rnd.choice(MEDIA_TYPES)} if rnd.random() < 0.05 else {}
            await self.send(name, mangled(rnd, line), line.query, None, **media_type)
        elif named:
            one, text = rnd.choice(named), rnd.choice(TEXTS[:5] + TEXTS[7:])
            if one["in"] == "query":
                await self.send(name, line.body, {**line.query, one["name"]: text})
            else:
                await self.send(name, line.body, line.query, {one["name"]: quote(text, safe="") or "-"})


async def test_nothing_sent_makes_a_route_fail(counter: Counter, town: Town) -> None:
    rnd, door = random.Random(20261122), Door(counter, town)
    table = list(lines(town).items())
    for _ in range(WALK):
        await door.send_wrong(rnd, *rnd.choice(table))
    assert not door.wrong, "\n".join(map(str, door.wrong))


async def test_no_date_of_any_form_makes_it_fail(counter: Counter, town: Town) -> None:
    door = Door(counter, town)
    company = PEOPLE.employer("420102", "武汉")
    next_one = {"region_code": WUHAN, "credit_code": company.credit_code, "name": company.name}
    await counter.done("employers", next_one, door.caller)
    forms = [(f"POST {A}", body) for body in more_forms(town, company.credit_code)]
    for name, body in [*_dated(town), *forms]:
        for place in places(body):
            if isinstance(at(body, place), str) and DATE.fullmatch(at(body, place)):
                for day in EXTREMES:
                    await door.send(name, put(body, place, day), {})
    assert not door.wrong, "\n".join(map(str, door.wrong))


async def test_the_last_second_of_the_year_is_like_any_other(counter: Counter, town: Town) -> None:
    clock = counter.resources.clock
    assert isinstance(clock, AdjustableClock)
    clock.set(dt.datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=SHANGHAI))
    caller = officer(WUHAN, *Role, subject="late")
    for name, line in lines(town).items():
        assert (await ask(counter, town, name, line, caller)).status_code < 500, name


def _dated(town: Town) -> list[tuple[str, Any]]:
    told = lines(town).items()
    return [(name, line.body) for name, line in told if isinstance(line.body, dict)]


def more_forms(town: Town, next_code: str) -> list[dict[str, Any]]:
    """The other shapes of the forms, each with all its dates."""
    me, code = town.owner.applicant.body(), town.employer["credit_code"]
    own, others = applications(town, me), [PEOPLE.employer("420102", "武汉").credit_code for _ in range(2)]
    registrations = [
        {"registration_kind": "suspend", "credit_code": code, "last_day": "2026-03-01"},
        {"registration_kind": "deregister", "credit_code": code, "last_day": "2026-03-01"},
        {
            "registration_kind": "new",
            "credit_code": others[0],
            "name": "某公司",
            "established_on": "2026-03-01",
        },
        *(
            {
                "registration_kind": kind,
                "credit_code": code,
                "effective_on": "2026-03-01",
                "successors": [{"credit_code": other, "takes_rest": other == others[0]} for other in others],
            }
            for kind in ("split", "separate")
        ),
        {
            "registration_kind": "merge",
            "predecessors": [code],
            "effective_on": "2026-03-01",
            "successor": {"credit_code": others[0]},
        },
    ]
    worker = town.worker.applicant.body()
    rows = [
        {"person": worker, "change": change.value, "effective_on": "2026-03-01", "declared_wage_yuan": "1.00"}
        for change in ChangeKind
    ]
    rows += [row | {"to_credit_code": next_code} for row in rows if row["change"] == ChangeKind.MOVE]
    ends = [{"person": me, "last_day": "2026-03-01"}]
    payloads = [
        ("002036001001", [{"kind": "employer_registration", "registration": one} for one in registrations]),
        ("002036001002", [_row(code, row) for row in rows]),
        (
            "002036001006",
            [
                {"kind": "resident_change", "business": "suspend", "people": ends},
                {"kind": "resident_change", "people": [_born(me)]},
            ],
        ),
        ("002036001005", [{"kind": "employee_change", "people": [_born(me)]}]),
        ("002036002003", [own["account_withdrawal"]["payload"] | _death(me)]),
    ]
    return [application(WUHAN, item, me, payload) for item, bodies in payloads for payload in bodies]


def _row(code: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "employee_registration", "employer_credit_code": code, "people": [row]}


def _born(me: dict[str, Any]) -> dict[str, Any]:
    return {"person": me, "changes": [{"item": "birth-date", "after": "1990-01-01", "before": "1990-01-02"}]}


def _death(me: dict[str, Any]) -> dict[str, Any]:
    heir = {**me, "relation": "配偶", "agrees": True, "is_representative": True}
    return {"reason": "death", "died_on": "2026-02-20", "heirs": [heir]}
