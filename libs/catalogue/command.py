"""``yibao catalogue``: what applies in a region, the page to print, the data beside its document."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from libs.casework.clock import SystemClock
from libs.catalogue import review as reviewing
from libs.catalogue.editions import edition_ids
from libs.catalogue.lookup import Catalogues
from libs.catalogue.presentation import console as tables
from libs.catalogue.presentation import guide_page, service_item, service_items
from libs.refusals.faults import Refusal
from libs.regions.offices import offices_of

app = typer.Typer(help="服务事项目录：查询、打印办事指南、对照原文审读。", no_args_is_help=True)

RegionCode = Annotated[str, typer.Argument(help="行政区划代码，如 370400", metavar="REGION")]
ItemName = Annotated[str, typer.Argument(help="事项的键、国家编码或序号", metavar="ITEM")]
OnDate = Annotated[
    dt.datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="哪一天有效的目录；默认今天")
]
Pins = Annotated[
    str, typer.Option(envvar="YIBAO_EDITION_PINS", help="指定某些地区所用的版本：JSON，如 {区划: 版本}")
]


@app.command()
def show(
    region: RegionCode,
    item: Annotated[str | None, typer.Argument(help="事项的键、国家编码或序号")] = None,
    on: OnDate = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出与网关接口相同的JSON")] = False,
    pins: Pins = "{}",
) -> None:
    """显示一地有效的全部事项，或一个事项的全部内容。"""
    catalogues, day = Catalogues(json.loads(pins)), _day(on)
    try:
        if item is None:
            listed = service_items(catalogues, region, day)
            _print(listed.model_dump_json(indent=2) if as_json else tables.list_table(listed))
            return
        key = catalogues.find(region, item, day).item.key
        view = service_item(catalogues, region, key, day)
    except Refusal as refusal:
        raise _stop(refusal) from refusal
    if as_json:
        _print(view.model_dump_json(indent=2))
        return
    for table in tables.item_tables(view):
        _print(table)


@app.command()
def guide(
    region: RegionCode,
    item: ItemName,
    output: Annotated[Path, typer.Option("-o", "--output", help="写到哪个HTML文件")],
    on: OnDate = None,
    pins: Pins = "{}",
) -> None:
    """写出一个事项可打印的办事指南（HTML，A4）。"""
    catalogues, day = Catalogues(json.loads(pins)), _day(on)
    try:
        in_force = catalogues.find(region, item, day)
    except Refusal as refusal:
        raise _stop(refusal) from refusal
    guides = catalogues.guides(region, in_force.item.key, day)
    output.write_text(guide_page(region, in_force, guides, offices_of(region)), encoding="utf-8")
    _print(f"已写出《{in_force.item.name.text}》办事指南：{output}")


@app.command()
def review(
    edition: Annotated[str, typer.Argument(help="版本，如 zaozhuang", metavar="EDITION")],
    item: Annotated[str | None, typer.Argument(help="事项或表样的键、国家编码或序号")] = None,
) -> None:
    """把数据中的每条事实与原文所在行并排列出；不写事项则列修复和疑点。"""
    if edition not in edition_ids():
        _print(f"没有版本“{edition}”；现有：{'、'.join(edition_ids())}。")
        raise typer.Exit(1)
    if item is None:
        for table in tables.repairs_and_oddities(edition):
            _print(table)
        return
    facts = list(reviewing.facts_beside_lines(edition, item))
    if not facts:
        _print(f"版本“{edition}”没有“{item}”。")
        raise typer.Exit(1)
    _print(tables.review_table(facts))


def _day(on: dt.datetime | None) -> dt.date:
    return on.date() if on else SystemClock().now().date()


def _stop(refusal: Refusal) -> typer.Exit:
    Console(stderr=True, highlight=False).print(refusal.message)
    return typer.Exit(1)


def _print(output: object) -> None:
    if isinstance(output, str):
        typer.echo(output)
    else:
        Console(highlight=False).print(output)


if __name__ == "__main__":
    app()
