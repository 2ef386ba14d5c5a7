"""What reaches the services, in the same process and over HTTP, and what does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from libs.casework.case_numbers import CaseNumber, operation_codes
from libs.runtime.serving import address_of, listening_socket, served
from tests.services.gateway.conftest import Knock
from tests.services.gateway.people import CLERK, LI, bearer
from tests.support.service import NOW

SERVICES = ("enrollment", "transfer", "tracking", "remote_care", "reimbursement", "settlement")
TRANSFER_CASE = str(CaseNumber("370400", operation_codes()["transfer.in"], NOW.date(), 1))
REMOTE_CASE = str(CaseNumber("370400", operation_codes()["remote_care.referral"], NOW.date(), 1))
APPLICATION = {"region_code": "370400", "item_key": "zaozhuang-transfer-in", "payload": {"x": "转"}}
CHUNK = b"0123456789abcdef" * 4096


def echoing(service: str) -> Starlette:
    """A service that tells what reached it."""

    async def echo(request: Request) -> Response:
        body = await request.body()
        told = {
            "service": service,
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "headers": dict(request.headers),
            "body": body.decode(),
            "state": list(request.scope.get("state", {})),
        }
        return JSONResponse(told, 201, {"ETag": '"7"', "Connection": "x-hop", "X-Hop": "stays"})

    async def large(_: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(32):
                yield CHUNK

        return StreamingResponse(chunks(), media_type="text/csv")

    async def silent(request: Request) -> Response:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response()

    async def count(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    return Starlette(
        routes=[
            Route("/v1/transfers/large", large),
            Route("/v1/transfers/silent", silent),
            Route("/v1/transfers/count", count, methods=["POST"]),
            Route("/{rest:path}", echo, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
    )


@pytest.fixture(params=["in process", "over HTTP"])
async def upstreams(request: pytest.FixtureRequest) -> AsyncIterator[dict[str, Any]]:
    """All services echoing: as keyword arguments of ``knock``."""
    apps = {service: echoing(service) for service in SERVICES}
    if request.param == "in process":
        yield {"upstream_apps": apps}
        return
    async with AsyncExitStack() as stack:
        urls = {service: await stack.enter_async_context(at_free_port(app)) for service, app in apps.items()}
        yield {"upstream_apps": None, "upstream_urls": urls}


@asynccontextmanager
async def at_free_port(app: Starlette) -> AsyncIterator[str]:
    """Serve an app over real HTTP; its URL."""
    listener = listening_socket("127.0.0.1", 0)
    async with served(app, listener):
        yield address_of(listener)


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("GET", "/v1/enrollment/persons/1", "enrollment"),
        ("POST", "/v1/transfers/bank-receipts", "transfer"),
        ("GET", "/v1/applications", "tracking"),
        ("GET", f"/v1/applications/{TRANSFER_CASE}", "transfer"),
        ("GET", f"/v1/applications/{TRANSFER_CASE}/documents", "transfer"),
        ("POST", f"/v1/applications/{TRANSFER_CASE}/actions/accept", "transfer"),
        ("GET", f"/v1/applications/{TRANSFER_CASE}/timeline", "tracking"),
        ("GET", "/v1/tracking/my-cases", "tracking"),
        ("GET", "/v1/remote-care/coverage", "remote_care"),
        ("GET", "/v1/reimbursements", "reimbursement"),
        ("POST", "/v1/settlements/visits", "settlement"),
    ],
)
async def test_each_path_has_its_service(knock: Knock, method: str, path: str, service: str) -> None:
    async with knock({name: echoing(name) for name in SERVICES}) as client:
        answer = await client.request(method, path, headers=bearer(LI))
    assert (answer.status_code, answer.json()["service"], answer.json()["path"]) == (201, service, path)


async def test_an_application_goes_to_the_owner_of_its_item_unchanged(
    knock: Knock, upstreams: dict[str, Any]
) -> None:
    headers = {**bearer(LI), "Idempotency-Key": "k-1"}
    async with knock(**upstreams) as client:
        answer = await client.post("/v1/applications", json=APPLICATION, headers=headers)
    told = answer.json()
    assert (answer.status_code, told["service"]) == (201, "transfer")
    assert httpx.Response(200, text=told["body"]).json() == APPLICATION
    assert told["headers"]["idempotency-key"] == "k-1"
    assert told["headers"]["authorization"] == headers["Authorization"]


async def test_headers_of_one_hop_stay_and_ours_are_added(knock: Knock, upstreams: dict[str, Any]) -> None:
    given = {
        **bearer(LI),
        "Connection": "keep-alive, X-Mine",
        "X-Mine": "for the gateway only",
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "TE": "trailers",
        "X-Kept": "yes",
    }
    async with knock(**upstreams) as client:
        answer = await client.get("/v1/transfers/1?a=1&b=%2F", headers=given)
    told = answer.json()
    assert told["query"] == "a=1&b=%2F"
    assert told["headers"]["x-kept"] == "yes"
    assert told["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert not {"x-mine", "forwarded", "te"} & told["headers"].keys()
    assert told["state"] == []
    assert answer.headers["etag"] == '"7"'
    assert not {"x-hop", "connection"} & answer.headers.keys()


async def test_a_trace_goes_on_and_is_begun_where_there_is_none(
    knock: Knock, upstreams: dict[str, Any]
) -> None:
    own = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    seen = []
    async with knock(**upstreams) as client:
        for given in (own, "00-" + "0" * 32 + "-b7ad6b7169203331-01", None):
            headers = {**bearer(LI), **({"traceparent": given} if given else {})}
            answer = await client.get("/v1/transfers/1", headers=headers)
            seen.append(answer.json()["headers"]["traceparent"])
    assert seen[0] == own
    assert len(set(seen)) == 3
    assert all(len(trace) == len(own) for trace in seen)


async def test_a_large_answer_and_a_large_request_stream_through(
    knock: Knock, upstreams: dict[str, Any]
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(16):
            yield CHUNK

    async with knock(**upstreams) as client:
        answer = await client.get("/v1/transfers/large", headers=bearer(LI))
        counted = await client.post("/v1/transfers/count", content=pieces(), headers=bearer(LI))
    assert answer.content == CHUNK * 32
    assert answer.headers["content-type"].startswith("text/csv")
    assert counted.text == str(len(CHUNK) * 16)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("path", ["/v1/transfers/count", "/v1/applications"])
async def test_a_body_too_large_is_refused(
    knock: Knock, upstreams: dict[str, Any], announced: bool, path: str
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 1000

    content: Any = b"x" * 4000 if announced else pieces()
    async with knock(**upstreams, largest_body_bytes=3000) as client:
        answer = await client.post(path, content=content, headers=bearer(LI))
        whole = await client.post("/v1/transfers/count", content=b"x" * 3000, headers=bearer(LI))
    assert answer.status_code == 413, answer.text
    assert whole.text == "3000"


async def test_a_silent_service_is_told_as_such(knock: Knock, upstreams: dict[str, Any]) -> None:
    async with knock(**upstreams, upstream_answer_timeout_s=0.1) as client:
        answer = await client.get("/v1/transfers/silent", headers=bearer(LI))
    assert (answer.status_code, answer.json()["code"]) == (504, "upstream_timeout")
    assert "Idempotency-Key" in answer.json()["detail"]


async def test_a_service_that_is_not_there_is_told_as_such(knock: Knock) -> None:
    listener = listening_socket("127.0.0.1", 0)  # bound, but nobody listens
    urls = {"transfer": address_of(listener)}
    async with knock(upstream_urls=urls) as client:
        answers = [
            await client.get(f"/v1/{path}/1", headers=bearer(LI)) for path in ("transfers", "tracking")
        ]
    listener.close()
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "upstream_unreachable")
        assert answer.headers["retry-after"] == "5"


async def test_an_answer_that_breaks_off_is_told_as_such(knock: Knock) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        writer.close()

    server = await asyncio.start_server(break_off, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, knock(upstream_urls={"transfer": f"http://127.0.0.1:{port}"}) as client:
        answer = await client.get("/v1/transfers/1", headers=bearer(LI))
    assert (answer.status_code, answer.json()["code"]) == (502, "upstream_broken")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b"\xff\xfe", 422, "invalid_request"),
        (b'{"region_code": "370400"}', 422, "invalid_request"),
        (b'{"region_code": 370400, "item_key": "x"}', 422, "invalid_request"),
        (b'{"region_code": "370400", "item_key": "no-such-item"}', 404, "no_item"),
        (b'{"region_code": "440100", "item_key": "transfer"}', 404, "no_catalogue"),
        (
            b'{"region_code": "370400", "item_key": "zaozhuang-employee-long-term-filing"}',
            409,
            "not_offered_yet",
        ),
    ],
)
async def test_an_application_nobody_takes_is_refused(
    knock: Knock, body: bytes, status: int, code: str
) -> None:
    async with knock({name: echoing(name) for name in SERVICES}) as client:
        answer = await client.post("/v1/applications", content=body, headers=bearer(LI))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert not problem["detail"].isascii()
    assert bool(problem["errors"]) is (status == 422)


@pytest.mark.parametrize(
    ("case_no", "status", "code"),
    [
        (TRANSFER_CASE[:-1] + ("0" if TRANSFER_CASE[-1] != "0" else "1"), 422, "case_number"),
        ("12345", 422, "case_number"),
        (REMOTE_CASE, 404, "no_case"),
    ],
)
async def test_a_case_nobody_has_is_refused(knock: Knock, case_no: str, status: int, code: str) -> None:
    async with knock({name: echoing(name) for name in SERVICES}) as client:
        for path in ("", "/documents"):
            answer = await client.get(f"/v1/applications/{case_no}{path}", headers=bearer(LI))
            assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_without_a_good_token_nothing_is_forwarded(knock: Knock) -> None:
    async with knock({}) as client:
        for headers in ({}, {"Authorization": "Bearer a.b.c"}, {"Authorization": "Basic eDp5"}):
            answer = await client.get("/v1/transfers/1", headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_signed_messages_need_no_token(knock: Knock) -> None:
    async with knock({"transfer": echoing("transfer")}, system_limit="2/hour") as client:
        answers = [await client.post("/exchange/v1/messages", content=b"{}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]


async def test_a_caller_is_limited_wherever_it_goes(knock: Knock) -> None:
    async with knock({name: echoing(name) for name in SERVICES}, citizen_limit="2/hour") as client:
        paths = ("/v1/transfers/1", "/v1/tracking/my-cases", "/v1/enrollment/persons/1")
        answers = [await client.get(path, headers=bearer(LI)) for path in paths]
        other = await client.get("/v1/transfers/1", headers=bearer(CLERK))
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 0 < int(answers[2].headers["retry-after"]) <= 3600
    assert other.status_code == 201


async def test_a_method_nobody_has_is_refused(knock: Knock) -> None:
    async with knock({}) as client:
        answer = await client.delete("/v1/applications", headers=bearer(LI))
    assert (answer.status_code, answer.headers["content-type"]) == (405, "application/problem+json")
