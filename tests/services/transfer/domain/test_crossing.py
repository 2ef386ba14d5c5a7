"""Both ends decide alike which of two conversations goes on."""

from __future__ import annotations

from dataclasses import replace

from services.transfer.domain.crossing import OwnMove, gives_way
from services.transfer.domain.stages import Side, Stage

EARLIER, LATER = "0195-a", "0195-b"
OUT = OwnMove(
    side=Side.OUT,
    stage=Stage.PREPARING,
    counterpart_region_code="370400",
    conversation=LATER,
    theirs=False,
    told=True,
    money_moved=False,
)


def test_of_two_that_crossed_exactly_one_gives_way() -> None:
    for ours, theirs in ((EARLIER, LATER), (LATER, EARLIER)):
        out = replace(OUT, conversation=ours)
        into = replace(out, side=Side.IN, stage=Stage.AWAITING_SHEET, conversation=theirs)
        decisions = gives_way(out, Side.OUT, "370400", theirs), gives_way(into, Side.IN, "370400", ours)
        assert sorted(decisions) == [False, True]


def test_what_the_other_city_never_heard_of_gives_way() -> None:
    unheard = replace(OUT, conversation=EARLIER, told=False, stage=Stage.CHECKING)
    assert gives_way(unheard, Side.OUT, "370400", LATER)


def test_an_earlier_request_of_theirs_gives_way_to_their_new_one() -> None:
    assert gives_way(replace(OUT, conversation=EARLIER, theirs=True), Side.OUT, "370400", LATER)


def test_another_move_never_gives_way() -> None:
    assert not gives_way(OUT, Side.OUT, "420100", EARLIER)
    assert not gives_way(OUT, Side.IN, "370400", EARLIER)


def test_moved_money_and_crediting_never_give_way() -> None:
    assert not gives_way(replace(OUT, money_moved=True), Side.OUT, "370400", EARLIER)
    crediting = replace(OUT, side=Side.IN, stage=Stage.CREDITING)
    assert not gives_way(crediting, Side.IN, "370400", EARLIER)
