"""A year of the tax authority's files for 300 made-up people, against a plain Python model of the books."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter as Tally
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from libs.casework.clock import SHANGHAI, AdjustableClock
from libs.identifiers.credentials import Credential, CredentialType
from libs.identifiers.made_up import MadeUp
from libs.ledger.verification import verify
from libs.webapp.callers import Role
from libs.webapp.database import ALL_REGIONS
from services.enrollment.models import Employer, Enrolment, Person
from services.enrollment.service.retiree_credits import credit_chunk
from services.enrollment.worker import work_off
from tests.services.enrollment.counter import ZAOZHUANG, Counter
from tests.services.enrollment.tax import Row, Tax, apply_all, file_of
from tests.support.tokens import officer

SEED, PEOPLE, EMPLOYERS = 20260310, 300, 12
# From July 2022 to June 2023: the rule changes in the middle of the year.
MONTHS = [f"{2022 + (5 + n) // 12}-{(5 + n) % 12 + 1:02d}" for n in range(1, 13)]
REFORM = "2023-01"
TWO_PLACES = Decimal("0.01")


@dataclass
class Somebody:
    """A made-up person with their relation, as the model sees them."""

    id: Any
    name: str
    number: str
    born: dt.date
    kind: str  # employee | flexible | retiree | unenrolled | resident
    employer: str
    since: str
    until: str
    wage: Decimal
    pays: dict[str, str] = field(default_factory=dict)  # month -> serial that counts
    account: Decimal = Decimal(0)


@dataclass
class Model:
    """The books in plain Python: yuan as Decimal, lists and dictionaries."""

    bank: Decimal = Decimal(0)
    pooled: Decimal = Decimal(0)
    waiting: Decimal = Decimal(0)
    paid: dict[str, tuple[Somebody | None, Row, Decimal]] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    file_sums: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def book(self, somebody: Somebody | None, row: Row, booked_in: str) -> None:
        """One row of a file, by the rules as a clerk would tell them."""
        self.file_sums[booked_in] += row.total
        if row.kind == "更正":
            self._take_back(row)
            return
        self.bank += row.total
        if somebody is None or not self._counts(somebody, row):
            self.waiting += row.total
            self.outcomes[row.serial] = "unmatched"
            self.paid[row.serial] = (None, row, Decimal(0))
            return
        credit = credit_of(somebody, row)
        somebody.pays[row.period] = row.serial
        somebody.account += credit
        self.pooled += row.total - credit
        self.paid[row.serial] = (somebody, row, credit)
        self.outcomes[row.serial] = "matched"

    def _counts(self, somebody: Somebody, row: Row) -> bool:
        if somebody.kind not in ("employee", "flexible") or row.period in somebody.pays:
            return False
        return somebody.since <= row.period <= somebody.until and row.credit_code == somebody.employer

    def _take_back(self, red: Row) -> None:
        somebody, row, credit = self.paid[red.corrects]
        self.bank -= row.total
        if somebody is None:
            self.waiting -= row.total
        else:
            del somebody.pays[row.period]
            somebody.account -= credit
            self.pooled -= row.total - credit
        self.outcomes[row.serial], self.outcomes[red.serial] = "reversed", "matched"


def credit_of(somebody: Somebody, row: Row) -> Decimal:
    """By the illustrative rules: 2 % of the base at most, and until the reform 12.5 % or 18.75 % of the
    employer's part."""
    own = min(Decimal(row.personal), rounded(Decimal(row.base) * 2 / 100))
    if row.period >= REFORM:
        return own
    first = dt.date(int(row.period[:4]), int(row.period[5:]), 1)
    birthdays = (
        first.year
        - somebody.born.year
        - ((first.month, first.day) < (somebody.born.month, somebody.born.day))
    )
    return own + rounded(Decimal(row.unit) * (Decimal("12.5") if birthdays < 45 else Decimal("18.75")) / 100)


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(TWO_PLACES, rounding=ROUND_HALF_UP)


class Town:
    """300 people and 12 employers, stored at once, and the rows their payments are told in."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.random = random.Random(SEED)
        self.made_up = MadeUp(SEED)
        self.people: list[Somebody] = []
        self.employers: dict[str, Any] = {}
        self.serial = 0

    async def settle(self) -> None:
        """Store everybody; requests for each would take a minute and test nothing here."""
        now = self.counter.resources.clock.now()
        protector = self.counter.resources.protector
        async with self.counter.resources.database.transaction(ALL_REGIONS) as session:
            for _ in range(EMPLOYERS):
                made_up = self.made_up.employer("370402", "枣庄")
                employer = Employer(
                    id=uuid7(),
                    region_code=ZAOZHUANG,
                    version=1,
                    credit_code=made_up.credit_code,
                    name=made_up.name,
                    state="active",
                    created_at=now,
                )
                session.add(employer)
                self.employers[made_up.credit_code] = employer.id
            await session.flush()
            for place in range(PEOPLE):
                somebody = self._somebody(place)
                self.people.append(somebody)
                session.add(self._record(somebody, protector, now))
                await session.flush()
                if somebody.kind != "unenrolled":
                    session.add(self._relation(somebody, now))

    def _somebody(self, place: int) -> Somebody:
        made_up = self.made_up.person("370402", born=(1966, 2000))
        kind = ["employee"] * 6 + ["flexible"] * 2 + ["retiree", "unenrolled"]
        chosen = kind[place % len(kind)]
        return Somebody(
            id=uuid7(),
            name=made_up.name,
            number=made_up.id_number,
            born=made_up.birth_date,
            kind=chosen,
            employer=self.random.choice(list(self.employers)) if chosen == "employee" else "",
            since=self.random.choice(["2020-01", MONTHS[2]]),
            until=self.random.choice(["9999-12", "9999-12", MONTHS[8]]),
            wage=Decimal(self.random.randrange(300_000, 2_000_000)) / 100,
        )

    def _record(self, somebody: Somebody, protector: Any, now: dt.datetime) -> Person:
        def sealed(value: str, what: str) -> str:
            sealed_value: str = protector.encrypt(value, f"{ZAOZHUANG}/person.{what}/{somebody.id}")
            return sealed_value

        credential = Credential(CredentialType.RESIDENT_ID, somebody.number)
        return Person(
            id=somebody.id,
            region_code=ZAOZHUANG,
            version=1,
            person_key=protector.blind_index(credential.canonical),
            credential_type="resident_id",
            credential=sealed(somebody.number, "credential"),
            name=sealed(somebody.name, "name"),
            sex=credential.sex,
            birth_date=somebody.born,
            created_at=now,
        )

    def _relation(self, somebody: Somebody, now: dt.datetime) -> Enrolment:
        stopped = None if somebody.until == "9999-12" else dt.date.fromisoformat(f"{somebody.until}-15")
        return Enrolment(
            id=uuid7(),
            region_code=ZAOZHUANG,
            version=1,
            person_id=somebody.id,
            person_key=f"key-of-{somebody.id}",
            insurance_kind="310",
            counts_as="basic",
            person_kind={"flexible": "flexible_worker"}.get(somebody.kind, somebody.kind),
            employer_id=self.employers.get(somebody.employer),
            started_on=dt.date.fromisoformat(f"{somebody.since}-10"),
            stopped_on=stopped,
            stop_reason="other" if stopped else None,
            declared_wage_fen=int(somebody.wage * 100),
            created_at=now,
        )

    def row(self, somebody: Somebody, period: str, **other: str) -> Row:
        """This month's payment: an employer's part of 8 % and an own one of 2 %, both rounded."""
        self.serial += 1
        told = {
            "payer": "单位" if somebody.employer else "个人",
            "credit_code": somebody.employer,
            "person_kind": "在职职工" if somebody.kind == "employee" else "灵活就业人员",
            "base": f"{somebody.wage:.2f}",
            "unit": f"{rounded(somebody.wage * 8 / 100):.2f}",
            "personal": f"{rounded(somebody.wage * 2 / 100):.2f}",
            "paid_on": f"{period}-05",
        }
        return Row(f"SN-{self.serial:08d}", somebody.number, somebody.name, period, **{**told, **other})

    def month(self, month: str, model: Model) -> list[tuple[Somebody | None, Row]]:
        """What the tax authority tells for a month: most pay, some do not, some late, some wrongly."""
        rows: list[tuple[Somebody | None, Row]] = []
        for somebody in self.people:
            chance = self.random.random()
            if somebody.kind == "unenrolled" and chance > 0.2:
                continue
            if somebody.kind == "retiree" and chance > 0.05:
                continue
            if chance < 0.08:
                continue  # in arrears
            row = self.row(somebody, month)
            rows.append((somebody, row))
            if chance > 0.97:
                rows.append((somebody, self.row(somebody, month)))  # paid twice
            elif chance > 0.94:
                rows.append((somebody, red_of(self, row)))  # and taken back in the same file
                if chance > 0.955:
                    rows.append((somebody, self.row(somebody, month, base="5000.00")))
        rows += self._late(month, model)
        stranger = MadeUp(SEED + self.serial).person("370403")
        self.serial += 1
        rows.append(
            (
                None,
                Row(f"SN-{self.serial:08d}", stranger.id_number, stranger.name, month, paid_on=f"{month}-05"),
            )
        )
        return rows

    def _late(self, month: str, model: Model) -> list[tuple[Somebody | None, Row]]:
        """Back payments of some arrears, and red entries for some earlier payments."""
        rows: list[tuple[Somebody | None, Row]] = []
        for somebody in self.people:
            owed = [m for m in MONTHS if somebody.since <= m < month and m not in somebody.pays]
            if owed and self.random.random() < 0.3:
                told = {"kind": "补缴", "late_fee": "12.34", "paid_on": f"{month}-06"}
                rows.append((somebody, self.row(somebody, owed[0], **told)))
        standing = [
            serial for serial, outcome in model.outcomes.items() if outcome in ("matched", "unmatched")
        ]
        for serial in self.random.sample(standing, min(3, len(standing))):
            somebody_paid, row, _ = model.paid.get(serial, (None, None, None))
            if row is not None:
                rows.append((somebody_paid, red_of(self, row, month)))
        return rows


def red_of(town: Town, row: Row, month: str | None = None) -> Row:
    town.serial += 1
    return row.red(f"SN-{town.serial:08d}", **({"paid_on": f"{month}-07"} if month else {}))


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_year_of_files_is_what_the_model_says(counter: Counter, clock: AdjustableClock) -> None:
    clock.set(dt.datetime(2022, 7, 20, 9, tzinfo=SHANGHAI))
    town, model, tax = Town(counter), Model(), Tax(counter)
    await town.settle()
    for month in MONTHS:
        clock.set(dt.datetime.combine(dt.date.fromisoformat(f"{month}-20"), dt.time(9), SHANGHAI))
        rows = town.month(month, model)
        for somebody, row in rows:
            model.book(somebody, row, month)
        await one_month(counter, tax, [row for _, row in rows], month)
        await retired(counter, town, model, month)
    await compare(counter, town, model)


async def one_month(counter: Counter, tax: Tax, rows: list[Row], month: str) -> None:
    """The month in two files, the second sent twice, in chunks that end anywhere."""
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        content = file_of(part, file_no=f"SW-{month}-{number}", month=month)
        for _ in range(1 + number):
            answer = await tax.send(content)
            assert answer.status_code == 202, answer.text
    await apply_all(counter.resources, chunk=97)


async def retired(counter: Counter, town: Town, model: Model, month: str) -> None:
    """The month's credit of retirees: 4.5 % of the pension, and a fixed amount since the reform."""
    finance = officer(ZAOZHUANG, Role.FINANCE)
    await counter.done("retiree-credits", {"region_code": ZAOZHUANG, "month": month}, finance)
    await work_off(counter.resources, credit_chunk)
    for somebody in town.people:
        if somebody.kind == "retiree" and somebody.since < month <= somebody.until:
            credit = Decimal("72.50") if month >= REFORM else rounded(somebody.wage * Decimal("4.5") / 100)
            somebody.account += credit
            model.pooled -= credit


async def compare(counter: Counter, town: Town, model: Model) -> None:
    """Model and database, account by account, month by month, to the fen."""
    accounts = sum((somebody.account for somebody in town.people), Decimal(0))
    assert await counter.balances(ZAOZHUANG) == {
        "bank_mirror": -fen(model.bank),
        "pooled": fen(model.pooled),
        "unattributed": fen(model.waiting),
        "personal_account": fen(accounts),
    }
    assert model.bank == model.pooled + model.waiting + accounts
    assert await balances(counter) == {
        str(somebody.id): fen(somebody.account) for somebody in town.people if somebody.account
    }
    assert await months(counter) == {
        (somebody.id, month, serial) for somebody in town.people for month, serial in somebody.pays.items()
    }
    assert await outcomes(counter) == model.outcomes
    assert set(Tally(model.outcomes.values())) == {"matched", "unmatched", "reversed"}
    await compare_reconciliations(counter, town, model)
    await compare_arrears(counter, town)
    async with counter.resources.database.transaction(ALL_REGIONS) as session:
        assert await verify(session) == []


def fen(amount: Decimal) -> int:
    assert amount == rounded(amount)
    return int(amount * 100)


async def balances(counter: Counter) -> dict[str, int]:
    query = """
        SELECT a.owner, sum(e.amount_fen)::bigint
        FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
        WHERE a.kind = 'personal_account' GROUP BY a.owner HAVING sum(e.amount_fen) <> 0
    """
    return dict(await counter.rows(query))


async def months(counter: Counter) -> set[tuple[Any, str, str]]:
    rows = await counter.rows("SELECT person_id, month, paid_with FROM contribution_months")
    return {tuple(row) for row in rows}  # type: ignore[misc]


async def outcomes(counter: Counter) -> dict[str, str]:
    return dict(await counter.rows("SELECT serial, outcome FROM contribution_payments"))


async def compare_reconciliations(counter: Counter, town: Town, model: Model) -> None:
    for month in MONTHS:
        told = (await counter.get(f"reconciliations?region_code={ZAOZHUANG}&month={month}")).json()
        assert Decimal(told["total_yuan"]) == model.file_sums[month]
        assert (told["difference_yuan"], told["ledger_difference_yuan"]) == ("0.00", "0.00")
        working = [
            s for s in town.people if s.kind in ("employee", "flexible") and s.since <= month <= s.until
        ]
        paid = [s for s in working if month in s.pays]
        differs = [s for s in paid if Decimal(model.paid[s.pays[month]][1].base) != s.wage]
        (coverage,) = told["coverage"]
        assert (coverage["expected"], coverage["paid"], coverage["arrears"], coverage["base_differs"]) == (
            len(working),
            len(paid),
            len(working) - len(paid),
            len(differs),
        )


async def compare_arrears(counter: Counter, town: Town) -> None:
    """Due are the 24 months before June 2023; those before July 2022 nobody has paid."""
    due = [f"{2021 + (4 + n) // 12}-{(4 + n) % 12 + 1:02d}" for n in range(1, 25)]
    expected = {
        str(somebody.id): owed
        for somebody in town.people
        if somebody.kind in ("employee", "flexible")
        and (owed := [m for m in due if somebody.since <= m <= somebody.until and m not in somebody.pays])
    }
    found: dict[str, list[str]] = {}
    cursor = ""
    while cursor is not None:
        path = f"arrears?region_code={ZAOZHUANG}&limit=100{cursor and '&cursor='}{cursor}"
        page = (await counter.get(path)).json()
        found |= {row["person_id"]: row["months"] for row in page["items"]}
        cursor = page["next_cursor"]
    assert found == expected
