"""Reading and writing moves, standings and bank receipts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from libs.casebook.cases import Case
from libs.casebook.tables import cases
from libs.refusals.faults import Fault, conflict, not_found
from services.transfer.domain import eligibility
from services.transfer.domain.stages import Side
from services.transfer.models import BankReceipt, MergedPerson, Move, PersonKey, Standing


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


async def open_move(
    session: AsyncSession, region_code: str, person_key: str, insurance_kind: str
) -> Move | None:
    """The person's open move of this kind here, not locked."""
    query = select(Move).where(
        Move.region_code == region_code,
        Move.person_key == person_key,
        Move.insurance_kind == insurance_kind,
        Move.is_open,
        ~Move.revived,
    )
    return (await session.execute(query)).scalar_one_or_none()


async def overdue_moves(session: AsyncSession, stages: Sequence[str], today: dt.date) -> Sequence[Move]:
    """Moves at one of ``stages`` whose limit ended before ``today``, longest overdue first, not locked."""
    query = (
        select(Move)
        .join(cases, cases.c.id == Move.case_id)
        .where(Move.is_open, Move.stage_due_on < today, cases.c.stage.in_(stages))
        .order_by(Move.stage_due_on)
    )
    return (await session.execute(query)).scalars().all()


async def case_ids_with_provisional_stage(session: AsyncSession, settled_until: dt.date) -> Sequence[UUID]:
    """Open cases whose stage is due on a day that was provisional and is settled now."""
    query = select(Move.case_id).where(
        Move.is_open, Move.stage_due_provisional, Move.stage_due_on <= settled_until
    )
    return (await session.execute(query)).scalars().all()


async def require_new_payment(session: AsyncSession, move: Move, bank_reference: str) -> None:
    """Raises Refusal (conflict) if this payment of the bank was entered for another move."""
    query = (
        select(cases.c.case_no)
        .join(Move, cases.c.id == Move.case_id)
        .where(Move.region_code == move.region_code, Move.paid_bank_reference == bank_reference)
    )
    other = (await session.execute(query)).scalar_one_or_none()
    if other is not None:
        message = f"银行流水号{bank_reference}已用于办件{other}，请核对是否录错。"
        raise conflict("bank_reference", message, [Fault("bank_reference", message, "/bank_reference")])


async def standings_of(
    session: AsyncSession, region_code: str, person_key: str
) -> list[eligibility.Standing]:
    """Everything known of a person's enrolments in a region; a stop that came first counts as stopped.

    ``person_key`` may be one the person bore before, or that of a record merged into theirs.
    """
    query = select(Standing).from_statement(
        _STANDINGS.bindparams(region_code=region_code, person_key=person_key)
    )
    return [
        eligibility.Standing(
            row.insurance_kind,
            row.person_kind,
            active=_is_active(row),
            started_on=row.started_on or dt.date.min,
            stopped_on=row.stopped_on,
        )
        for row in (await session.execute(query)).scalars()
    ]


def _is_active(standing: Standing) -> bool:
    """Never stopped, or started again later under the same enrolment."""
    if standing.stopped_on is None:
        return True
    return standing.started_on is not None and standing.started_on > standing.stopped_on


# Whoever bears the key now, else whoever bore it (a number once recorded wrongly is its true bearer's);
# with every record that is of the same person. Facts of old names no record: they count by their key.
_STANDINGS = text("""
    WITH RECURSIVE bearers AS (
        SELECT k.person_id, NOT EXISTS (SELECT 1 FROM person_keys later
            WHERE later.person_id = k.person_id AND later.version > k.version) AS is_present
        FROM person_keys k WHERE k.region_code = :region_code AND k.person_key = :person_key
    ), upwards AS (
        SELECT person_id FROM bearers
        WHERE is_present OR NOT EXISTS (SELECT 1 FROM bearers WHERE is_present)
        UNION SELECT m.kept_id FROM upwards u JOIN merged_persons m ON m.merged_id = u.person_id
    ), same_person AS (
        SELECT person_id FROM upwards
        UNION SELECT m.merged_id FROM same_person p JOIN merged_persons m ON m.kept_id = p.person_id
    )
    SELECT s.* FROM standings s WHERE s.region_code = :region_code AND (
        s.person_id IN (SELECT person_id FROM same_person)
        OR s.person_id IS NULL AND s.person_key = :person_key)
""")


async def put_key(
    session: AsyncSession, person_id: str, region_code: str, person_key: str, version: int
) -> None:
    """The record bore this key in this version; told in any order, any number of times."""
    statement = insert(PersonKey).values(
        person_id=person_id, person_key=person_key, region_code=region_code, version=version
    )
    latest = func.greatest(PersonKey.version, statement.excluded.version)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["person_id", "person_key"], set_={"version": latest})
    )


async def put_merge(session: AsyncSession, merged_id: str, kept_id: str, region_code: str) -> None:
    """The two records are of one person."""
    merged = insert(MergedPerson).values(merged_id=merged_id, kept_id=kept_id, region_code=region_code)
    await session.execute(merged.on_conflict_do_nothing())


async def put_standing(session: AsyncSession, values: dict[str, object]) -> None:
    """Merge what a fact says into the projection; facts may come in any order, any number of times."""
    statement = insert(Standing).values(**values)
    known = {name: statement.excluded[name] for name in values if name != "enrolment_id"}
    await session.execute(statement.on_conflict_do_update(index_elements=["enrolment_id"], set_=known))


async def put_receipt(session: AsyncSession, receipt: BankReceipt) -> BankReceipt:
    """Store a line of the bank's statement once. Raises Refusal (conflict) if it differs now.

    The line is not locked yet: the case comes first (service/receipts.py).
    """
    columns = [column.name for column in BankReceipt.__table__.columns if column.name != "matched_case_id"]
    values = {name: getattr(receipt, name) for name in columns}
    await session.execute(insert(BankReceipt).values(**values).on_conflict_do_nothing())
    stored = (
        await session.execute(
            select(BankReceipt).where(
                BankReceipt.region_code == receipt.region_code,
                BankReceipt.bank_reference == receipt.bank_reference,
            )
        )
    ).scalar_one()
    if any(getattr(stored, name) != getattr(receipt, name) for name in _STATED_BY_THE_BANK):
        raise conflict(
            "receipt_differs", f"银行流水{receipt.bank_reference}已录入过，内容与这次不同，请核对。"
        )
    return stored


_STATED_BY_THE_BANK = ("amount_fen", "payer_name", "remark", "received_on")


async def unmatched_receipts(session: AsyncSession, region_code: str) -> Sequence[BankReceipt]:
    """Money that arrived and belongs to nobody yet, oldest first."""
    query = (
        select(BankReceipt)
        .where(BankReceipt.region_code == region_code, BankReceipt.matched_case_id.is_(None))
        .order_by(BankReceipt.received_on, BankReceipt.bank_reference)
    )
    return (await session.execute(query)).scalars().all()


async def receipt_for(session: AsyncSession, move: Move) -> BankReceipt | None:
    """The bank line that this move waits for, locked: named by notice or sheet, of exactly the amount."""
    query = (
        select(BankReceipt)
        .where(
            BankReceipt.region_code == move.region_code,
            BankReceipt.matched_case_id.is_(None),
            BankReceipt.amount_fen == move.amount_fen,
            or_(
                BankReceipt.bank_reference == move.notified_bank_reference,
                func.strpos(BankReceipt.remark, move.sheet_number) > 0,
            ),
        )
        .order_by(BankReceipt.received_on, BankReceipt.bank_reference)
        .limit(1)
        .with_for_update()
    )
    return (await session.execute(query)).scalar_one_or_none()


# What ties a bank line to a move: the payer's reference in the notice, or the sheet's number in the remark.
_NAMES_MOVE = and_(
    BankReceipt.region_code == Move.region_code,
    Move.side == Side.IN.value,
    Move.is_open,
    Move.received_fen.is_(None),
    or_(
        Move.notified_bank_reference == BankReceipt.bank_reference,
        func.strpos(BankReceipt.remark, Move.sheet_number) > 0,
    ),
)


async def moves_named_by(session: AsyncSession, receipt: BankReceipt) -> Sequence[Move]:
    """Open moves of the region that a stored bank line speaks of, not locked."""
    query = (
        select(Move)
        .join(BankReceipt, _NAMES_MOVE)
        .where(
            BankReceipt.region_code == receipt.region_code,
            BankReceipt.bank_reference == receipt.bank_reference,
        )
    )
    return (await session.execute(query)).scalars().all()


async def case_ids_with_waiting_money(session: AsyncSession) -> Sequence[UUID]:
    """Cases for which unmatched money of exactly their amount has arrived."""
    query = (
        select(Move.case_id)
        .join(BankReceipt, _NAMES_MOVE)
        .where(BankReceipt.matched_case_id.is_(None), BankReceipt.amount_fen == Move.amount_fen)
        .distinct()
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
