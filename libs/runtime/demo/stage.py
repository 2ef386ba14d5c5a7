"""The stage: what every story does the same way – apply, act, wait, pay, receive, show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from libs.casework.clock import ShiftedClock
from libs.casework.working_days import add_working_days
from libs.identifiers.made_up import MadeUpPerson
from libs.regions.agencies import Agencies
from libs.runtime.demo.api import Api, MiniProgram, until
from libs.runtime.demo.cast import COUNTIES, EMPLOYEE, Cast, Insured, months_from, officer, officer_title
from libs.runtime.demo.narrator import Narrator
from libs.webapp.callers import Role


@dataclass
class Stage:
    """API, people, narrator and clock, and the steps stories are made of."""

    api: Api
    cast: Cast
    narrator: Narrator
    clock: ShiftedClock
    backend: MiniProgram
    met: set[str] = field(default_factory=set)  # numbers of the cases the story knows

    async def mover(
        self, origin: str, destination: str, first: str, last: str, born: tuple[int, int] = (1975, 1998)
    ) -> tuple[Insured, Insured]:
        """Somebody who paid from ``first`` to ``last``, left, and is enrolled at the destination."""
        person = self.cast.made_up.person(COUNTIES[origin], born=born)
        there = await self.cast.enrol(person, origin, f"{first}-01")
        await self.cast.contribute(there, months_from(first, last))
        await self.cast.leave(there, _last_day(last))
        here = await self.cast.enrol(person, destination, "2026-02-25")
        return there, here

    def application(
        self, at: str, item_key: str, person: MadeUpPerson, ends: tuple[str, str], materials: Sequence[str]
    ) -> dict[str, Any]:
        """An application for ``ends`` = (transferring out, transferring in), handed in at ``at``."""
        return {
            "region_code": at,
            "item_key": item_key,
            "channel": "window",
            "applicant": {
                "name": person.name,
                "credential_type": "resident_id",
                "credential_no": person.id_number,
                "telephone": person.telephone,
            },
            "payload": {
                "kind": "transfer",
                "insurance_kind": "310",
                "from_region_code": ends[0],
                "to_region_code": ends[1],
            },
            "materials": [{"key": key} for key in materials],
        }

    async def act(
        self, case_no: str, action: str, role: Role, what: str, body: dict[str, Any] | None = None
    ) -> Any:
        """An officer of the case's city does something, and it is told."""
        region_code = case_no[:6]
        self.narrator.step(officer_title(region_code, role), what)
        path = f"/v1/applications/{case_no}/actions/{action}"
        return await self.api.post(officer(region_code, role), path, body or {})

    async def transfer(self, case_no: str) -> Any:
        """The move behind a case, as its city sees it."""
        return await self.api.get(officer(case_no[:6], Role.REVIEWER), f"/v1/transfers/{case_no}")

    async def at_stage(self, case_no: str, stage: str) -> Any:
        """Wait until the case stands at this stage."""

        async def look() -> Any:
            view = await self.transfer(case_no)
            return view if view["case"]["stage"] == stage else None

        return await until(f"{case_no} 到达 {stage}", look)

    async def told_of_payment(self, case_no: str) -> None:
        """Wait until the 划转通知 has arrived."""

        async def look() -> bool:
            return (await self.transfer(case_no))["money"]["bank_reference"] is not None

        await until(f"{case_no} 收到划转通知", look)

    async def newest_from(self, region_code: str, sender: str) -> str:
        """Number of the case the other city opened when our message arrived, once it is there."""
        reviewer = officer(region_code, Role.REVIEWER)

        async def look() -> str | None:
            page = await self.api.get(reviewer, f"/v1/applications?region={region_code}&page_size=200")
            new = [
                row["case_no"]
                for row in page["items"]
                if row["counterpart_region_code"] == sender and row["case_no"] not in self.met
            ]
            return new[0] if new else None

        case_no = str(await until(f"{region_code} 收到 {sender} 的来件", look))
        self.met.add(case_no)
        return case_no

    async def bank_receives(self, region_code: str, payer: str, reference: str, amount_yuan: str) -> Any:
        """The bank's line arrives at the transferring-in city; finance enters it."""
        self.narrator.step(
            officer_title(region_code, Role.FINANCE), f"录入银行到账 {amount_yuan} 元（{reference}）"
        )
        agency = Agencies.from_file().require(payer, "")
        body = {
            "region_code": region_code,
            "bank_reference": reference,
            "amount": amount_yuan,
            "payer_name": agency.account_name,
            "remark": "医保关系转移个人账户资金",
            "received_on": self.clock.now().date().isoformat(),
        }
        receipt = await self.api.post(
            officer(region_code, Role.FINANCE), "/v1/transfers/bank-receipts", body, 201
        )
        self.narrator.step("系统", receipt["explanation"])
        return receipt

    async def messages(self, case_no: str) -> None:
        """Show the messages of a case."""
        path = f"/v1/transfers/{case_no}/messages"
        self.narrator.messages(await self.api.get(officer(case_no[:6], Role.REVIEWER), path))

    async def money_row(self, moment: str, there: Insured, here: Insured) -> tuple[str, ...]:
        """The ledger at both ends, yuan: personal accounts and what is in transit."""
        out = await self.fund_accounts(there.region_code)
        in_ = await self.fund_accounts(here.region_code)
        return (
            moment,
            await self.cast.balance_yuan(there),
            out["in_transit_out"],
            in_["in_transit_in"],
            await self.cast.balance_yuan(here),
        )

    async def fund_accounts(self, region_code: str) -> dict[str, str]:
        """Balances of a city's own accounts by kind, yuan; zero where none is open yet."""
        accounts = await self.fund_account_list(region_code)
        found = {account["kind"]: account["balance_yuan"] for account in accounts}
        return {kind: found.get(kind, "0.00") for kind in ("in_transit_out", "in_transit_in")}

    async def fund_account_list(self, region_code: str) -> Any:
        """A city's books as its finance officer reads them."""
        path = f"/v1/enrollment/fund-accounts?region_code={region_code}&fund={EMPLOYEE}"
        return await self.api.get(officer(region_code, Role.FINANCE), path)

    def working_days_later(self, working_days: int) -> None:
        """The story's clock goes on to nine o'clock some working days later."""
        later = add_working_days(self.clock.now().date(), working_days).on
        self.clock.set(dt.datetime.combine(later, dt.time(9), self.clock.now().tzinfo))


def _last_day(month: str) -> str:
    year, number = map(int, month.split("-"))
    following = dt.date(year + number // 12, number % 12 + 1, 1)
    return (following - dt.timedelta(days=1)).isoformat()
