"""Who plays: five cities with their officers, employers and people. All made up."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from libs.identifiers.made_up import MadeUp, MadeUpPerson
from libs.regions import names
from libs.runtime.demo.api import Api
from libs.runtime.postgres import EmbeddedPostgres
from libs.runtime.registration import register_client, register_officer
from libs.webapp.callers import ROLE_NAMES, Role
from libs.webapp.database import ALL_REGIONS

YANTAI, ZAOZHUANG, WUHAN, ZIBO, DONGYING = "370600", "370400", "420100", "370300", "370500"
# A county of each city: made-up people's numbers begin with it.
COUNTIES = {YANTAI: "370602", ZAOZHUANG: "370402", WUHAN: "420102", ZIBO: "370302", DONGYING: "370502"}
ROLES = (Role.CLERK, Role.REVIEWER, Role.FINANCE)
CASHIER = "420100-cashier"  # pays what others have checked and approved
EMPLOYEE = "310"

# Systems of other departments: name, and the scopes they are given.
SYSTEMS = {
    "joint": ("市场监管联办登记（演示）", ["enrollment.joint_registration", "enrollment.read"]),
    "tax": ("税务征缴（演示）", ["enrollment.tax_files", "enrollment.read"]),
    "sharing": ("民政数据共享（演示）", ["enrollment.data_sharing", "enrollment.read"]),
}

# Contribution base and what of it goes to the personal account, yuan a month; made up.
BASE_YUAN, ACCOUNT_YUAN = "6000.00", "120.00"


@dataclass(frozen=True)
class Insured:
    """A person as one city's agency knows them."""

    person: MadeUpPerson
    region_code: str
    person_id: str
    enrolment_id: str


class Cast:
    """The made-up people of the story and what they do in enrollment."""

    def __init__(self, api: Api, seed: int) -> None:
        self._api = api
        self.made_up = MadeUp(seed)
        self._employers: dict[str, str] = {}
        self.people = 0

    async def hire_officers(self, postgres: EmbeddedPostgres) -> None:
        """A clerk, a reviewer and a finance officer in each city, signed in."""
        for region_code in COUNTIES:
            for role in ROLES:
                await self.hire(postgres, officer(region_code, role), region_code, role)

    async def hire(self, postgres: EmbeddedPostgres, username: str, region_code: str, role: Role) -> None:
        """One officer more, signed in."""
        password = secrets.token_urlsafe(18)
        await register_officer(
            postgres,
            username=username,
            password=password,
            name=self.made_up.person(COUNTIES[region_code]).name,
            roles=[role],
            office=f"{names.name_of(region_code)}医疗保障经办机构",
            regions=[region_code],
        )
        await self._api.sign_in_officer(username, password)

    async def connect_systems(self, postgres: EmbeddedPostgres) -> None:
        """Other departments' systems, each with what it may do, signed in."""
        for client_id, (name, scopes) in SYSTEMS.items():
            secret = secrets.token_urlsafe(18)
            await register_client(
                postgres, client_id=client_id, secret=secret, name=name, scopes=scopes, regions=ALL_REGIONS
            )
            await self._api.sign_in_system(client_id, client_id, secret)

    async def found_employers(self, region_codes: Iterable[str] = COUNTIES) -> None:
        """One employer in each of these cities."""
        for region_code in region_codes:
            made_up = self.made_up.employer(COUNTIES[region_code], self.place(region_code))
            body = {"region_code": region_code, "credit_code": made_up.credit_code, "name": made_up.name}
            employer = await self._as_clerk(region_code, "/v1/enrollment/employers", body, 201)
            self._employers[region_code] = employer["id"]

    def place(self, region_code: str) -> str:
        """``枣庄``: how the city's employers begin their names."""
        return names.name_of(region_code).removesuffix("市")

    async def populate(self, people_per_city: int) -> None:
        """People who stay where they are: the cities are not empty around the story."""
        for region_code, county in COUNTIES.items():
            for number in range(people_per_city):
                insured = await self.enrol(self.made_up.person(county), region_code, "2024-01-01")
                await self.contribute(insured, months_from("2024-01", f"2025-{number % 12 + 1:02d}"))

    async def enrol(
        self, person: MadeUpPerson, region_code: str, since: str, *, person_kind: str = "employee"
    ) -> Insured:
        """Take a person up in a city and enrol them with its employer."""
        credential = {"type": "resident_id", "number": person.id_number}
        body: dict[str, Any] = {
            "region_code": region_code,
            "credential": credential,
            "name": person.name,
            "telephone": person.telephone,
        }
        known = await self._as_clerk(region_code, "/v1/enrollment/persons", body, 201)
        wish = {
            "person_id": known["id"],
            "insurance_kind": EMPLOYEE,
            "person_kind": person_kind,
            "employer_id": self._employers[region_code],
            "started_on": since,
        }
        enrolment = await self._as_clerk(region_code, "/v1/enrollment/enrolments", wish, 201)
        self.people += 1
        return Insured(person, region_code, known["id"], enrolment["id"])

    async def contribute(self, insured: Insured, months: list[str]) -> None:
        """Contributions of these months, credited to the personal account."""
        rows = [{"month": month, "base_yuan": BASE_YUAN, "account_yuan": ACCOUNT_YUAN} for month in months]
        body = {"person_id": insured.person_id, "insurance_kind": EMPLOYEE, "months": rows}
        await self._as_clerk(insured.region_code, "/v1/enrollment/contributions", body, 201)

    async def leave(self, insured: Insured, on: str) -> None:
        """Stop the enrolment: the person has left the employer."""
        body = {"stopped_on": on, "reason": "employment_ended"}
        await self._as_clerk(
            insured.region_code, f"/v1/enrollment/enrolments/{insured.enrolment_id}/stop", body
        )

    async def balance_yuan(self, insured: Insured) -> str:
        """Balance of the personal account, yuan."""
        reader = officer(insured.region_code, Role.REVIEWER)
        account = await self._api.get(reader, f"/v1/enrollment/persons/{insured.person_id}/account")
        return str(account["balance_yuan"])

    async def _as_clerk(self, region_code: str, path: str, body: dict[str, Any], status: int = 200) -> Any:
        return await self._api.post(officer(region_code, Role.CLERK), path, body, status)


def officer(region_code: str, role: Role) -> str:
    """User name of the city's officer with this role."""
    return f"{region_code}-{role.value}"


def officer_title(region_code: str, role: Role) -> str:
    """``枣庄市 审核人员``."""
    return f"{names.name_of(region_code)} {ROLE_NAMES[role]}"


def months_from(first: str, last: str) -> list[str]:
    """``2024-11``, ``2025-02`` -> the four months."""
    year, month = map(int, first.split("-"))
    found = []
    while (text := f"{year:04d}-{month:02d}") <= last:
        found.append(text)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found
