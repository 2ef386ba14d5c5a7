"""Our own endpoint passes the kit; an endpoint that is too trusting, or says nothing, does not."""

import httpx
from fastapi import FastAPI, Request, Response

from libs.exchange.canonical import parse
from libs.exchange.conformance import CHECKS, Check, run_conformance
from libs.exchange.envelope import Message, Receipt, read
from libs.exchange.faults import ExchangeFault
from libs.exchange.probe import Endpoint
from libs.exchange.seals import sealed
from tests.libs.exchange.papers import WUHAN, YANTAI
from tests.libs.exchange.world import World


async def run_against(world: World, app: FastAPI) -> dict[str, Check]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client:
        endpoint = Endpoint(
            base_url="http://yantai.example",
            region_code=YANTAI,
            signer=world.signers[WUHAN],
            verifier=world.verifier,
            clock=world.clock,
            client=client,
        )
        return {check.name: check for check in await run_conformance(endpoint)}


async def test_our_endpoint_conforms(world: World) -> None:
    checks = await run_against(world, world.app())
    assert checks.keys() == CHECKS.keys()
    assert [check for check in checks.values() if not check.passed] == []


async def test_an_endpoint_that_receipts_everything_fails_all_refusal_checks(world: World) -> None:
    app = FastAPI()

    @app.post("/exchange/v1/messages")
    async def yes_to_all(request: Request) -> Response:
        try:
            message = read(Message, parse(await request.body()))
        except ExchangeFault:
            return Response(status_code=500)
        receipt = Receipt(
            message_id=message.id,
            message_digest=message.digest(),
            conversation=message.conversation,
            receiver=YANTAI,
            at=world.clock.now(),
            stored="delivered",
        )
        return Response(sealed(receipt, world.signers[YANTAI]).raw())

    checks = await run_against(world, app)
    passed = {name for name, check in checks.items() if check.passed}
    assert passed == {"正常消息得到有签章的回执", "重发的消息得到同一回执"}


async def test_an_endpoint_without_answers_fails_every_check(world: World) -> None:
    checks = await run_against(world, FastAPI())
    assert not any(check.passed for check in checks.values())
    assert all(check.detail for check in checks.values())
