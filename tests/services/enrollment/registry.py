"""A registry of rosters: uploads as schools make them, the worker, and what came of it."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx

from libs.identifiers.made_up import MadeUp, MadeUpPerson
from libs.webapp.edge import Resources
from services.enrollment.service.desk import Desk
from services.enrollment.service.rosters.working import RosterWorker
from tests.libs.rosters.files import csv_file
from tests.services.enrollment.counter import ZAOZHUANG, Counter, clerk_of
from tests.support.tokens import once

SCHOOL_HEADINGS = ["姓名", "证件类型", "证件号码", "性别", "出生日期", "联系电话"]
SINCE = "2026-03-01"


def pupils(count: int, seed: int = 20260901, county: str = "370402") -> list[MadeUpPerson]:
    """Made-up pupils of primary school age."""
    made_up = MadeUp(seed)
    return [made_up.person(county, born=(2012, 2018)) for _ in range(count)]


def row_of(person: MadeUpPerson, **other: str) -> list[str]:
    """A row of the school's file; ``other`` by heading's place name."""
    row = {"name": person.name, "type": "", "number": person.id_number, "sex": person.sex}
    row |= {"born": "", "telephone": person.telephone} | other
    return list(row.values())


def school_file(people: Sequence[MadeUpPerson]) -> bytes:
    return csv_file([row_of(person) for person in people], headings=SCHOOL_HEADINGS)


def worker_of(resources: Resources, **settings: Any) -> RosterWorker:
    """The worker as the service runs it, with small chunks."""

    @asynccontextmanager
    async def open_desk(regions: Sequence[str]) -> AsyncIterator[Desk]:
        async with resources.database.transaction(regions) as session:
            yield Desk(session, resources.protector, resources.clock.now(), regions=tuple(regions))

    return RosterWorker(open_desk, **{"chunk_rows": 50, **settings})


class Registry:
    """Uploads, works off, looks."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter
        self.resources = counter.resources

    async def upload(
        self,
        content: bytes,
        caller: dict[str, str] | None = None,
        key: str | None = None,
        file_name: str = "一年级.csv",
        **fields: Any,
    ) -> httpx.Response:
        query = {"region_code": ZAOZHUANG, "kind": "student", "started_on": SINCE} | fields
        named = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file_name)}"}
        return await self.counter.client.post(
            "/v1/enrollment/rosters",
            params=query,
            content=content,
            headers={**once(caller or clerk_of(query["region_code"]), key), **named},
        )

    async def taken(self, content: bytes, **fields: Any) -> str:
        """Id of a roster that was taken in."""
        answer = await self.upload(content, **fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def finished(self, content: bytes, **fields: Any) -> dict[str, Any]:
        """The roster uploaded and worked off."""
        roster_id = await self.taken(content, **fields)
        await worker_of(self.resources).work_off()
        return await self.seen(roster_id, fields.get("region_code", ZAOZHUANG))

    async def seen(self, roster_id: str, region_code: str = ZAOZHUANG) -> dict[str, Any]:
        answer = await self.counter.get(f"rosters/{roster_id}", clerk_of(region_code))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def rows(self, roster_id: str, outcome: str | None = None) -> list[dict[str, Any]]:
        """All rows, page by page."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            query = f"?limit=200&cursor={cursor}" if cursor else "?limit=200"
            query += f"&outcome={outcome}" if outcome else ""
            page = (await self.counter.get(f"rosters/{roster_id}/rows{query}")).json()
            rows += page["items"]
            cursor = page["next_cursor"]
        return rows

    async def outcomes(self, roster_id: str) -> Tally[str]:
        return Tally(row["outcome"] for row in await self.rows(roster_id))
