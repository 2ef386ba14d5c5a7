"""个人权益记录 as it is laid out; columns and order are our own, the documents print no form for it."""

from __future__ import annotations

from libs.documents.sheets import Cell, CellKind, Grid, Sheet
from libs.identifiers.credentials import CREDENTIAL_NAMES
from libs.money.amounts import yuan_of
from libs.regions import names
from services.enrollment.domain.contributing import OWN, KnownMonth
from services.enrollment.domain.enrolling import Spell
from services.enrollment.domain.kinds import INSURANCE_NAMES, PERSON_KIND_NAMES
from services.enrollment.domain.papers.rights import TITLE, RightsRecord, YearAccount
from services.enrollment.domain.purposes import PURPOSE_NAMES, Purpose

_LINE_HEADS = (Cell("记账日期", "label"), Cell("摘要", "label", across=2), Cell("收支金额", "label"))
_NOTES = (
    "说明：",
    "1.金额单位为元，支出为负数；由外地转入的月份，缴费基数以转出地记录为准。",
    "2.对记录有异议的，请持本记录和有效身份证件到出具机构核对。",
)


def sheet_of(record: RightsRecord, credential_no: str) -> Sheet:
    """The record as a sheet; ``credential_no`` as its reader may see it."""
    return Sheet(
        title=TITLE,
        author=record.agency.name,
        subject=TITLE,
        left=f"记录年度：{record.year}年",
        right=f"{'截至日期' if record.is_running else '记录止于'}：{record.until:%Y年%m月%d日}",
        grids=(
            _person(record, credential_no),
            _spells(record),
            _months(record),
            *(_account(account) for account in record.accounts),
            _agency(record),
        ),
        notes=_NOTES,
    )


def _person(record: RightsRecord, credential_no: str) -> Grid:
    region = names.find(record.region_code)
    kind = CREDENTIAL_NAMES[record.person.credential.type]
    counted = "\n".join(f"{INSURANCE_NAMES[of]}{months}个月" for of, months in record.cumulative.items())
    rows = (
        (Cell("参保人员基本信息", "heading", across=4),),
        (*_pair("姓名", record.person.name), *_pair("证件类型及号码", f"{kind}\n{credential_no}")),
        (*_pair("参保地", region.full_name if region else ""), *_pair("累计缴费月数", counted or "0个月")),
    )
    return Grid((24, 44, 32, 50), rows)


def _spells(record: RightsRecord) -> Grid:
    heads = ("险种", "人员类别", "参保单位", "参保时间")
    rows = [_spell(spell) for spell in record.spells]
    return _table("参保情况", (40, 24, 46, 54), heads, rows, "本年度无参保记录")


def _spell(spell: Spell) -> tuple[Cell, ...]:
    until = spell.stopped_on or "今"
    left = "（已转出）" if spell.transferred_out_on else ""
    return _cells(
        "value",
        INSURANCE_NAMES[spell.insurance_kind],
        PERSON_KIND_NAMES[spell.person_kind],
        spell.employer_name or "—",
        f"{spell.started_on}至{until}{left}",
    )


def _months(record: RightsRecord) -> Grid:
    heads = ("缴费月份", "险种", "缴费基数", "划入个人账户", "来源")
    rows = [_month(known) for known in record.months]
    if rows:
        total = sum(known.account_fen for known in record.months)
        sums = (Cell(f"合计{len(rows)}个月", "label", across=3), Cell(yuan_of(total), "amount"), Cell(""))
        rows.append(sums)
    return _table("缴费明细", (22, 44, 28, 30, 40), heads, rows, "本年度无缴费记录")


def _month(known: KnownMonth) -> tuple[Cell, ...]:
    source = "本地缴费" if known.source == OWN else f"{names.name_of(known.origin_region_code)}转入"
    return (
        Cell(known.month),
        Cell(INSURANCE_NAMES[known.insurance_kind]),
        Cell("—" if known.base_fen is None else yuan_of(known.base_fen), "amount"),
        Cell(yuan_of(known.account_fen), "amount"),
        Cell(source + ("（已转出）" if known.has_left else "")),
    )


def _account(account: YearAccount) -> Grid:
    told = (account.opening_fen, account.credits_fen, account.debits_fen, account.closing_fen)
    heads = tuple(Cell(head, "label") for head in ("期初余额", "本期收入", "本期支出", "期末余额"))
    lines = [
        (
            Cell(movement.on.isoformat()),
            Cell(PURPOSE_NAMES[Purpose(movement.purpose)], across=2),
            Cell(yuan_of(movement.amount_fen), "amount"),
        )
        for movement in account.movements
    ]
    rows = (
        (Cell(f"个人账户（{INSURANCE_NAMES[account.insurance_kind]}）", "heading", across=4),),
        heads,
        tuple(Cell(yuan_of(amount), "amount") for amount in told),
        *([_LINE_HEADS, *lines] if lines else []),
    )
    return Grid((36, 36, 36, 36), rows, repeated=1, padding=4)


def _agency(record: RightsRecord) -> Grid:
    agency = record.agency
    rows = (
        (Cell("机构名称（盖章）", "label"), Cell(agency.name, across=3, sealed=True)),
        (*_pair("地址", agency.address), *_pair("联系电话", agency.telephone)),
    )
    return Grid((34, 56, 26, 34), rows)


def _table(
    title: str, columns: tuple[float, ...], heads: tuple[str, ...], rows: list[tuple[Cell, ...]], empty: str
) -> Grid:
    body = rows or [(Cell(empty, "label", across=len(columns)),)]
    heading = (Cell(title, "heading", across=len(columns)),)
    return Grid(columns, (heading, _cells("label", *heads), *body), repeated=2, padding=4)


def _cells(kind: CellKind, *texts: str) -> tuple[Cell, ...]:
    return tuple(Cell(text, kind) for text in texts)


def _pair(label: str, value: str) -> tuple[Cell, Cell]:
    return Cell(label, "label"), Cell(value)
