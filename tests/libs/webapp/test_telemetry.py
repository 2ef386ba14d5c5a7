"""Logs without personal data; metrics by route, not by path."""

from __future__ import annotations

import json

import pytest
import structlog

from libs.webapp.callers import Role
from libs.webapp.telemetry import mask
from tests.libs.webapp.conftest import REGION, Stage
from tests.support.tokens import officer

NUMBER = "370402199001010010"
MASKED = "370402********0010"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (NUMBER, MASKED),
        ("37040219900101001X", "370402********001X"),
        ("37040219900101001x。", "370402********001x。"),
        (f"({NUMBER},{NUMBER})", f"({MASKED},{MASKED})"),
        (f"person={NUMBER}&x=1", f"person={MASKED}&x=1"),
        ("370400-33-20260309-000001-1", "370400-33-20260309-000001-1"),
        ("1234567890123456789", "1234567890123456789"),
        ("", ""),
    ],
)
def test_eighteen_places_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_however_deep_it_stands_no_identity_number_reaches_a_log_line(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    log = structlog.get_logger("test")
    log.info(
        f"told {NUMBER}",
        text=NUMBER,
        deep={"a": [{"b": NUMBER}], NUMBER: 1},
        number=int(NUMBER),
        thing=frozenset({NUMBER}),
    )
    try:
        raise ValueError(NUMBER)
    except ValueError:
        log.exception("broke", exc_info=True)

    lines = capsys.readouterr().out
    assert NUMBER not in lines
    assert lines.count(MASKED) >= 7


def test_a_log_line_is_json_with_level_and_time(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("test").warning("枣庄", count=3)
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["event"], line["level"], line["count"]) == ("枣庄", "warning", 3)
    assert line["timestamp"].endswith("Z")


async def test_metrics_count_by_route_and_never_by_path(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "httpx")  # the test's own client logs its addresses
    await stage.client.get("/number", params={"number": NUMBER}, headers=officer(REGION, Role.CLERK))
    await stage.client.get(f"/nowhere/{NUMBER}")

    metrics = (await stage.client.get("/metrics")).text

    assert 'yibao_requests_total{method="GET",route="/number",service="test",status="200"}' in metrics
    assert 'route="unknown"' in metrics
    assert NUMBER not in metrics
