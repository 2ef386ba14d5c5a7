"""A service item as small as the schema allows."""

from __future__ import annotations

from typing import Any

from libs.catalogue.schema import Quote, ServiceItem, TimeLimit, Unit


def item(**changes: Any) -> ServiceItem:
    known: dict[str, Any] = {
        "key": "test-item",
        "operations": ["transfer.in"],
        "number": "11",
        "part": "list",
        "name": Quote(text="转移接续手续办理", at="L1"),
        "audience": ["person"],
        "time_limits": [TimeLimit(text="15个工作日", at="L1", amount=15, unit=Unit.WORKING_DAY)],
    }
    return ServiceItem(**(known | changes))
