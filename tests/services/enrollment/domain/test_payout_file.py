from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io

from hypothesis import given
from hypothesis import strategies as st

from services.enrollment.domain.payout_file import FileLine, payout_file
from services.enrollment.domain.withdrawals import Payee

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)
LINES = st.lists(
    st.builds(
        FileLine,
        end_to_end_id=TEXT,
        payee=st.builds(
            Payee,
            kind=st.just("bank_account"),
            account_no=st.from_regex(r"[0-9]{8,32}", fullmatch=True),
            bank_name=TEXT,
            holder_name=TEXT,
        ),
        amount_fen=st.integers(1, 10**11),
    ),
    max_size=5,
)


@given(LINES)
def test_what_is_written_is_read_again_whatever_stands_in_the_names(lines: list[FileLine]) -> None:
    file = payout_file("420100-2026-0001", "420100", dt.date(2026, 3, 10), lines)
    head, *details, tail = list(csv.reader(io.StringIO(file.content.decode(), newline="")))
    assert [row[2:6] for row in details] == [
        [line.end_to_end_id, line.payee.account_no, line.payee.holder_name, line.payee.bank_name]
        for line in lines
    ]
    cents = [int(row[6].replace(".", "")) for row in details]
    assert cents == [line.amount_fen for line in lines]
    assert head[5:] == tail[1:3] == [str(len(lines)), f"{sum(cents) // 100}.{sum(cents) % 100:02d}"]
    signed, _, _ = file.content.rpartition(b"T,")
    assert tail[3] == file.digest == hashlib.sha256(signed).hexdigest()
