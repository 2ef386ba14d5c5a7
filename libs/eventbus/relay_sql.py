"""What the relay does in the service's database, through asyncpg: it is the hot path."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

import asyncpg
import structlog
from uuid_utils.compat import uuid7

from libs.eventbus.envelope import Event
from libs.eventbus.faults import FaultKind
from libs.eventbus.leases import OWNED, Leases

log = structlog.get_logger(__name__)

SCOPE = "relay"
"""Scope of the relays' leases, and their name as a consumer of the outbox in ``dead_letter``."""

# What the broker refuses for good stays here, dead-lettered, and holds up what follows of its key.
OLDEST = f"""
    SELECT id, topic, key, body FROM outbox AS o
    WHERE shard = ANY ($1::smallint[])
      AND NOT EXISTS (
          SELECT FROM dead_letter AS d
          WHERE d.consumer = '{SCOPE}' AND d.key = o.key AND d.state = 'open' AND d.held_order <= o.id
      )
    ORDER BY id LIMIT $2
"""

DELETE = f"""
    WITH owned AS MATERIALIZED ({OWNED}),
    deleted AS (
        DELETE FROM outbox USING owned
        WHERE outbox.id = ANY ($3::bigint[]) AND outbox.shard = owned.slot::smallint
        RETURNING outbox.id
    )
    SELECT count(*) FROM deleted
"""

# A replay publishes the row again, a skip deletes it: its id is the letter's place in the order.
_BURY = f"""
    WITH owned AS MATERIALIZED ({OWNED})
    INSERT INTO dead_letter (id, held_order, consumer, topic, key,
                             event_id, event_type, region_code, body, fault, reason, attempts)
    SELECT $4, o.id, $1, o.topic, o.key, $5, $6, $7, o.body, '{FaultKind.REFUSED}', $8, 1
    FROM outbox AS o JOIN owned ON o.shard = owned.slot::smallint WHERE o.id = $3
"""


def pool(database_url: str) -> AbstractAsyncContextManager[asyncpg.Pool]:
    """Connections of one relay; it works for all regions."""
    settings = {"yibao.regions": "*", "application_name": "relay"}
    created: AbstractAsyncContextManager[asyncpg.Pool] = asyncpg.create_pool(
        database_url, min_size=1, max_size=3, server_settings=settings
    )
    return created


async def bury(pool: asyncpg.Pool, leases: Leases, row: asyncpg.Record, reason: str) -> None:
    """Dead-letter a row the broker refuses for good, and hold its key."""
    event = Event.from_bytes(row["body"])
    log.error("event_refused", event_id=str(event.id), type=event.type, reason=reason)
    await pool.execute(
        _BURY,
        SCOPE,
        leases.member,
        row["id"],
        uuid7(),
        event.id,
        event.type,
        event.regioncode,
        reason,
    )
