"""The first version of the bus's tables, as SQL. Frozen: a change is a new version beside it."""

from __future__ import annotations

_REGION_IS_OURS = """(
    region_code = ANY (string_to_array(current_setting('yibao.regions', true), ','))
    OR current_setting('yibao.regions', true) = '*'
)"""

# What has been published or handled is never changed, and of a dead letter only its end: an
# operator's decision stays on record because nobody has the right to delete it.
SERVICE_V1 = (
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        shard smallint NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        body bytea NOT NULL
    )
    """,
    """
    CREATE TABLE inbox (
        consumer text NOT NULL,
        event_id uuid NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (consumer, event_id)
    )
    """,
    "CREATE SEQUENCE held_order",
    """
    CREATE TABLE dead_letter (
        id uuid PRIMARY KEY,
        held_order bigint NOT NULL DEFAULT nextval('held_order'),
        consumer text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        event_id uuid NOT NULL,
        event_type text NOT NULL,
        region_code text NOT NULL,
        body bytea NOT NULL,
        fault text NOT NULL,
        reason text NOT NULL,
        attempts integer NOT NULL,
        failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'replayed', 'skipped')),
        closed_at timestamptz,
        closed_by text,
        close_reason text,
        CHECK ((state = 'open') = (closed_at IS NULL)),
        CHECK ((state = 'open') = (closed_by IS NULL)),
        CHECK ((state = 'open') = (close_reason IS NULL))
    )
    """,
    "CREATE INDEX dead_letter_open ON dead_letter (id) WHERE state = 'open'",
    "CREATE INDEX dead_letter_key ON dead_letter (consumer, key)",
    """
    CREATE TABLE parked_event (
        held_order bigint PRIMARY KEY DEFAULT nextval('held_order'),
        consumer text NOT NULL,
        topic text NOT NULL,
        key text NOT NULL,
        event_id uuid NOT NULL,
        region_code text NOT NULL,
        body bytea NOT NULL,
        parked_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    "CREATE INDEX parked_event_key ON parked_event (consumer, key, held_order)",
    """
    CREATE TABLE held_key (
        consumer text NOT NULL,
        key text NOT NULL,
        released boolean NOT NULL DEFAULT false,
        PRIMARY KEY (consumer, key)
    )
    """,
    "ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY own_regions ON dead_letter USING {_REGION_IS_OURS}",
    "ALTER TABLE parked_event ENABLE ROW LEVEL SECURITY",
    f"CREATE POLICY own_regions ON parked_event USING {_REGION_IS_OURS}",
    "GRANT SELECT, INSERT, DELETE ON outbox TO yibao_app",
    "GRANT SELECT, INSERT ON inbox TO yibao_app",
    "GRANT SELECT, INSERT, UPDATE (state, closed_at, closed_by, close_reason) ON dead_letter TO yibao_app",
    "GRANT SELECT, INSERT, DELETE ON parked_event TO yibao_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON held_key TO yibao_app",
    "GRANT USAGE ON SEQUENCE held_order TO yibao_app",
)

LEASES_V1 = (
    """
    CREATE TABLE IF NOT EXISTS bus_member (
        scope text NOT NULL,
        member uuid NOT NULL,
        slots text[] NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (scope, member)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS bus_lease (
        scope text NOT NULL,
        slot text NOT NULL,
        member uuid NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (scope, slot)
    )
    """,
    "GRANT SELECT, INSERT, UPDATE, DELETE ON bus_member, bus_lease TO yibao_app",
)

# Offsets are given out under the lock of the partition's row, which is held until the append has
# committed: a reader that has seen offset n will never find a smaller one appear later.
LOG_V1 = (
    """
    CREATE TABLE IF NOT EXISTS log_partition (
        topic text NOT NULL,
        partition smallint NOT NULL,
        next_offset bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (topic, partition)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS log_record (
        topic text NOT NULL,
        partition smallint NOT NULL,
        "offset" bigint NOT NULL,
        key text NOT NULL,
        body bytea NOT NULL,
        appended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (topic, partition, "offset")
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS log_position (
        "group" text NOT NULL,
        topic text NOT NULL,
        partition smallint NOT NULL,
        next_offset bigint NOT NULL,
        PRIMARY KEY ("group", topic, partition)
    )
    """,
    """
    CREATE OR REPLACE FUNCTION log_append(to_topic text, partitions smallint[], keys text[], bodies bytea[])
    RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM FROM log_partition AS p
            WHERE p.topic = to_topic AND p.partition = ANY (partitions)
            ORDER BY p.partition FOR UPDATE;
        INSERT INTO log_record (topic, partition, "offset", key, body)
            SELECT to_topic, m.partition,
                   p.next_offset - 1 + row_number() OVER (PARTITION BY m.partition ORDER BY m.place),
                   m.key, m.body
            FROM unnest(partitions, keys, bodies) WITH ORDINALITY AS m (partition, key, body, place)
            JOIN log_partition AS p ON p.topic = to_topic AND p.partition = m.partition;
        UPDATE log_partition AS p SET next_offset = p.next_offset + added.number
            FROM (SELECT m.partition, count(*) AS number
                  FROM unnest(partitions) AS m (partition) GROUP BY m.partition) AS added
            WHERE p.topic = to_topic AND p.partition = added.partition;
        PERFORM pg_notify('yibao_log', to_topic);
    END
    $$
    """,
    "GRANT SELECT, INSERT, UPDATE ON log_partition TO yibao_app",
    "GRANT SELECT, INSERT ON log_record TO yibao_app",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON log_position TO yibao_app",
)
