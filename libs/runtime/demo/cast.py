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
from libs.runtime.registration import register_officer
from libs.webapp.callers import ROLE_NAMES, Role

YANTAI, ZAOZHUANG, WUHAN, ZIBO, DONGYING = "370600", "370400", "420100", "370300", "370500"
# A county of each city: made-up people's numbers begin with it.
COUNTIES = {YANTAI: "370602", ZAOZHUANG: "370402", WUHAN: "420102", ZIBO: "370302", DONGYING: "370502"}
ROLES = (Role.CLERK, Role.REVIEWER, Role.FINANCE)
EMPLOYEE = "310"

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
                username, password = officer(region_code, role), secrets.token_urlsafe(18)
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

    async def found_employers(self, region_codes: Iterable[str] = COUNTIES) -> None:
        """One employer in each of these cities."""
        for region_code in region_codes:
            place = names.name_of(region_code).removesuffix("市")
            made_up = self.made_up.employer(COUNTIES[region_code], place)
            body = {"region_code": region_code, "credit_code": made_up.credit_code, "name": made_up.name}
            employer = await self._as_clerk(region_code, "/v1/enrollment/employers", body, 201)
            self._employers[region_code] = employer["id"]

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
