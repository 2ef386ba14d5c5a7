from __future__ import annotations

from typing import ClassVar

import pytest

from libs.contracts.base import Fact
from libs.eventbus.handlers import Handlers
from tests.libs.eventbus.harness import Noted, record_effect


class Other(Fact):
    event_type: ClassVar[str] = "cn.yibao.sample.other.v2"


def test_a_type_has_one_handler() -> None:
    handlers = Handlers()
    handlers.on(Noted)(record_effect)
    with pytest.raises(ValueError, match="handler already"):
        handlers.on(Noted)(record_effect)


def test_a_name_is_known_in_every_version_a_route_only_in_its_own() -> None:
    handlers = Handlers()

    @handlers.on(Other)
    async def other(session: object, event: object, fact: Other) -> None:
        """Nothing."""

    assert handlers.route("cn.yibao.sample.other.v2") is not None
    assert handlers.route("cn.yibao.sample.other.v3") is None
    assert handlers.knows_name("cn.yibao.sample.other.v3")
    assert not handlers.knows_name("cn.yibao.sample.noted.v1")
