"""Accounts: who they belong to never changes; closed only when empty; the lock all writers take."""

from __future__ import annotations

from libs.ledger.rules.settings import SETTINGS

# Owner and kind are part of what entries mean, so they are under the hash chain too: the chain
# covers this digest. Times as microseconds: their text would depend on the session's settings.
_DIGEST = f"""
CREATE FUNCTION ledger_account_digest(account ledger_accounts) RETURNS bytea
LANGUAGE sql STABLE {SETTINGS} AS $$
    SELECT sha256(convert_to(jsonb_build_array(
        account.id, account.region_code, account.fund, account.kind, account.owner,
        (extract(epoch FROM account.opened_at) * 1000000)::bigint)::text, 'UTF8'))
$$
"""

# Every entry and every hold takes this lock first, so balances and holds read after it are
# final. A transaction with an older snapshot would still read the old ones: refused.
_LOCKED = f"""
CREATE FUNCTION ledger_locked_account(wanted uuid) RETURNS ledger_accounts
LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    account ledger_accounts;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the ledger is written at READ COMMITTED only' USING ERRCODE = 'YL010';
    END IF;
    SELECT * INTO account FROM ledger_accounts WHERE id = wanted FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no account %', wanted USING ERRCODE = 'YL002';
    END IF;
    IF account.state <> 'open' THEN
        RAISE EXCEPTION 'account % is closed', wanted USING ERRCODE = 'YL003';
    END IF;
    RETURN account;
END $$
"""

# The account's newest entry: version 0 and nothing on it before the first.
_LAST = f"""
CREATE FUNCTION ledger_last(account uuid, OUT version bigint, OUT balance_fen bigint)
LANGUAGE plpgsql STABLE {SETTINGS} AS $$
BEGIN
    SELECT e.version, e.balance_after_fen INTO version, balance_fen FROM ledger_entries e
        WHERE e.account_id = account ORDER BY e.version DESC LIMIT 1;
    version := coalesce(version, 0);
    balance_fen := coalesce(balance_fen, 0);
END $$
"""

_HELD = f"""
CREATE FUNCTION ledger_held_fen(account uuid) RETURNS bigint
LANGUAGE sql STABLE {SETTINGS} AS $$
    SELECT coalesce(sum(amount_fen), 0)::bigint FROM ledger_holds
    WHERE account_id = account AND state = 'active'
$$
"""

_OPEN = f"""
CREATE FUNCTION ledger_open_account() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
BEGIN
    NEW.state := 'open';
    NEW.digest := ledger_account_digest(NEW);
    RETURN NEW;
END $$
"""

_CHANGE = f"""
CREATE FUNCTION ledger_change_account() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    unchanged ledger_accounts := NEW;
BEGIN
    unchanged.state := OLD.state;
    IF unchanged IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'of account % only the state may change', OLD.id USING ERRCODE = 'YL006';
    END IF;
    IF OLD.state = 'open' AND NEW.state = 'closed' THEN
        PERFORM ledger_locked_account(OLD.id);
        IF (ledger_last(OLD.id)).balance_fen <> 0 OR ledger_held_fen(OLD.id) <> 0 THEN
            RAISE EXCEPTION 'account % is not empty', OLD.id USING ERRCODE = 'YL004';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

STATEMENTS = (
    _DIGEST,
    _LOCKED,
    _LAST,
    _HELD,
    _OPEN,
    _CHANGE,
    "CREATE TRIGGER ledger_accounts_open BEFORE INSERT ON ledger_accounts "
    "FOR EACH ROW EXECUTE FUNCTION ledger_open_account()",
    "CREATE TRIGGER ledger_accounts_change BEFORE UPDATE ON ledger_accounts "
    "FOR EACH ROW EXECUTE FUNCTION ledger_change_account()",
)
