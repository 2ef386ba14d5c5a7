"""Cursors: ours come back, anything else is told."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.refusals.faults import Refusal
from libs.webapp.callers import Role
from libs.webapp.paging import LARGEST_PAGE, decode_cursor, encode_cursor
from tests.libs.webapp.conftest import REGION, Stage
from tests.support.tokens import officer


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@given(st.lists(st.text(st.characters(categories=["L", "N", "P"])), min_size=1, max_size=4))
def test_a_position_goes_out_and_comes_back(position: list[str]) -> None:
    assert decode_cursor(encode_cursor(*position), len(position)) == position


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "not base64!",
        "光标",
        encoded("{}"),
        encoded('["one"]'),
        encoded('["one", "two", "three"]'),
        encoded('["one", 2]'),
        encoded('["one", null]'),
        encoded('["one", "\\u0000"]'),
        encoded('["one", "\\ud800"]'),
        encoded("[" * 200),
        encoded('["one", "two"'),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_cursor_that_is_not_ours_is_told(cursor: str) -> None:
    with pytest.raises(Refusal, match="cursor无效") as refused:
        decode_cursor(cursor, 2)
    assert refused.value.faults[0].pointer == "/query/cursor"


@given(st.text(max_size=100))
def test_no_cursor_breaks_anything(cursor: str) -> None:
    with suppress(Refusal):
        decode_cursor(cursor, 2)


@pytest.mark.parametrize("params", [{"size": LARGEST_PAGE + 1}, {"size": 0}, {"cursor": "x" * 401}])
async def test_pages_and_cursors_are_bounded(stage: Stage, params: dict[str, int | str]) -> None:
    answer = await stage.client.get("/page", params=params, headers=officer(REGION, Role.CLERK))
    assert answer.status_code == 422
