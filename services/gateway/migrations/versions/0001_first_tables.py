"""Clients, officers and used one-time codes."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The gateway's own login reads clients and officers; they are kept by the owner (the ``yibao``
# command), so that nobody who breaks into the gateway adds an officer.
STATEMENTS = (
    """
    CREATE TABLE clients (
        client_id text PRIMARY KEY,
        name text NOT NULL,
        kind text NOT NULL CONSTRAINT kind_is_known CHECK (kind IN ('system', 'mini_program')),
        secret_hash text NOT NULL,
        scopes text[] NOT NULL,
        regions text[] NOT NULL,
        public_key text,
        active boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT mini_programs_have_a_key CHECK ((kind = 'mini_program') = (public_key IS NOT NULL))
    )
    """,
    """
    CREATE TABLE officers (
        username text PRIMARY KEY,
        name text NOT NULL,
        password_hash text NOT NULL,
        roles text[] NOT NULL,
        office text NOT NULL,
        regions text[] NOT NULL,
        active boolean NOT NULL DEFAULT true,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE used_codes (
        client_id text NOT NULL REFERENCES clients (client_id),
        code_id text NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (client_id, code_id)
    )
    """,
    "CREATE INDEX ix_used_codes_expires_at ON used_codes (expires_at)",
    "GRANT SELECT ON clients, officers TO yibao_app",
    "GRANT SELECT, INSERT, DELETE ON used_codes TO yibao_app",
)


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    for statement in STATEMENTS:
        op.execute(statement)
