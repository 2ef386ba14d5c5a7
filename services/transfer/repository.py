"""Reading and writing moves, standings and bank receipts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case
from libs.casebook.tables import cases
from libs.refusals.faults import conflict, not_found
from services.transfer.domain import eligibility
from services.transfer.domain.stages import Side
from services.transfer.models import BankReceipt, Move, Standing


async def add_move(session: AsyncSession, move: Move) -> None:
    """Store a new move. Raises Refusal (conflict) if the person already has an open one here."""
    try:
        async with session.begin_nested():
            session.add(move)
    except IntegrityError as error:
        if "ux_moves_one_open" not in str(error.orig):
            raise
        raise conflict(
            "move_already_open", "该人员在本地区已有一件同险种的转移接续正在办理，不能重复申请。"
        ) from error


async def move_of(session: AsyncSession, case: Case) -> Move:
    """The move of a case the caller has locked."""
    query = select(Move).where(Move.case_id == case.id).execution_options(populate_existing=True)
    return (await session.execute(query)).scalar_one()


async def move_by_case_no(session: AsyncSession, case_no: str) -> Move:
    """The move of the case with this number, not locked. Raises Refusal (not found)."""
    query = select(Move).join(cases, cases.c.id == Move.case_id).where(cases.c.case_no == case_no)
    return _found((await session.execute(query)).scalar_one_or_none(), f"没有编号为{case_no}的转移接续办件。")


async def move_by_case_id(session: AsyncSession, case_id: UUID) -> Move:
    """The move of the case with this key, not locked. Raises Refusal (not found)."""
    query = select(Move).where(Move.case_id == case_id)
    return _found((await session.execute(query)).scalar_one_or_none(), "没有此转移接续办件。")


async def move_in(session: AsyncSession, region_code: str, conversation: str) -> Move:
    """This region's side of a conversation, not locked. Raises Refusal (not found)."""
    query = select(Move).where(Move.region_code == region_code, Move.conversation == conversation)
    return _found((await session.execute(query)).scalar_one_or_none(), f"{region_code}没有此转移接续会话。")


def _found(move: Move | None, otherwise: str) -> Move:
    if move is None:
        raise not_found("no_move", otherwise)
    return move


async def overdue_case_ids(session: AsyncSession, stages: Sequence[str], today: dt.date) -> Sequence[UUID]:
    """Cases at one of ``stages`` whose limit ended before ``today``, longest overdue first."""
    query = (
        select(Move.case_id)
        .join(cases, cases.c.id == Move.case_id)
        .where(Move.is_open, Move.stage_due_on < today, cases.c.stage.in_(stages))
        .order_by(Move.stage_due_on)
    )
    return (await session.execute(query)).scalars().all()


async def standings_of(
    session: AsyncSession, region_code: str, person_key: str
) -> list[eligibility.Standing]:
    """Everything known of a person's enrolments in a region; a stop that came first counts as stopped."""
    query = select(Standing).where(Standing.region_code == region_code, Standing.person_key == person_key)
    return [
        eligibility.Standing(
            row.insurance_kind,
            row.person_kind,
            active=row.stopped_on is None,
            started_on=row.started_on or dt.date.min,
            stopped_on=row.stopped_on,
        )
        for row in (await session.execute(query)).scalars()
    ]


async def put_standing(session: AsyncSession, values: dict[str, object]) -> None:
    """Merge what a fact says into the projection; facts may come in any order, any number of times."""
    statement = insert(Standing).values(**values)
    known = {name: statement.excluded[name] for name in values if name != "enrolment_id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["enrolment_id"], set_=known))


async def put_receipt(session: AsyncSession, receipt: BankReceipt) -> BankReceipt:
    """Store a line of the bank's statement once. Raises Refusal (conflict) if it differs now."""
    columns = [column.name for column in BankReceipt.__table__.columns if column.name != "matched_case_id"]
    values = {name: getattr(receipt, name) for name in columns}
    await session.execute(insert(BankReceipt).values(**values).on_conflict_do_nothing())
    stored = (
        await session.execute(
            select(BankReceipt)
            .where(
                BankReceipt.region_code == receipt.region_code,
                BankReceipt.bank_reference == receipt.bank_reference,
            )
            .with_for_update()
        )
    ).scalar_one()
    if (stored.amount_fen, stored.received_on) != (receipt.amount_fen, receipt.received_on):
        raise conflict(
            "receipt_differs", f"银行流水{receipt.bank_reference}已经录入过，金额或日期与这次不同，请核对。"
        )
    return stored


async def unmatched_receipts(session: AsyncSession, region_code: str) -> Sequence[BankReceipt]:
    """Money that arrived and belongs to nobody yet, locked, oldest first."""
    query = (
        select(BankReceipt)
        .where(BankReceipt.region_code == region_code, BankReceipt.matched_case_id.is_(None))
        .order_by(BankReceipt.received_on, BankReceipt.bank_reference)
        .with_for_update()
    )
    return (await session.execute(query)).scalars().all()


async def moves_awaiting_money(session: AsyncSession, receipt: BankReceipt) -> Sequence[Move]:
    """Open moves of the region that the bank's line names, by the payer's reference or the sheet number."""
    query = select(Move).where(
        Move.region_code == receipt.region_code,
        Move.side == Side.IN.value,
        Move.is_open,
        Move.received_fen.is_(None),
        or_(
            Move.notified_bank_reference == receipt.bank_reference,
            func.strpos(receipt.remark, Move.sheet_number) > 0,
        ),
    )
    return (await session.execute(query)).scalars().all()


async def mark_matched(session: AsyncSession, receipt: BankReceipt, case: Case) -> None:
    """The money of this receipt belongs to this case."""
    await session.execute(
        update(BankReceipt)
        .where(
            BankReceipt.region_code == receipt.region_code,
            BankReceipt.bank_reference == receipt.bank_reference,
        )
        .values(matched_case_id=case.id)
    )
