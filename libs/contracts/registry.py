"""All facts of the system, found in the modules beside this one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from typing import TypeVar

import libs.contracts
from libs.contracts.base import Fact

SomeFact = TypeVar("SomeFact", bound=Fact)


@cache
def all_facts() -> dict[str, type[Fact]]:
    """Every fact that is published, by its event type, sorted by it.

    Raises ValueError where two classes claim one event type.
    """
    found: dict[str, type[Fact]] = {}
    for module in pkgutil.iter_modules(libs.contracts.__path__, "libs.contracts."):
        importlib.import_module(module.name)
    for fact in _descendants(Fact):
        event_type = fact.__dict__.get("event_type")
        if event_type is None or not fact.__module__.startswith("libs.contracts."):
            continue
        if event_type in found:
            raise ValueError(f"{event_type} is claimed by {found[event_type].__name__} and {fact.__name__}")
        found[event_type] = fact
    return dict(sorted(found.items()))


def facts_of(base: type[SomeFact]) -> list[type[SomeFact]]:
    """The published facts that are a ``base``: ``facts_of(CaseMoved)`` are all services' case moves."""
    return [fact for fact in all_facts().values() if issubclass(fact, base)]


def _descendants(fact: type[Fact]) -> Iterator[type[Fact]]:
    for child in fact.__subclasses__():
        yield child
        yield from _descendants(child)
