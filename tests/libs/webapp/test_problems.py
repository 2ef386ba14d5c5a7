"""Every answer that is no success has one shape and speaks Chinese."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from fastapi import APIRouter
from pydantic import BaseModel, Field
from pydantic_core._pydantic_core import list_all_errors

from libs.refusals.faults import Fault, Refusal, RefusalKind
from libs.webapp import problems
from libs.webapp.callers import Role
from libs.webapp.problems import STATUS_OF_KIND, Problem, fault_of_validation
from tests.libs.webapp.conftest import REGION, Stage
from tests.support.tokens import officer, once

CLERK = officer(REGION, Role.CLERK)
CHINESE = re.compile("[一-鿿]")


def expect_problem(answer: Any, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "code", "detail", "instance", "errors"}
    problem = Problem.model_validate(body)
    assert problem.status == status
    assert problem.type == f"urn:yibao:problem:{problem.code}"
    assert CHINESE.search(problem.title)
    assert CHINESE.search(problem.detail)
    assert all(CHINESE.search(fault.message) for fault in problem.errors)
    return problem


@pytest.mark.parametrize("kind", RefusalKind)
async def test_every_kind_of_refusal_has_its_status_and_the_one_shape(
    stage: Stage, kind: RefusalKind
) -> None:
    router = APIRouter()
    faults = [Fault("one", "第一处有误。", "/a", "规定一"), Fault("two", "第二处有误。")]

    @router.get("/refused")
    async def refused() -> None:
        raise Refusal(kind, "some_code", "不行。", faults)

    stage.app.include_router(router)
    problem = expect_problem(await stage.client.get("/refused"), STATUS_OF_KIND[kind])

    assert (problem.code, problem.detail, problem.instance) == ("some_code", "不行。", "/refused")
    assert [(fault.pointer, fault.rule) for fault in problem.errors] == [("/a", "规定一"), ("", None)]


def test_every_kind_has_a_status_and_every_status_a_title() -> None:
    assert set(STATUS_OF_KIND) == set(RefusalKind)
    assert set(STATUS_OF_KIND.values()) <= set(problems.TITLES)


async def test_a_malfunction_says_nothing_of_its_cause(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await stage.client.post("/raise", json={"then": "break"}, headers=once(CLERK))

    problem = expect_problem(answer, 500)
    assert "broke" not in answer.text
    assert problem.detail == "系统发生故障，本次未作任何更改，请稍后重试。"
    log = capsys.readouterr().out
    assert "RuntimeError" in log
    assert "370402********0010" in log, "the identity number in the error's text is masked"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/raise", 405)],
)
async def test_what_the_framework_refuses_has_the_same_shape(
    stage: Stage, method: str, path: str, status: int
) -> None:
    answer = await stage.client.request(method, path, headers=CLERK)
    expect_problem(answer, status)
    assert status != 405 or answer.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("content", "status", "pointers"),
    [
        (b"{", 422, [""]),
        (b"", 422, [""]),
        (b"null", 422, [""]),
        (b"[]", 422, [""]),
        (b'{"counter": 1, "then": null}', 422, ["/counter", "/then"]),
        (b'{"counter": "\xff"}', 400, []),
        (b'{"counter": ' + b"9" * 5000 + b"}", 400, []),
        (b"[" * 100_000, 400, []),
        (b'{"counter": "\\ud800"}', 422, [""]),
        (b'{"counter": "\\u0000"}', 422, [""]),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_not_a_malfunction(
    stage: Stage, content: bytes, status: int, pointers: list[str]
) -> None:
    sent = {**once(CLERK), "Content-Type": "application/json"}
    problem = expect_problem(await stage.client.post("/raise", content=content, headers=sent), status)
    assert [fault.pointer for fault in problem.errors] == pointers
    assert await stage.counter() == 0


async def test_faults_in_the_query_are_named_by_their_place(stage: Stage) -> None:
    problem = expect_problem(await stage.client.get("/number", params={"number": "x"}, headers=CLERK), 422)
    assert [(fault.pointer, fault.message) for fault in problem.errors] == [("/query/number", "应为整数。")]


# Only Python objects cause these; JSON, paths, queries and headers cannot.
NOT_BY_REQUESTS = re.compile(
    r"frozen_(field|instance)|.*argument.*|.*attribute.*|is_(instance|subclass)_of|callable_type|dataclass_.*"
    r"|named_tuple_type|iterable_type|iteration_error|.*dict_type|counter_type|deque_type|fraction_.*|complex_.*"
    r"|missing_sentinel_error|ellipsis_error|needs_python_object|recursion_loop|set_item_not_hashable"
)


def sentences() -> dict[str, str]:
    path = problems.__file__.replace("problems.py", "validation_messages.yaml")
    with open(path, encoding="utf-8") as file:
        messages: dict[str, str] = yaml.safe_load(file)
    return messages


def test_everything_pydantic_can_find_wrong_with_a_request_has_a_chinese_sentence() -> None:
    errors = {error["type"] for error in list_all_errors()}
    assert set(sentences()) <= errors, "a misspelt type is never used"
    assert {t for t in errors if not NOT_BY_REQUESTS.fullmatch(t)} <= set(sentences())


@pytest.mark.parametrize("error", list_all_errors(), ids=lambda error: error["type"])
def test_no_sentence_leaves_a_place_open(error: Any) -> None:
    context = error.get("example_context") or {}
    context |= {"error": "有误。"} if "error" in context else {}
    entry = {"type": error["type"], "loc": ("body", "a"), "ctx": context}
    message = fault_of_validation(entry).message
    assert CHINESE.search(message)
    assert "…" not in message
    assert "{" not in message


def test_a_type_nobody_knows_yet_falls_back() -> None:
    fault = fault_of_validation({"type": "new_in_pydantic_9", "loc": ("body", "a", 0, "b/c~d")})
    assert fault.message == "内容不符合要求（new_in_pydantic_9）。"
    assert fault.pointer == "/a/0/b~1c~0d"


class Choice(BaseModel):
    """Choices, as pydantic words them in English."""

    kind: str = Field(pattern="^(a|b)$")
    number: int = Field(ge=1)


def test_english_words_in_the_context_are_put_into_chinese() -> None:
    entry = {"type": "literal_error", "loc": ("body", "kind"), "ctx": {"expected": "'310', '390' or '510'"}}
    assert fault_of_validation(entry).message == "不在可选范围内，应为'310', '390'或'510'。"
