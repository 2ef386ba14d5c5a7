"""``make demo``: start an installation in a folder of its own, tell the story, leave nothing."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
import time
from pathlib import Path

import httpx
import structlog
from rich.console import Console

from libs.casework.clock import SHANGHAI, ShiftedClock
from libs.runtime.demo import counter_stories, stories
from libs.runtime.demo.api import Api, MiniProgram
from libs.runtime.demo.cast import CASHIER, DONGYING, WUHAN, ZIBO, Cast, officer
from libs.runtime.demo.narrator import Narrator
from libs.runtime.demo.stage import Stage
from libs.runtime.embedded import Installation, embedded
from libs.runtime.postgres import THROW_AWAY_SETTINGS
from libs.runtime.registration import register_client
from libs.runtime.serving import address_of, listening_socket, served
from libs.webapp.callers import Role

SEED = 20260302
PEOPLE_PER_CITY = 6
FIRST_DAY = dt.datetime(2026, 3, 2, 9, 0, tzinfo=SHANGHAI)  # a Monday after the Spring Festival
PINS = {ZIBO: "shandong-2020", DONGYING: "shandong-2020"}


async def run_demo(console: Console) -> int:
    """Tell the story. Returns 0; any step that goes wrong raises."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    folder = Path(tempfile.mkdtemp(prefix="yibao-demo-"))
    started = time.monotonic()
    try:
        await _tell(console, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    console.print(f"用时 {time.monotonic() - started:.1f} 秒；演示数据已删除，没有留下进程。")
    return 0


async def _tell(console: Console, folder: Path) -> None:
    clock = ShiftedClock(FIRST_DAY)
    listener = listening_socket("127.0.0.1", 0)
    address = address_of(listener)
    with console.status("正在启动") as status:
        async with (
            embedded(
                folder,
                gateway_url=address,
                clock=clock,
                edition_pins=PINS,
                postgres_settings=THROW_AWAY_SETTINGS,
                progress=status.update,
            ) as installation,
            served(installation.gateway, listener),
            httpx.AsyncClient(base_url=address, timeout=30) as client,
        ):
            status.update("登记工作人员、单位和虚构人员")
            stage = await _set_the_stage(console, client, installation, clock)
            status.stop()
            await stories.tell_all(stage)
            await counter_stories.tell_all(stage)
            stories.close(stage)


async def _set_the_stage(
    console: Console, client: httpx.AsyncClient, installation: Installation, clock: ShiftedClock
) -> Stage:
    api = Api(client)
    backend = MiniProgram("demo-mini-program", "demo-only-" + "x" * 16)
    await register_client(
        installation.postgres,
        client_id=backend.client_id,
        secret=backend.secret,
        name="演示小程序后台",
        public_key=backend.public_key,
    )
    cast = Cast(api, SEED)
    await cast.hire_officers(installation.postgres)
    await cast.hire(installation.postgres, officer(WUHAN, Role.CHIEF), WUHAN, Role.CHIEF)
    await cast.hire(installation.postgres, CASHIER, WUHAN, Role.FINANCE)
    await cast.connect_systems(installation.postgres)
    await cast.found_employers()
    await cast.populate(PEOPLE_PER_CITY)
    return Stage(api, cast, Narrator(console, clock), clock, backend)
