"""The seal: at COMMIT each transaction is checked as a whole and joins its region's hash chain.

Sealing waits until COMMIT so that the lock on the region's chain, which every posting of the
region needs, is held for the commit only, and so that it is always the last lock taken.
"""

from __future__ import annotations

from libs.ledger.rules.settings import SETTINGS

# The only place a hash is computed: the seal and the verification both call it.
_HASH = f"""
CREATE FUNCTION ledger_hash(previous_hash bytea, number bigint, t ledger_transactions) RETURNS bytea
LANGUAGE sql STABLE {SETTINGS} AS $$
    SELECT sha256(previous_hash || convert_to(jsonb_build_array(
        number, t.id, t.region_code, t.source_id, t.purpose, t.occurred_on,
        (extract(epoch FROM t.posted_at) * 1000000)::bigint, t.reverses,
        (SELECT jsonb_agg(jsonb_build_array(
                e.account_id, encode(a.digest, 'hex'), e.version, e.region_code, e.fund,
                e.amount_fen, e.balance_after_fen) ORDER BY e.account_id)
         FROM ledger_entries e LEFT JOIN ledger_accounts a ON a.id = e.account_id
         WHERE e.transaction_id = t.id))::text, 'UTF8'))
$$
"""

# Reversal: of an original, in its region, on its accounts, opposite, never above. (At most once:
# the unique constraint on ``reverses``.)
_REVERSAL = f"""
CREATE FUNCTION ledger_reversal_fits(t ledger_transactions) RETURNS boolean
LANGUAGE sql STABLE {SETTINGS} AS $$
    SELECT EXISTS (SELECT FROM ledger_transactions original
                   WHERE original.id = t.reverses AND original.reverses IS NULL
                     AND original.region_code = t.region_code)
       AND NOT EXISTS (
            SELECT FROM ledger_entries e
            LEFT JOIN ledger_entries o
                ON o.transaction_id = t.reverses AND o.account_id = e.account_id
            WHERE e.transaction_id = t.id
              AND (o.amount_fen IS NULL OR sign(o.amount_fen) = sign(e.amount_fen)
                   OR abs(e.amount_fen::numeric) > abs(o.amount_fen::numeric)))
$$
"""

_BALANCED = f"""
CREATE FUNCTION ledger_is_balanced(t ledger_transactions) RETURNS boolean
LANGUAGE sql STABLE {SETTINGS} AS $$
    SELECT count(*) > 0 AND bool_and(total_fen = 0 AND at_home) FROM (
        SELECT sum(amount_fen) AS total_fen, bool_and(region_code = t.region_code) AS at_home
        FROM ledger_entries WHERE transaction_id = t.id GROUP BY fund) AS per_fund
$$
"""

_SEAL = f"""
CREATE FUNCTION ledger_seal() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    t ledger_transactions;
    last record;
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'transactions are sealed at COMMIT, not by hand' USING ERRCODE = 'YL006';
    END IF;
    SELECT * INTO t FROM ledger_transactions WHERE id = NEW.transaction_id;
    IF t.id IS NULL OR NOT ledger_is_balanced(t) THEN
        RAISE EXCEPTION 'entries of transaction % do not sum to 0 in each fund of its region',
            NEW.transaction_id USING ERRCODE = 'YL005';
    END IF;
    IF t.reverses IS NOT NULL AND NOT ledger_reversal_fits(t) THEN
        RAISE EXCEPTION 'transaction % does not fit what it reverses', t.id USING ERRCODE = 'YL007';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ledger_chain'), hashtext(t.region_code));
    SELECT number, hash INTO last FROM ledger_chain
        WHERE region_code = t.region_code ORDER BY number DESC LIMIT 1;
    NEW.region_code := t.region_code;
    NEW.number := coalesce(last.number, 0) + 1;
    NEW.previous_hash := coalesce(last.hash, sha256(''));
    NEW.hash := ledger_hash(NEW.previous_hash, NEW.number, t);
    RETURN NEW;
END $$
"""

_SEAL_AT_COMMIT = f"""
CREATE FUNCTION ledger_seal_at_commit() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
BEGIN
    INSERT INTO ledger_chain (transaction_id) VALUES (NEW.id);
    RETURN NULL;
END $$
"""

STATEMENTS = (
    _HASH,
    _REVERSAL,
    _BALANCED,
    _SEAL,
    _SEAL_AT_COMMIT,
    "CREATE TRIGGER ledger_chain_seal BEFORE INSERT ON ledger_chain "
    "FOR EACH ROW EXECUTE FUNCTION ledger_seal()",
    "CREATE CONSTRAINT TRIGGER ledger_transactions_seal AFTER INSERT ON ledger_transactions "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_seal_at_commit()",
)
