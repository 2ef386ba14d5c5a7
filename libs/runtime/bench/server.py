"""The process under test: an installation with its gateway, one service and the bare floor, each on a port.

``python -m libs.runtime.bench.server FOLDER`` prints one line of JSON with the addresses and what
the load needs to call them, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from uuid import UUID

import asyncpg
import httpx
import structlog
from fastapi import FastAPI
from pydantic import BaseModel

from libs.runtime import composition
from libs.runtime.bench import read_rows
from libs.runtime.demo.api import Api
from libs.runtime.demo.cast import ZAOZHUANG, Cast, months_from, officer
from libs.runtime.embedded import Installation, embedded
from libs.runtime.serving import address_of, listening_socket, served
from libs.webapp.callers import Role


class BarePerson(BaseModel):
    """What the floor answers: the same columns, nothing else done to them."""

    id: UUID
    region_code: str
    credential: str
    name: str
    telephone: str | None
    sex: str
    version: int


def bare_app(pool: asyncpg.Pool) -> FastAPI:
    """FastAPI and one prepared asyncpg read, as little as a typed service can do."""
    app = FastAPI()
    app.include_router(read_rows.bare_router(pool))

    @app.get("/persons/{person_id}")
    async def read_person(person_id: UUID) -> BarePerson:
        row = await pool.fetchrow(
            "SELECT id, region_code, credential, name, telephone, sex, version FROM persons WHERE id = $1",
            person_id,
        )
        return BarePerson(**dict(row))

    return app


async def serve(folder: Path) -> None:
    """Start everything, tell the addresses, wait for the end of standard input."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    door, inner, floor = (listening_socket("127.0.0.1", 0) for _ in range(3))
    async with embedded(folder, gateway_url=address_of(door)) as installation:
        service = composition.create_app("enrollment", installation.resources["enrollment"])
        owner_url = installation.postgres.url("enrollment")
        async with (
            asyncpg.create_pool(owner_url, min_size=8, max_size=8) as pool,
            served(installation.gateway, door),
            served(service, inner),
            served(bare_app(pool), floor),
        ):
            known = await _prepare(installation, address_of(door))
            addresses = {
                "gateway": address_of(door),
                "service": address_of(inner),
                "floor": address_of(floor),
                "postgres_socket": installation.postgres.socket_folder,
                "programs": str(installation.postgres.programs),
            }
            print(json.dumps({**addresses, **known}), flush=True)
            await asyncio.to_thread(sys.stdin.read)


async def _prepare(installation: Installation, address: str) -> dict[str, str]:
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        api = Api(client)
        cast = Cast(api, 1)
        await cast.hire_officers(installation.postgres)
        await cast.found_employers()
        insured = await cast.enrol(cast.made_up.person("370402"), ZAOZHUANG, "2025-01-01")
        await cast.contribute(insured, months_from("2025-01", "2025-12"))
        token = api.token_of(officer(ZAOZHUANG, Role.REVIEWER))
    return {"token": token, "person_id": insured.person_id}


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
