"""The second version's door: many events posted and sealed in one go, by the same rules.

``ledger_post`` does for a set what the triggers of entries.py do row by row, and one deferred trigger
a batch does what chain.py does one transaction at a time. It runs as the tables' owner and is the only
way to write versions and balances: the triggers stand aside for the owner inside it (``_ASIDE``), and
for nobody else. What is inserted without it goes through them as before.

Row by row an event of two entries cost 210 µs in the database: seven trigger calls, each changing
settings, each with look-ups of its own.
"""

from __future__ import annotations

from libs.ledger.rules.access import VISIBLE
from libs.ledger.rules.settings import SETTINGS

# Set by the functions below around their own INSERTs. Anybody may set it; it means something only to
# whoever may delete from ledger_unsealed, and that a caller may inside these functions alone. The owner
# may always, and could as well drop the triggers: ``verify`` finds what was done so.
_OPEN = "PERFORM set_config('yibao.ledger_door', 'open', true)"
_SHUT = "PERFORM set_config('yibao.ledger_door', '', true)"
_NOT_ASIDE = (
    "WHEN ((current_setting('yibao.ledger_door', true) = 'open' "
    "AND has_table_privilege('ledger_unsealed'::regclass, 'DELETE')) IS NOT TRUE)"
)

# The order of locks is that of a batch row by row: sources in their order, accounts in the order of
# their ids, the chain at COMMIT. The accounts are read by a statement of its own, after the lock:
# at READ COMMITTED it sees what the lock waited for.
_POST = f"""
CREATE FUNCTION ledger_post(
    ids uuid[], regions text[], sources text[], purposes text[], dates date[], reversed uuid[],
    lines_of uuid[], line_accounts uuid[], amounts_fen bigint[],
    OUT places bigint[], OUT homes text[], OUT funds text[], OUT versions bigint[], OUT balances_fen bigint[])
LANGUAGE plpgsql SECURITY DEFINER {SETTINGS} AS $$
DECLARE
    fresh uuid[];
    refused_with text;
    refused_account uuid;
    refused_detail text;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the ledger is written at READ COMMITTED only' USING ERRCODE = 'YL010';
    END IF;
    IF EXISTS (SELECT FROM unnest(regions) AS told (region_code) WHERE ({VISIBLE}) IS NOT TRUE) THEN
        RAISE EXCEPTION 'a transaction outside the regions in sight' USING ERRCODE = '42501';
    END IF;
    {_OPEN};
    WITH posted AS (
        INSERT INTO ledger_transactions (id, region_code, source_id, purpose, occurred_on, reverses)
        SELECT * FROM unnest(ids, regions, sources, purposes, dates, reversed)
            AS draft (id, region_code, source_id, purpose, occurred_on, reverses)
        ORDER BY source_id
        ON CONFLICT (source_id) DO NOTHING
        RETURNING id
    )
    SELECT array_agg(id) INTO fresh FROM posted;
    IF fresh IS NULL THEN
        {_SHUT};
        RETURN;
    END IF;
    PERFORM FROM ledger_accounts
        WHERE id = ANY (ARRAY(SELECT line.account_id FROM unnest(lines_of, line_accounts)
                                  AS line (transaction_id, account_id)
                              JOIN unnest(fresh) AS posted (id) ON posted.id = line.transaction_id))
          AND ({VISIBLE})
        ORDER BY id FOR NO KEY UPDATE;
    WITH line AS MATERIALIZED (
        SELECT draft.* FROM unnest(lines_of, line_accounts, amounts_fen) WITH ORDINALITY
            AS draft (transaction_id, account_id, amount_fen, place)
        JOIN unnest(fresh) AS posted (id) ON posted.id = draft.transaction_id
    ), account AS MATERIALIZED (
        SELECT a.id, a.region_code, a.fund, a.kind, a.state,
               coalesce(last.version, 0) AS version, coalesce(last.balance_after_fen, 0) AS balance_fen,
               (SELECT coalesce(sum(h.amount_fen), 0) FROM ledger_holds h
                WHERE h.account_id = a.id AND h.state = 'active') AS held_fen
        FROM (SELECT DISTINCT account_id FROM line) AS touched
        JOIN ledger_accounts a ON a.id = touched.account_id AND ({VISIBLE})
        LEFT JOIN LATERAL (
            SELECT e.version, e.balance_after_fen FROM ledger_entries e
            WHERE e.account_id = a.id ORDER BY e.version DESC LIMIT 1) AS last ON true
    ), standing AS (
        SELECT line.transaction_id, line.account_id, line.amount_fen, line.place,
               a.region_code, a.fund, a.kind, a.state, a.held_fen,
               a.version + row_number() OVER earlier AS version,
               (a.balance_fen + sum(line.amount_fen) OVER earlier)::bigint AS balance_fen
        FROM line LEFT JOIN account a ON a.id = line.account_id
        WINDOW earlier AS (PARTITION BY line.account_id ORDER BY line.place ROWS UNBOUNDED PRECEDING)
    ), judged AS MATERIALIZED (
        SELECT *, CASE
            WHEN kind IS NULL THEN 'YL002'
            WHEN state <> 'open' THEN 'YL003'
            WHEN amount_fen < 0 AND balance_fen < held_fen AND (kind = 'personal_account' OR held_fen > 0)
                THEN 'YL001' END AS refusal
        FROM standing ORDER BY account_id, place
    ), entered AS (
        INSERT INTO ledger_entries
            (account_id, version, transaction_id, region_code, fund, amount_fen, balance_after_fen)
        SELECT account_id, version, transaction_id, region_code, fund, amount_fen, balance_fen
        FROM judged WHERE refusal IS NULL
    ), first_refused AS (
        SELECT refusal, account_id, CASE refusal
            WHEN 'YL002' THEN 'is not there'
            WHEN 'YL003' THEN 'is closed'
            ELSE format('would be left with %s fen, of which %s are on hold', balance_fen, held_fen)
            END AS detail
        FROM judged WHERE refusal IS NOT NULL ORDER BY account_id, place LIMIT 1
    )
    SELECT told.*, first_refused.refusal, first_refused.account_id, first_refused.detail
    INTO places, homes, funds, versions, balances_fen, refused_with, refused_account, refused_detail
    FROM (SELECT array_agg(place), array_agg(region_code), array_agg(fund), array_agg(version),
                 array_agg(balance_fen) FROM judged) AS told
    LEFT JOIN first_refused ON true;
    IF refused_with IS NOT NULL THEN
        RAISE EXCEPTION 'account % %', refused_account, refused_detail USING ERRCODE = refused_with;
    END IF;
    {_SHUT};
    INSERT INTO ledger_unsealed (transactions) VALUES (fresh);
END $$
"""

# One pass over the batch: its entries are read once, checked and hashed. What is hashed is what
# ``ledger_hash`` says of a transaction, and ``verify`` holds it to that.
_SEAL = f"""
CREATE FUNCTION ledger_seal_batch() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER {SETTINGS} AS $$
DECLARE
    region char(6);
    last_number bigint;
    last_hash bytea;
    link record;
    sealed uuid[];
    previous bytea[];
    hashes bytea[];
BEGIN
    FOR region IN
        SELECT DISTINCT t.region_code FROM unnest(NEW.transactions) AS due (id)
        JOIN ledger_transactions t ON t.id = due.id ORDER BY t.region_code
    LOOP
        PERFORM pg_advisory_xact_lock(hashtext('ledger_chain'), hashtext(region));
        SELECT c.number, c.hash INTO last_number, last_hash FROM ledger_chain c
            WHERE c.region_code = region ORDER BY c.number DESC LIMIT 1;
        last_number := coalesce(last_number, 0);
        sealed := ARRAY[]::uuid[];
        previous := ARRAY[]::bytea[];
        hashes := ARRAY[]::bytea[];
        last_hash := coalesce(last_hash, sha256(''));
        FOR link IN
            SELECT t.id, t.reverses,
                   bool_and(e.region_code = t.region_code) AND CASE WHEN min(e.fund) = max(e.fund)
                       THEN sum(e.amount_fen) = 0 ELSE ledger_is_balanced(t) END AS is_balanced,
                   t.reverses IS NULL OR ledger_reversal_fits(t) AS fits,
                   convert_to(jsonb_build_array(
                       last_number + row_number() OVER (ORDER BY due.place),
                       t.id, t.region_code, t.source_id, t.purpose, t.occurred_on,
                       (extract(epoch FROM t.posted_at) * 1000000)::bigint, t.reverses,
                       jsonb_agg(jsonb_build_array(
                           e.account_id, encode(a.digest, 'hex'), e.version, e.region_code, e.fund,
                           e.amount_fen, e.balance_after_fen) ORDER BY e.account_id))::text, 'UTF8')
                       AS content
            FROM unnest(NEW.transactions) WITH ORDINALITY AS due (id, place)
            JOIN ledger_transactions t ON t.id = due.id AND t.region_code = region
            LEFT JOIN ledger_entries e ON e.transaction_id = t.id
            LEFT JOIN ledger_accounts a ON a.id = e.account_id
            GROUP BY due.place, t.id ORDER BY due.place
        LOOP
            IF link.is_balanced IS NOT TRUE THEN
                RAISE EXCEPTION 'entries of transaction % do not sum to 0 in each fund of its region', link.id
                    USING ERRCODE = 'YL005';
            END IF;
            IF NOT link.fits THEN
                RAISE EXCEPTION 'transaction % does not fit what it reverses', link.id
                    USING ERRCODE = 'YL007';
            END IF;
            previous := previous || last_hash;
            last_hash := sha256(last_hash || link.content);
            hashes := hashes || last_hash;
            sealed := sealed || link.id;
        END LOOP;
        {_OPEN};
        INSERT INTO ledger_chain (region_code, number, transaction_id, previous_hash, hash)
        SELECT region, last_number + place, transaction_id, previous_hash, hash
        FROM unnest(sealed, previous, hashes) WITH ORDINALITY
            AS link (transaction_id, previous_hash, hash, place);
        {_SHUT};
    END LOOP;
    DELETE FROM ledger_unsealed WHERE id = NEW.id;
    RETURN NULL;
END $$
"""

# In place of the foreign key: the row-by-row path looks its transaction up as the bulk path does.
_OF_A_TRANSACTION = f"""
CREATE FUNCTION ledger_entry_of_a_transaction() RETURNS trigger
LANGUAGE plpgsql {SETTINGS} AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_transactions WHERE id = NEW.transaction_id) THEN
        RAISE EXCEPTION 'no transaction %', NEW.transaction_id USING ERRCODE = '23503';
    END IF;
    RETURN NEW;
END $$
"""

_SIGNATURE = "ledger_post(uuid[], text[], text[], text[], date[], uuid[], uuid[], uuid[], bigint[])"

STATEMENTS = (
    _POST,
    _SEAL,
    _OF_A_TRANSACTION,
    "CREATE CONSTRAINT TRIGGER ledger_unsealed_seal AFTER INSERT ON ledger_unsealed "
    "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_seal_batch()",
    "DROP TRIGGER ledger_entries_append ON ledger_entries",
    "CREATE TRIGGER ledger_entries_append BEFORE INSERT ON ledger_entries "
    f"FOR EACH ROW {_NOT_ASIDE} EXECUTE FUNCTION ledger_append_entry()",
    "CREATE TRIGGER ledger_entries_of_a_transaction BEFORE INSERT ON ledger_entries "
    f"FOR EACH ROW {_NOT_ASIDE} EXECUTE FUNCTION ledger_entry_of_a_transaction()",
    "DROP TRIGGER ledger_chain_seal ON ledger_chain",
    "CREATE TRIGGER ledger_chain_seal BEFORE INSERT ON ledger_chain "
    f"FOR EACH ROW {_NOT_ASIDE} EXECUTE FUNCTION ledger_seal()",
    "DROP TRIGGER ledger_transactions_seal ON ledger_transactions",
    "CREATE CONSTRAINT TRIGGER ledger_transactions_seal AFTER INSERT ON ledger_transactions "
    f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW {_NOT_ASIDE} EXECUTE FUNCTION ledger_seal_at_commit()",
    f"REVOKE ALL ON FUNCTION {_SIGNATURE} FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION {_SIGNATURE} TO yibao_app",
)
