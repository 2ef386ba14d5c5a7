"""Entries: version and balance follow from the account's last entry, whatever the caller says."""

from __future__ import annotations

from libs.ledger.rules.settings import SETTINGS

_APPEND = f"""
CREATE FUNCTION ledger_append_entry() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
DECLARE
    account ledger_accounts := ledger_locked_account(NEW.account_id);
    last record;
    held_fen bigint;
BEGIN
    IF EXISTS (SELECT FROM ledger_chain WHERE transaction_id = NEW.transaction_id) THEN
        RAISE EXCEPTION 'transaction % is sealed', NEW.transaction_id USING ERRCODE = 'YL006';
    END IF;
    last := ledger_last(account.id);
    NEW.region_code := account.region_code;
    NEW.fund := account.fund;
    NEW.version := last.version + 1;
    NEW.balance_after_fen := last.balance_fen + NEW.amount_fen;
    IF NEW.amount_fen < 0 THEN
        held_fen := ledger_held_fen(account.id);
        IF NEW.balance_after_fen < held_fen AND (account.kind = 'personal_account' OR held_fen > 0) THEN
            RAISE EXCEPTION 'account % would be left with % fen, of which % are on hold',
                account.id, NEW.balance_after_fen, held_fen USING ERRCODE = 'YL001';
        END IF;
    END IF;
    RETURN NEW;
END $$
"""

STATEMENTS = (
    _APPEND,
    "CREATE TRIGGER ledger_entries_append BEFORE INSERT ON ledger_entries "
    "FOR EACH ROW EXECUTE FUNCTION ledger_append_entry()",
)
