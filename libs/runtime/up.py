"""``make up``: everything on this machine, kept in a folder, until Ctrl-C."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console

from libs.runtime.embedded import embedded
from libs.runtime.serving import address_of, listening_socket, served


async def run_up(folder: Path, host: str, port: int, console: Console) -> None:
    """Start, say where, and serve until cancelled."""
    listener = listening_socket(host, port)
    address = address_of(listener)
    with console.status("正在启动") as status:
        async with (
            embedded(folder, gateway_url=address, progress=status.update) as installation,
            served(installation.gateway, listener),
        ):
            status.stop()
            console.print(f"[bold green]已启动[/bold green] {address}  接口文档 {address}/docs")
            console.print(f"数据在 {folder}；登记工作人员：yibao officers add 用户名；按 Ctrl-C 停止")
            await asyncio.get_running_loop().create_future()
