"""Whole conversations between two agencies over HTTP."""

from libs.exchange.envelope import Kind, Receipt
from libs.exchange.journal import verify_chain
from libs.exchange.transitions import State
from tests.libs.exchange import papers
from tests.libs.exchange.papers import YANTAI, ZAOZHUANG
from tests.libs.exchange.world import World


async def test_a_transfer_by_letter_is_completed_on_both_sides(world: World) -> None:
    async with world.http() as courier:
        for kind, body, by in (
            (Kind.CONTACT_LETTER, papers.contact_letter(), ZAOZHUANG),
            (Kind.INFORMATION_SHEET, papers.sheet(), YANTAI),
            (Kind.FUND_NOTICE, papers.fund_notice(), YANTAI),
            (Kind.COMPLETION, papers.completion(), ZAOZHUANG),
        ):
            await world.send(kind, body, by=by)
            await world.deliver_all(courier)
    assert [await world.state(region) for region in (YANTAI, ZAOZHUANG)] == [State.COMPLETED] * 2
    assert len(world.settled) == 4
    assert all(isinstance(outcome, Receipt) for _, outcome in world.settled)
    assert len(await world.effects(YANTAI)) == len(await world.effects(ZAOZHUANG)) == 2
    for region in (YANTAI, ZAOZHUANG):
        assert verify_chain(await world.journal(region)) == []
