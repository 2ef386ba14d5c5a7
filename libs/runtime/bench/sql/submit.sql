-- What Database.transaction, the business insert and publish() send, as pgbench says it.
\set lane random(100, 1000000000)
\set number random(1, 1000000000)
BEGIN;
SELECT set_config('yibao.regions', '*', true);
INSERT INTO bench_cases (lane, number, status)
VALUES (:lane, :number, 'submitted') ON CONFLICT DO NOTHING;
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtextextended(:lane::text || '-' || :number::text, 20241))
)
INSERT INTO outbox (shard, topic, key, body)
SELECT
    hashtextextended(:lane::text || '-' || :number::text, 0) & 15,
    'yibao.bench',
    :lane::text || '-' || :number::text,
    repeat('x', :size)::bytea
FROM turn;
END;
