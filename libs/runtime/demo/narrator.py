"""Tells the story on the terminal: chapters, steps, messages, money."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from libs.casework.clock import Clock


class Narrator:
    """Prints as the story goes; ``clock`` is the story's own."""

    def __init__(self, console: Console, clock: Clock) -> None:
        self._console = console
        self._clock = clock

    def opening(self, text: str) -> None:
        """What this is, before the first chapter."""
        self._console.print(Panel(text, title="医保经办 演示", expand=False))

    def chapter(self, title: str, about: str) -> None:
        """A new case begins."""
        self._console.rule(f"[bold]{title}", align="left")
        self._console.print(f"[dim]{about}[/dim]")

    def step(self, who: str, what: str) -> None:
        """Somebody does something now."""
        today = self._clock.now()
        self._console.print(
            f"  [cyan]{today:%m-%d} {_WEEKDAYS[today.weekday()]}[/cyan]  [bold]{who}[/bold]  {what}"
        )

    def due(self, view: dict[str, Any]) -> None:
        """The due date of a case."""
        due = view["due"]
        provisional = "（暂定）" if due["provisional"] else ""
        self._console.print(
            f"             办件 {view['case_no']}  时限 {due['allowed']}，"
            f"最迟 [bold]{due['on']}[/bold]{provisional}办结"
        )

    def listing(self, heading: str, rows: Sequence[dict[str, Any]]) -> None:
        """Everything a notice or a refusal names."""
        self._console.print(f"             {heading}")
        for number, row in enumerate(rows, start=1):
            rule = f" [dim]（{row['rule']}）[/dim]" if row.get("rule") else ""
            self._console.print(f"               {number}. {row['message']}{rule}")

    def messages(self, rows: Sequence[dict[str, Any]]) -> None:
        """Messages between the two cities, from one side's journal."""
        table = Table("次序", "方向", "报文", "状态", "时刻", title="两地往来报文", title_justify="left")
        for row in rows:
            direction = "发出 →" if row["direction"] == "out" else "← 收到"
            at = dt.datetime.fromisoformat(row["at"])
            table.add_row(
                str(row["position"]), direction, row["kind_name"], row["state"], f"{at:%m-%d %H:%M:%S}"
            )
        self._console.print(table)

    def money(self, rows: Sequence[tuple[str, ...]]) -> None:
        """Money before, in transit, after (yuan)."""
        columns = ("时点", "转出地个人账户", "转出地在途", "转入地待入账", "转入地个人账户")
        table = Table(*columns, title="两地账本（元）", title_justify="left")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Any other table."""
        table = Table(*columns, title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def closing(self, text: str) -> None:
        """The end."""
        self._console.print(Panel(text, expand=False, border_style="green"))


_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
