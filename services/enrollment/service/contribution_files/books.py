"""The accounts a chunk of payments moves, and how each payment is booked (README.md, 缴费)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from libs.ledger.accounts import AccountKind, open_account
from libs.ledger.bulk import open_accounts

_OF_THE_FUND = (AccountKind.BANK_MIRROR, AccountKind.POOLED, AccountKind.UNATTRIBUTED)


@dataclass(frozen=True)
class Books:
    """Accounts by fund and kind, and personal accounts by fund and person."""

    own: Mapping[tuple[str, AccountKind], UUID]
    personal: Mapping[tuple[str, str], UUID]

    def received(self, fund: str, total_fen: int) -> list[tuple[UUID, int]]:
        """Money that came in and cannot be attributed yet; a red entry's went out again."""
        bank, waiting = self.own[fund, AccountKind.BANK_MIRROR], self.own[fund, AccountKind.UNATTRIBUTED]
        return [(bank, -total_fen), (waiting, total_fen)]

    def paid(
        self, fund: str, total_fen: int, credit_fen: int, person_id: UUID, *, source: AccountKind
    ) -> list[tuple[UUID, int]]:
        """The credit to the person, all else (the employer's part, the late fee) to the pooled fund."""
        amounts = [
            (self.own[fund, source], -total_fen),
            (self.own[fund, AccountKind.POOLED], total_fen - credit_fen),
        ]
        if credit_fen:
            amounts.append((self.personal[fund, str(person_id)], credit_fen))
        return amounts


async def open_books(
    session: AsyncSession, region_code: str, funds: Iterable[str], credited: Iterable[tuple[str, UUID]]
) -> Books:
    """Accounts of these funds, and personal accounts of those who are credited (fund and person)."""
    own = {
        (fund, kind): await open_account(session, region_code=region_code, fund=fund, kind=kind)
        for fund in sorted(set(funds))
        for kind in _OF_THE_FUND
    }
    people: dict[str, list[str]] = {}
    for fund, person_id in credited:
        people.setdefault(fund, []).append(str(person_id))
    personal = {
        (fund, owner): account
        for fund, owners in sorted(people.items())
        for owner, account in (
            await open_accounts(
                session,
                region_code=region_code,
                fund=fund,
                kind=AccountKind.PERSONAL_ACCOUNT,
                owners=owners,
            )
        ).items()
    }
    return Books(own, personal)
