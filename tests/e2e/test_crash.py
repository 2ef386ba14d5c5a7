"""kill -9 of the whole process: what was acknowledged is there, and what it set off goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.runtime.demo.api import Api, until
from libs.runtime.demo.cast import Cast, months_from
from libs.webapp.callers import Role
from tests.support.installation import Running

YANTAI, ZAOZHUANG = "370600", "370400"


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_an_acknowledged_acceptance_survives_kill_9_and_reaches_the_other_city(tmp_path: Path) -> None:
    running = Running(tmp_path / "var")
    running.start()
    try:
        passwords = {
            f"{region}-{role.value}": await running.officer(f"{region}-{role.value}", region, role)
            for region in (YANTAI, ZAOZHUANG)
            for role in (Role.CLERK, Role.REVIEWER, Role.FINANCE)
        }
        case_no = await _apply_and_accept(running, passwords)
        running.kill()  # right after the acceptance was acknowledged
        running.start()
        await _the_other_city_has_it(running, passwords, case_no)
        assert running.stop() == 0
    finally:
        if running.is_running:
            running.kill()


async def _apply_and_accept(running: Running, passwords: dict[str, str]) -> str:
    async with httpx.AsyncClient(base_url=running.address, timeout=60) as client:
        api = Api(client)
        for username, password in passwords.items():
            await api.sign_in_officer(username, password)
        cast = Cast(api, 5)
        await cast.found_employers([YANTAI, ZAOZHUANG])
        person = cast.made_up.person("370602")
        there = await cast.enrol(person, YANTAI, "2025-01-01")
        await cast.contribute(there, months_from("2025-01", "2025-12"))
        await cast.leave(there, "2025-12-31")
        await cast.enrol(person, ZAOZHUANG, "2026-01-01")
        body = {
            "region_code": ZAOZHUANG,
            "item_key": "zaozhuang-transfer-in",
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
                "from_region_code": YANTAI,
                "to_region_code": ZAOZHUANG,
            },
            "materials": [{"key": "identity-proof"}],
        }
        clerk = f"{ZAOZHUANG}-clerk"
        case_no = str((await api.post(clerk, "/v1/applications", body, 201))["case_no"])

        async def accepted() -> bool:
            status, _ = await api.attempt(clerk, f"/v1/applications/{case_no}/actions/accept", {})
            return status == 200

        await until("受理", accepted)
        return case_no


async def _the_other_city_has_it(running: Running, passwords: dict[str, str], case_no: str) -> None:
    async with httpx.AsyncClient(base_url=running.address, timeout=60) as client:
        api = Api(client)
        for username in (f"{ZAOZHUANG}-reviewer", f"{YANTAI}-reviewer"):
            await api.sign_in_officer(username, passwords[username])
        case = await api.get(f"{ZAOZHUANG}-reviewer", f"/v1/applications/{case_no}")
        assert case["status"] == "accepted"

        async def arrived() -> Any:
            page = await api.get(f"{YANTAI}-reviewer", f"/v1/applications?region={YANTAI}")
            return [row for row in page["items"] if row["stage"] == "information_sheet"]

        found = await until("转出地立案并汇总缴费记录", arrived)
        assert [row["counterpart_region_code"] for row in found] == [ZAOZHUANG]
