"""Nobody but the edge commits (docs/decisions/0003): library and service functions take a session."""

from __future__ import annotations

import ast
from fnmatch import fnmatch

import pytest

from tests.support.sources import python_files, tree_of

# Files (patterns) -> why they begin or end something by hand.
BY_HAND: dict[str, str] = {
    "libs/eventbus/consumer.py": "positions in a topic, after the transaction of their effects",
    "libs/eventbus/transports/kafka*.py": "positions in a topic, after the transaction of their effects",
    "libs/runtime/bench/*.py": "tables of the measurement, made before it",
    "libs/runtime/migrations.py": "a migration is a transaction of its own",
    "libs/webapp/database.py": "the edge: one transaction per request or message",
}
BEGINS_OR_ENDS = {"begin", "commit", "rollback"}
# In a service, only the rooms that stand at the edge open a transaction.
EDGE_ROOMS = {"app", "composition", "worker"}
OPENS_ITSELF: dict[str, str] = {
    "services/gateway/service/sign_in.py": "no connection is held while a password is being hashed",
}


def calls(tree: ast.AST, names: set[str]) -> list[int]:
    """Lines that call a method of one of these names."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names
    ]


def test_nobody_but_the_edge_commits() -> None:
    found = {
        str(path): lines
        for path in python_files("libs", "services")
        if (lines := calls(tree_of(path), BEGINS_OR_ENDS))
    }
    assert not [path for path in found if not any(fnmatch(path, allowed) for allowed in BY_HAND)], found
    assert not [allowed for allowed in BY_HAND if not any(fnmatch(path, allowed) for path in found)], found


def test_inside_a_service_only_the_edge_opens_a_transaction() -> None:
    found = {
        str(path): lines
        for path in python_files("services")
        if len(path.parts) > 2
        and path.parts[2].removesuffix(".py") not in EDGE_ROOMS
        and (lines := calls(tree_of(path), {"transaction"}))
    }
    assert found.keys() == OPENS_ITSELF.keys(), found


@pytest.mark.parametrize(
    "line", ["await session.commit()", "session.rollback()", "async with session.begin(): ..."]
)
def test_a_commit_would_be_found(line: str) -> None:
    assert calls(ast.parse(f"async def f(session):\n    {line}"), BEGINS_OR_ENDS) == [2]
