"""What a bench row is, and how it is shown."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Sample:
    """Rate per second over the measured time, and latencies in milliseconds where they were taken."""

    rate_per_s: float
    p50_ms: float | None = None
    p99_ms: float | None = None

    @classmethod
    def of(cls, latencies_s: Sequence[float], elapsed_s: float) -> Sample:
        """From single latencies and the time all of them took together."""
        hundredths = statistics.quantiles(latencies_s, n=100)
        return cls(len(latencies_s) / elapsed_s, hundredths[49] * 1000, hundredths[98] * 1000)


@dataclass(frozen=True)
class Row:
    """One path beside its floor. ``ratio`` is product over floor; for durations floor over product."""

    path: str
    floor_is: str
    unit: str
    product: Sample
    floor: Sample
    first_goal: float

    @property
    def ratio(self) -> float:
        return self.product.rate_per_s / self.floor.rate_per_s


def machine() -> dict[str, str | int | None]:
    """What the figures were measured on."""
    return {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}


def show(console: Console, rows: Sequence[Row]) -> None:
    """The table."""
    table = Table(
        "路径",
        "下限",
        "本系统/s",
        "下限/s",
        "比值",
        "首期目标",
        "p50 ms",
        "p99 ms",
        title="性能：同一次运行中的比值",
    )
    for row in rows:
        reached = row.ratio >= row.first_goal
        table.add_row(
            row.path,
            row.floor_is,
            f"{row.product.rate_per_s:,.0f}",
            f"{row.floor.rate_per_s:,.0f}",
            f"[{'green' if reached else 'red'}]{row.ratio:.2f}[/]",
            f"≥ {row.first_goal:.2f}",
            _ms(row.product.p50_ms),
            _ms(row.product.p99_ms),
        )
    console.print(table)


def save(path: Path, rows: Sequence[Row]) -> None:
    """The same as JSON."""
    data = {
        "machine": machine(),
        "rows": [{**asdict(row), "ratio": round(row.ratio, 3)} for row in rows],
    }
    path.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
