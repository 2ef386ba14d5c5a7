"""Every key of every data file is in the vocabulary, and every key of the vocabulary is in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import get_args

import pytest

from libs.casework.case_numbers import operation_codes
from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.schema import Channel, Parameter, ServiceItem, Unit, When
from libs.catalogue.vocabulary import ParameterEntry, vocabulary
from libs.regions.names import find

ITEMS = [item for edition_id in edition_ids() for item in load_edition(edition_id).items]


def conditions() -> Iterator[When]:
    for item in ITEMS:
        yield from (entry.when for entry in [*item.materials, *item.time_limits])


def in_use(dimension: str) -> set[str]:
    used = {value for when in conditions() for value in getattr(when, dimension)}
    if dimension == "channel":
        used |= {channel.kind for item in ITEMS for channel in item.channels}
    if dimension == "level":
        used |= {level for item in ITEMS for level in item.levels}
    return used


USES: dict[str, Callable[[ServiceItem], set[str]]] = {
    "operations": lambda item: set(item.operations),
    "materials": lambda item: {material.key for material in item.materials},
    "alternatives": lambda item: {material.one_of for material in item.materials if material.one_of},
    "required_fields": lambda item: {field.key for field in item.required_fields},
    "parameters": lambda item: {parameter.key for parameter in item.parameters},
    "stages": lambda item: {limit.stage for limit in item.time_limits},
}


@pytest.mark.parametrize("section", USES)
def test_keys_of_the_data_and_of_the_vocabulary_are_the_same(section: str) -> None:
    used = {key for item in ITEMS for key in USES[section](item)}
    known = set(getattr(vocabulary(), section))
    assert (sorted(used - known), sorted(known - used)) == ([], [])


@pytest.mark.parametrize("dimension", When.model_fields)
def test_conditions_use_the_words_of_the_vocabulary_and_all_of_them(dimension: str) -> None:
    known = set(vocabulary().when[dimension])
    used = in_use(dimension)
    assert (sorted(used - known), sorted(known - used)) == ([], [])


def test_fixed_values_have_chinese_names() -> None:
    names = vocabulary().names
    assert set(names["unit"]) == {unit.value for unit in Unit}
    assert set(names["part"]) == set(get_args(ServiceItem.model_fields["part"].annotation))
    assert set(vocabulary().when["channel"]) <= set(get_args(Channel.model_fields["kind"].annotation))
    assert {kind for item in ITEMS for kind in item.audience} <= set(names["audience"])
    assert {item.risk_level for item in ITEMS} - {None} <= set(names["risk_level"])
    assert {step.channel for item in ITEMS for step in item.steps} - {None} == set(names["step_channel"])
    fields = {difference.field.split(".")[0] for item in ITEMS for difference in item.differences}
    assert fields == set(names["field"])
    readings = {name for item in ITEMS for difference in item.differences for name in difference.readings}
    assert readings == set(names["reading"])


def fits(entry: ParameterEntry, parameter: Parameter) -> bool:
    value = parameter.value
    match entry.type:
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "choice":
            return value in entry.choices
        case "choices":
            return bool(value) and set(value) <= set(entry.choices)
        case "date":
            return bool(dt.date.fromisoformat(str(value)))
        case "regions":
            return all(find(code) for code in value)
        case "names":
            return all(isinstance(name, str) for name in value)
        case "form":
            return isinstance(value, str)


@pytest.mark.parametrize("key", vocabulary().parameters)
def test_values_of_a_parameter_have_its_type_and_choices(key: str) -> None:
    entry = vocabulary().parameters[key]
    stated = [parameter for item in ITEMS for parameter in item.parameters if parameter.key == key]
    assert [parameter for parameter in stated if not fits(entry, parameter)] == []
    if entry.choices:
        values = [p.value if isinstance(p.value, list) else [p.value] for p in stated]
        assert {choice for value in values for choice in value} == set(entry.choices)


def test_a_unit_in_a_parameters_name_is_its_unit() -> None:
    endings = {"_working_days": "working_day", "_months": "month", "_years": "year", "_percent": "percent"}
    for key, entry in vocabulary().parameters.items():
        for ending, unit in endings.items():
            if key.endswith(ending):
                assert entry.unit == unit, key


def test_names_of_operations_are_those_of_the_case_numbers() -> None:
    codes = operation_codes()
    for operation, entry in vocabulary().operations.items():
        if operation in codes:
            assert entry.name == codes[operation].name


def test_a_whole_is_done_when_its_parts_are_and_the_other_way_round() -> None:
    words = vocabulary()
    assert "transfer.relation" in words.closure(["transfer.out", "transfer.in"])
    assert "transfer.relation" not in words.closure(["transfer.out"])
    assert words.closure(["transfer.relation"]) >= {"transfer.out", "transfer.in"}
    assert set(words.kin("transfer.in")) == {"transfer.in", "transfer.relation"}
    assert set(words.kin("transfer.relation")) == {"transfer.relation", "transfer.out", "transfer.in"}
    assert words.kin("remote_care.referral") == ("remote_care.referral",)


def test_a_condition_reads_as_chinese() -> None:
    when = When(scope=["in_province"], channel=["online", "app"])
    assert vocabulary().condition_in_chinese(when) == "省内；网上或APP"
    assert vocabulary().condition_in_chinese(When()) == ""
