"""The catalogue in a terminal: rich tables in Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from libs.catalogue.editions import load_edition
from libs.catalogue.presentation.views import ItemSummary, ItemView, ServiceItems
from libs.catalogue.review import ReviewedFact
from libs.catalogue.schema import Note, ServiceItem, TimeLimit
from libs.catalogue.vocabulary import vocabulary


def list_table(listed: ServiceItems) -> Table:
    """All items of a region: number, name, code, time limits, document."""
    table = _table(
        f"{listed.region_name}（{listed.region_code}）{listed.on}有效的服务事项，共{len(listed.items)}项",
        ["序号", "事项", "编码", "时限", "依据"],
    )
    for item in listed.items:
        table.add_row(*map(escape, _summary_cells(item)))
    return table


def item_tables(view: ItemView) -> Iterator[Table]:
    """One item: its head, then a table for each kind of fact it states; then its guide chapters."""
    yield _head(view)
    yield from _chapter_tables(view)
    if view.differences:
        table = _table("同一文件内的两种读法", ["内容", "读法", "原文", "出处"])
        for difference in view.differences:
            for name, reading in difference.readings.items():
                mark = "（有效）" if name == difference.in_force else ""
                label = vocabulary().names["reading"][name] + mark
                table.add_row(*map(escape, [difference.field, label, reading.text, reading.at]))
        yield table
    for guide in view.guides:
        yield from _chapter_tables(guide, f"办事指南 {guide.number} {guide.name.text}：")


def review_table(facts: Iterable[ReviewedFact]) -> Table:
    """Each fact beside the lines it was read from; lines already shown are only named."""
    table = _table("数据与原文对照", ["字段", "引文", "编码", "原文"])
    table.show_lines = True
    shown: set[str] = set()
    for fact in facts:
        lines = "\n".join(f"L{number} {line}" for number, line in fact.lines)
        source = f"{fact.at}（见上）" if fact.at in shown else lines
        shown.add(fact.at)
        table.add_row(*map(escape, [fact.path, fact.text, fact.coded, source]))
    return table


def repairs_and_oddities(edition_id: str) -> Iterator[Table]:
    """What was put right in an edition, what was left as it stands, and what it does away with."""
    files = load_edition(edition_id)
    repairs = _table(
        f"{files.edition.title}：修复{len(files.edition.repairs)}处", ["行", "原文", "改为", "理由"]
    )
    for repair in files.edition.repairs:
        repairs.add_row(*map(escape, [repair.at, repair.original, repair.repaired, repair.reason]))
    yield repairs
    oddities = _table("疑点和编者说明", ["事项", "行", "说明"])
    noted: list[tuple[str, Sequence[Note]]] = [("全文", files.edition.notes)]
    noted += [(item.number, item.notes) for item in files.items]
    noted += [(f"表{form.number}", form.notes) for form in files.forms]
    for owner, notes in noted:
        for note in notes:
            oddities.add_row(*map(escape, [owner, note.at or "", note.text]))
    yield oddities


def _head(view: ItemView) -> Table:
    table = _table(view.name.text, ["", ""], header=False)
    names = vocabulary().names
    edition = view.edition
    rows = {
        "编码": view.national_code or "无国家编码",
        "键": view.key,
        "主项": view.main_item.text if view.main_item else "",
        "服务对象": "、".join(names["audience"][kind] for kind in view.audience),
        "办件类型": names["case_kind"][view.case_kind] if view.case_kind else "",
        "受理层级": "、".join(vocabulary().when["level"][level] for level in view.levels),
        "业务风险": names["risk_level"][view.risk_level] if view.risk_level else "",
        "依据": f"《{edition.title}》{edition.document_number or ''}，{edition.effective_on}起",
        "原文": f"{edition.source} {view.name.at}",
    }
    for label, value in rows.items():
        if value:
            table.add_row(label, escape(value))
    return table


def _chapter_tables(item: ServiceItem, prefix: str = "") -> Iterator[Table]:
    words = vocabulary()
    sections: list[tuple[str, list[str], list[list[str]]]] = [
        ("申请条件", ["条件", "出处"], [[c.text, c.at] for c in item.conditions]),
        (
            "办理材料",
            ["材料", "何时需要", "键", "出处"],
            [
                [m.text, m.when_text or words.condition_in_chinese(m.when) or "均需", m.key, m.at]
                for m in item.materials
            ],
        ),
        (
            "办理时限",
            ["环节", "适用情形", "时限", "出处"],
            [
                [words.stages[t.stage], words.condition_in_chinese(t.when), limit_in_chinese(t), t.at]
                for t in item.time_limits
            ],
        ),
        (
            "办理渠道",
            ["渠道", "说明", "出处"],
            [[words.when["channel"][c.kind], c.text, c.at] for c in item.channels],
        ),
        ("办理环节", ["环节", "说明", "出处"], [[s.name, s.text, s.at] for s in item.steps]),
        ("必填信息", ["信息", "键", "出处"], [[f.text, f.key, f.at] for f in item.required_fields]),
        ("设定依据", ["依据", "出处"], [[b.text, b.at] for b in item.legal_basis]),
        ("备注", ["备注", "出处"], [[r.text, r.at] for r in item.remarks]),
        (
            "参数",
            ["参数", "值", "原文", "出处"],
            [[p.key, str(p.value), p.text, p.at] for p in item.parameters],
        ),
    ]
    for title, columns, rows in sections:
        if rows:
            table = _table(prefix + title, columns)
            for row in rows:
                table.add_row(*map(escape, row))
            yield table


def limit_in_chinese(limit: TimeLimit) -> str:
    """``9个工作日``, ``即时办结``."""
    unit = vocabulary().names["unit"][limit.unit]
    return f"{limit.amount}{unit}" if limit.amount else unit


def _summary_cells(item: ItemSummary) -> list[str]:
    totals = [limit for limit in item.time_limits if limit.stage == "total"]
    limits = (
        " ".join(filter(None, [vocabulary().condition_in_chinese(t.when), limit_in_chinese(t)]))
        for t in totals
    )
    return [
        item.number,
        item.name.text,
        item.national_code or item.key,
        "\n".join(limits),
        f"{item.edition.id} {item.name.at}",
    ]


def _table(title: str, columns: list[str], *, header: bool = True) -> Table:
    table = Table(title=escape(title), title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    table.show_header = header
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
