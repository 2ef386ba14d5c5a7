"""docker-compose.yml as Docker would see it: anchors merged, variables filled in."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml

from libs.runtime.fresh_secrets import fresh_secrets
from tests.support.sources import ROOT

COMPOSE_FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


@cache
def compose() -> dict[str, Any]:
    """The file with its anchors merged; variables as written."""
    content: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text(encoding="utf-8"))
    return content


def containers() -> dict[str, dict[str, Any]]:
    """All containers by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def processes() -> dict[str, dict[str, Any]]:
    """The containers that run our image."""
    return {name: container for name, container in containers().items() if "build" in container}


def variables() -> dict[str, str]:
    """Variable -> how it is written: "?" must be given, "-" has a default, "" is optional."""
    text = "\n".join(line.split("#")[0] for line in COMPOSE_FILE.read_text(encoding="utf-8").splitlines())
    return {name: how for name, how, _ in VARIABLE.findall(text)}


def filled_in(environment: dict[str, str]) -> dict[str, str]:
    """A container's environment with fresh secrets in the place of its variables."""
    values = fresh_secrets()
    return {
        name: VARIABLE.sub(lambda match: values.get(match[1], match[3]), value)
        for name, value in environment.items()
    }
