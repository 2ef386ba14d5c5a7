"""Nobody approves what they entered."""

from __future__ import annotations

import pytest

from libs.casework.actors import SYSTEM, Actor, require_different_person
from libs.refusals.faults import Refusal

CLERK = Actor("officer", "clerk-1", "张三")


def test_the_maker_is_not_the_checker() -> None:
    with pytest.raises(Refusal, match="您已办理本件的“录入”，此步骤须由另一位工作人员办理"):
        require_different_person(CLERK, {"clerk-1": "录入"})


@pytest.mark.parametrize(
    "actor", [Actor("officer", "clerk-2", "李四"), SYSTEM, Actor("citizen", "clerk-1", "本人")]
)
def test_others_and_the_system_may(actor: Actor) -> None:
    require_different_person(actor, {"clerk-1": "录入", "system": "受理"})


def test_who_did_nothing_yet_may() -> None:
    require_different_person(CLERK, {})
