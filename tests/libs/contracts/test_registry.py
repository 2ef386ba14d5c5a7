"""The facts are found, and their documents are right."""

from __future__ import annotations

from typing import ClassVar

import pytest
from jsonschema import Draft202012Validator

from libs.contracts.base import Fact, topic_of
from libs.contracts.cases import CaseMoved
from libs.contracts.documents import async_api, fact_schema
from libs.contracts.registry import all_facts, facts_of
from libs.contracts.transfer import FundsPaid, TransferCaseMoved

FACTS = all_facts()


def test_every_fact_names_its_producer_and_version() -> None:
    for event_type, fact in FACTS.items():
        assert event_type == fact.event_type
        assert event_type.startswith(f"cn.yibao.{fact.__module__.rpartition('.')[2]}."), fact
        assert event_type.endswith(".v1"), fact


def test_what_is_no_fact_of_a_service_is_not_found() -> None:
    class Elsewhere(Fact):
        event_type: ClassVar[str] = "cn.yibao.tests.elsewhere.v1"

    assert CaseMoved not in FACTS.values(), "the common shape is not published"
    assert Elsewhere not in all_facts.__wrapped__().values()


def test_one_event_type_cannot_mean_two_things() -> None:
    class Impostor(Fact):
        __module__ = "libs.contracts.impostor"
        event_type: ClassVar[str] = FundsPaid.event_type

    with pytest.raises(ValueError, match="FundsPaid and Impostor"):
        all_facts.__wrapped__()
    Impostor.__module__ = __name__  # found no more


def test_case_moves_of_all_producers_are_found_by_their_base() -> None:
    assert TransferCaseMoved in facts_of(CaseMoved)
    assert FundsPaid not in facts_of(CaseMoved)


@pytest.mark.parametrize("event_type", FACTS)
def test_every_fact_has_a_valid_json_schema(event_type: str) -> None:
    schema = fact_schema(FACTS[event_type])
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:yibao:event:{event_type}"


def test_every_fact_is_a_message_on_its_producers_channel() -> None:
    document = async_api("事件", "1")
    told = {
        (channel["address"], name)
        for channel in document["channels"].values()
        for name in channel["messages"]
    }
    assert told == {(topic_of(event_type), fact.__name__) for event_type, fact in FACTS.items()}


def test_every_reference_of_the_event_document_leads_somewhere() -> None:
    document = async_api("事件", "1")
    references = list(_references(document))
    assert references
    for reference in references:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def _references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []
