"""``Idempotency-Key`` on every write: the same key and body get the same answer, once.

The answer is stored in the business transaction, so an effect and its stored answer stand or
fall together. While the first request runs, others with its key are told 409; another body
under the same key is 422.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from alembic.operations import Operations
from fastapi import Request, Response
from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, MetaData, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from libs.protection.fields import FieldProtector
from libs.refusals.faults import Fault, conflict, invalid

HEADER = "Idempotency-Key"
LONGEST_KEY = 200
_KEPT_HEADERS = ("content-type", "etag", "location")

metadata = MetaData()

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("caller", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_digest", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

# One round trip: take the lock, then look with a fresh snapshot. In one plain SELECT the
# snapshot would be older than the lock and miss an answer committed in between.
_BEGIN_FUNCTION = """
CREATE FUNCTION idempotency_begin(p_caller text, p_key text)
RETURNS TABLE (running boolean, request_digest text, status integer, headers jsonb, body bytea)
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended(p_caller || chr(10) || p_key, 0)) THEN
        RETURN QUERY SELECT true, NULL::text, NULL::integer, NULL::jsonb, NULL::bytea;
        RETURN;
    END IF;
    RETURN QUERY SELECT false, k.request_digest, k.status, k.headers, k.body
        FROM idempotency_keys k WHERE k.caller = p_caller AND k.key = p_key;
END $$
"""


def install_v1(op: Operations) -> None:
    """Create the table of stored answers."""
    metadata.create_all(op.get_bind())
    op.execute(_BEGIN_FUNCTION)
    op.execute("GRANT SELECT, INSERT, DELETE ON idempotency_keys TO yibao_app")


@dataclass(frozen=True)
class Attempt:
    """One write under one key."""

    caller: str
    key: str
    request_digest: str


async def attempt_of(request: Request, caller: str) -> Attempt:
    """Read key and body of a write. Raises Refusal where the key is missing or no printable ASCII."""
    key = request.headers.get(HEADER, "")
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        message = (
            f"办理类请求必须带请求头{HEADER}（不超过{LONGEST_KEY}个字母、数字或符号），"
            "每笔业务用一个新值，重发时用原值。"
        )
        raise invalid("idempotency_key", message, [Fault("idempotency_key", message, f"/header/{HEADER}")])
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return Attempt(caller, key, digest.hexdigest())


async def stored_answer(
    session: AsyncSession, attempt: Attempt, protector: FieldProtector
) -> Response | None:
    """The answer already given to this attempt, if any; holds the key until the transaction ends.

    Raises Refusal: conflict while the first one runs, invalid where the body differs.
    """
    row = (
        await session.execute(
            text("SELECT * FROM idempotency_begin(:caller, :key)"),
            {"caller": attempt.caller, "key": attempt.key},
        )
    ).one_or_none()
    if row is None:
        return None
    if row.running:
        raise conflict("idempotency_running", f"同一{HEADER}的请求正在办理，请稍后用原值重发以取得结果。")
    if row.request_digest != attempt.request_digest:
        raise invalid("idempotency_mismatch", f"此{HEADER}已用于内容不同的请求，请换一个新值。")
    body = protector.decrypt(row.body.decode(), _context(attempt))
    return Response(body, row.status, {**row.headers, "Idempotency-Replayed": "true"})


async def store_answer(
    session: AsyncSession, attempt: Attempt, response: Response, protector: FieldProtector
) -> None:
    """Keep the answer in the transaction of the effect, encrypted: answers hold names."""
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    await session.execute(
        idempotency_keys.insert().values(
            caller=attempt.caller,
            key=attempt.key,
            request_digest=attempt.request_digest,
            status=response.status_code,
            headers=kept,
            body=protector.encrypt(bytes(response.body).decode(), _context(attempt)).encode(),
        )
    )


def _context(attempt: Attempt) -> str:
    return f"{attempt.caller}/idempotency.{attempt.key}"
