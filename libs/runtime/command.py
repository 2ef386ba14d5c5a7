"""The ``yibao`` command: what operators and the Makefile call."""

from __future__ import annotations

import asyncio
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from libs.catalogue.command import app as catalogue_app
from libs.webapp.telemetry import configure_logging

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="医保经办服务开放后台"
)
exchange_app = typer.Typer(no_args_is_help=True, help="转移接续交换：核验导出的办件、检测对方接口")
officers_app = typer.Typer(no_args_is_help=True, help="工作人员与接入系统的登记")
papers_app = typer.Typer(no_args_is_help=True, help="凭证：签章的生成与核验")
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(exchange_app, name="exchange")
app.add_typer(officers_app, name="officers")
app.add_typer(papers_app, name="papers")

# Where nobody watches (a log, a pipe) tables get the width they need.
console = Console(width=None if sys.stdout.isatty() else 110)
Folder = Annotated[Path, typer.Option(help="数据目录")]
DEFAULT_FOLDER = Path("var")
TRUSTED_ROOTS = DEFAULT_FOLDER / "paper-seals" / "trusted.pem"


@app.command()
def demo() -> None:
    """五个转移接续故事，经网关走完全程；结束后不留进程和数据。"""
    from libs.runtime.demo.run import run_demo

    raise typer.Exit(asyncio.run(run_demo(console)))


@app.command()
def up(folder: Folder = DEFAULT_FOLDER, host: str = "127.0.0.1", port: int = 8080) -> None:
    """单机启动全部服务（嵌入式PostgreSQL），文档见 /docs。"""
    from libs.runtime.up import run_up

    configure_logging()
    _run_until_stopped(run_up(folder, host, port, console))


@app.command()
def serve(service: str, host: str = "0.0.0.0", port: int = 8000) -> None:
    """启动一个服务的网页接口（生产：每个服务一个容器），设置取自环境变量。"""
    from libs.runtime.processes import serve_service

    configure_logging()
    _run_until_stopped(serve_service(service, host, port))


@app.command()
def work(service: str, host: str = "0.0.0.0", port: int = 8000) -> None:
    """启动一个服务的后台进程，并在端口上应答健康检查。"""
    from libs.runtime.processes import work_service

    configure_logging()
    _run_until_stopped(work_service(service, host, port))


@app.command()
def migrate() -> None:
    """建角色、建库、授权、迁移全部数据库；可重复执行。"""
    from libs.runtime.provisioning import ProvisioningSettings, prepare

    asyncio.run(prepare(ProvisioningSettings()))
    console.print("数据库已就绪")


@app.command()
def secrets() -> None:
    """生成一套新的密钥和口令（.env 的内容）。"""
    from libs.runtime.fresh_secrets import env_file

    print(env_file(), end="")


@app.command()
def health(url: str = "http://127.0.0.1:8080/readyz") -> None:
    """查询就绪状态，未就绪时以1退出。"""
    with urllib.request.urlopen(url, timeout=5) as answer:
        console.print(answer.read().decode())


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="只核对，不写文件")] = False,
) -> None:
    """生成 openapi/ 与 docs/settings.md；--check 时有差异即以1退出。"""
    from libs.runtime import generated

    if not check:
        generated.write()
        return
    differences = generated.differences()
    for difference in differences:
        console.print(f"[red]过期：{difference}[/red]")
    if differences:
        console.print("请执行 make generate 并提交")
        raise typer.Exit(1)


@app.command()
def kafka(
    port: int = 9092,
    data: Annotated[Path, typer.Option(help="数据和日志目录")] = Path("deploy/kafka/run"),
) -> None:
    """取得并在前台运行 Apache Kafka（需要 Java 与 Maven），Ctrl-C 停止。"""
    from libs.runtime.kafka import run

    run(port, data)


@app.command()
def bench(
    seconds: Annotated[float, typer.Option(help="每一行测量的秒数")] = 3.0,
    output: Annotated[Path, typer.Option(help="JSON结果文件")] = Path("bench-results.json"),
    contributions: Annotated[int, typer.Option(help="入账一行的笔数")] = 1_000_000,
) -> None:
    """在同一次运行中测量各热路径和它们的下限，给出比值。"""
    from libs.runtime.bench.run import run_bench

    raise typer.Exit(asyncio.run(run_bench(console, seconds, output, contributions)))


@exchange_app.command("verify")
def exchange_verify(
    file: Path,
    keys: Annotated[
        Path | None, typer.Option(help="另行取得的公钥（trusted.json）；不给则用文件自带的")
    ] = None,
) -> None:
    """离线核验一份导出的办件：报文、回执、签章、次序、决定、资金。"""
    from libs.exchange.reports import verify_file

    raise typer.Exit(verify_file(file, keys, console))


@app.command()
def seals(folder: Path) -> None:
    """为在本系统办理业务的各经办机构生成交换签章（已有的不动），并写公钥目录。"""
    from libs.runtime.seals import keep_seals

    console.print(f"签章在 {keep_seals(folder)}")


@papers_app.command("seals")
def paper_seals(folder: Path) -> None:
    """为在本系统办理业务的各经办机构生成凭证电子签章和自建根证书（已有的不动）；正式使用请换成CA机构签发的。"""
    from libs.runtime.seals import keep_paper_seals

    console.print(f"凭证签章在 {keep_paper_seals(folder)}")


@papers_app.command("verify")
def papers_verify(
    file: Path,
    trusted: Annotated[Path, typer.Option(help="受信任的根证书（PEM）")] = TRUSTED_ROOTS,
) -> None:
    """离线核验一份凭证（PDF）：谁签章、何时、是否完整、是否可信。"""
    from libs.documents.reports import verify_file

    raise typer.Exit(verify_file(file, trusted, console))


@officers_app.command("add")
def add_officer(
    username: str,
    name: Annotated[str, typer.Option(prompt="姓名")],
    office: Annotated[str, typer.Option(prompt="所在机构")],
    regions: Annotated[str, typer.Option(prompt="行政区划代码（逗号分隔）")],
    roles: Annotated[str, typer.Option(prompt="角色（clerk,reviewer,finance,chief,supervisor,auditor）")],
    password: Annotated[str, typer.Option(prompt="口令", hide_input=True, confirmation_prompt=True)],
    folder: Folder = DEFAULT_FOLDER,
    owner_url: Annotated[str, typer.Option(help="网关数据库的属主连接（生产）；不给则用数据目录")] = "",
) -> None:
    """登记一名工作人员。"""
    from libs.runtime.registration import register_officer_at, register_officer_in
    from libs.webapp.callers import Role

    officer = {
        "username": username,
        "password": password,
        "name": name,
        "office": office,
        "regions": regions.split(","),
        "roles": [Role(role.strip()) for role in roles.split(",")],
    }
    asyncio.run(
        register_officer_at(owner_url, **officer) if owner_url else register_officer_in(folder, **officer)
    )
    console.print(f"已登记：{username}")


def _run_until_stopped(work: object) -> None:
    """Run a coroutine until it ends or SIGINT / SIGTERM arrives; cancelled in order, exit 0."""
    assert asyncio.iscoroutine(work)

    async def main() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            console.print("已停止")

    asyncio.run(main())


def main() -> None:
    """Entry point of ``yibao``."""
    app(prog_name="yibao")


if __name__ == "__main__":
    main()
