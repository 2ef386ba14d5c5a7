"""The second line: what the database itself lets a region see and the service's login do."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from libs.webapp.edge import Resources
from services.tracking.models import tracked_cases, tracked_messages, tracked_moves
from services.tracking.service.projection import record_moves
from tests.services.tracking.conftest import Hear
from tests.services.tracking.facts import WUHAN, YANTAI, ZAOZHUANG, case_number, moved, told


@pytest.mark.parametrize(("region", "seen"), [(ZAOZHUANG, 1), (YANTAI, 1), (WUHAN, 0), ("", 0)])
async def test_row_level_security_hides_other_regions(
    hear: Hear, resources: Resources, region: str, seen: int
) -> None:
    await hear(moved(case_number(), counterpart_region_code=YANTAI), told(case_number(), "您的申请已收到。"))
    async with resources.database.transaction([region]) as session:
        for table in (tracked_cases, tracked_moves, tracked_messages):
            assert await session.scalar(select(func.count()).select_from(table)) == seen, table.name


async def test_only_workers_write_the_projection(resources: Resources) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with resources.database.transaction([ZAOZHUANG]) as session:
            await record_moves(session, [moved(case_number())])


@pytest.mark.parametrize(
    "statement", ["DELETE FROM ratings", "UPDATE ratings SET stars = 5", "DELETE FROM tracked_moves"]
)
async def test_the_login_cannot_rewrite_history(resources: Resources, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with resources.database.transaction(["*"]) as session:
            await session.execute(text(statement))
