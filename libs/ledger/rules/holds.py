"""Holds: never more than the balance; ended once, as released or captured by a payout."""

from __future__ import annotations

from libs.ledger.rules.settings import SETTINGS

_DIGEST = f"""
CREATE FUNCTION ledger_hold_digest(hold ledger_holds) RETURNS bytea
LANGUAGE sql STABLE {SETTINGS} AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        hold.id, hold.region_code, hold.account_id, hold.amount_fen, hold.source_id,
        (extract(epoch FROM hold.placed_at) * 1000000)::bigint)::text, 'UTF8'))
$$
"""

# A hold whose source is known already is let through to its unique constraint: the same request
# sent twice must meet the first hold, not the lack of money that the first hold causes.
_PLACE = f"""
CREATE FUNCTION ledger_place_hold() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    account ledger_accounts := ledger_locked_account(NEW.account_id);
    free_fen bigint := (ledger_last(account.id)).balance_fen - ledger_held_fen(account.id);
BEGIN
    IF NEW.amount_fen > free_fen
       AND NOT EXISTS (SELECT FROM ledger_holds WHERE source_id = NEW.source_id) THEN
        RAISE EXCEPTION 'account % has % fen free', account.id, free_fen USING ERRCODE = 'YL001';
    END IF;
    NEW.region_code := account.region_code;
    NEW.state := 'active';
    NEW.ended_at := NULL;
    NEW.captured_by := NULL;
    NEW.digest := ledger_hold_digest(NEW);
    RETURN NEW;
END $$
"""

_END = f"""
CREATE FUNCTION ledger_end_hold() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    unchanged ledger_holds := NEW;
BEGIN
    unchanged.state := OLD.state;
    unchanged.captured_by := OLD.captured_by;
    IF unchanged IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'of hold % only the state may change', OLD.id USING ERRCODE = 'YL006';
    END IF;
    IF OLD.state <> 'active' OR NEW.state = 'active' THEN
        RAISE EXCEPTION 'hold % is % and cannot become %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'YL008';
    END IF;
    IF EXISTS (SELECT FROM ledger_chain WHERE transaction_id = NEW.captured_by) THEN
        RAISE EXCEPTION 'transaction % was posted before hold % was captured', NEW.captured_by, NEW.id
            USING ERRCODE = 'YL009';
    END IF;
    NEW.ended_at := clock_timestamp();
    RETURN NEW;
END $$
"""

# At COMMIT, because a hold ends before its payout takes the money.
_PAID_OUT = f"""
CREATE FUNCTION ledger_capture_is_paid_out() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_entries WHERE transaction_id = NEW.captured_by
                   AND account_id = NEW.account_id AND amount_fen = -NEW.amount_fen) THEN
        RAISE EXCEPTION 'transaction % does not pay out hold %', NEW.captured_by, NEW.id
            USING ERRCODE = 'YL009';
    END IF;
    RETURN NULL;
END $$
"""

STATEMENTS = (
    _DIGEST,
    _PLACE,
    _END,
    _PAID_OUT,
    "CREATE TRIGGER ledger_holds_place BEFORE INSERT ON ledger_holds "
    "FOR EACH ROW EXECUTE FUNCTION ledger_place_hold()",
    "CREATE TRIGGER ledger_holds_end BEFORE UPDATE ON ledger_holds "
    "FOR EACH ROW EXECUTE FUNCTION ledger_end_hold()",
    "CREATE CONSTRAINT TRIGGER ledger_holds_paid_out AFTER UPDATE ON ledger_holds "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'captured') "
    "EXECUTE FUNCTION ledger_capture_is_paid_out()",
)
