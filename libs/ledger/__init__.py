"""Double entry on PostgreSQL: accounts, transactions, entries, holds, and a hash chain.

Amounts are integer fen. **Sign convention**: what the fund owes or keeps for somebody
(personal accounts, pooled funds, withheld deposits, money in transit) is positive; the bank
mirror is its negative counterpart. So all accounts of a (region, fund) always sum to 0:

=========================================  ====================  =========================
event                                      from (−X)             to (+X)
=========================================  ====================  =========================
contribution credited                      bank_mirror           personal_account
contribution nobody can be found for       bank_mirror           unattributed
it is attributed                           unattributed          personal_account, pooled
transfer out approved                      personal_account      in_transit_out
the bank has paid the other city           remittance_clearing   bank_mirror
the other city reports completion          in_transit_out        remittance_clearing
money of another city arrives              bank_mirror           in_transit_in
it is matched and credited                 in_transit_in         personal_account
=========================================  ====================  =========================

What must hold is enforced by PostgreSQL (``libs/ledger/rules``), not by this library; the
library makes the right thing short. Nothing here commits. See README.md.
"""
