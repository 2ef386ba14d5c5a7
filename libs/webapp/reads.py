"""Reads on hot paths: the guarantees of every other route, at what asyncpg costs.

``ReadRoute`` authenticates the caller and runs the endpoint on a connection that only reads and sees
the caller's regions alone. It serves look-ups sent by POST too (their key stands in no URL): they need no
Idempotency-Key, because nothing is written, and no copy of their answer is kept.

An endpoint names its answer as the route's ``response_model`` and returns ``answered(…)``: the model has
checked itself when it was made, and is not checked again on its way out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

import asyncpg
from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from libs.webapp.callers import Caller, bearer_token
from libs.webapp.edge import Handler, Resources, refusals_told, resources_of


@dataclass(frozen=True, slots=True)
class Reading:
    """What a read has at hand: its connection, who reads, what the service shares."""

    connection: asyncpg.Connection
    caller: Caller
    resources: Resources


class ReadRoute(APIRoute):
    """Authenticated route on prepared asyncpg statements, for reading only."""

    def get_route_handler(self) -> Handler:
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            resources = resources_of(request)
            caller = resources.tokens.caller_of(bearer_token(request))
            with refusals_told(request):
                async with resources.database.reading(caller.regions) as connection:
                    request.state.reading = Reading(connection, caller, resources)
                    return await endpoint(request)

        return handle


def answered(answer: BaseModel, *, version: int | None = None) -> Response:
    """The answer as JSON, with its version as ETag."""
    headers = None if version is None else {"ETag": f'"{version}"'}
    content = answer.__pydantic_serializer__.to_json(answer)
    return Response(content, headers=headers, media_type="application/json")


async def _reading(request: Request) -> Reading:
    return cast(Reading, request.state.reading)


ReadingDep = Annotated[Reading, Depends(_reading)]
