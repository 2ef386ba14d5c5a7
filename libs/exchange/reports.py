"""``yibao exchange verify FILE``: the verification of an exported case as a page in Chinese."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from libs.exchange.envelope import KIND_NAMES, Kind, Receipt
from libs.exchange.exports import Export, ExportedMessage
from libs.exchange.seals import KeyDirectory
from libs.exchange.transitions import STATE_NAMES
from libs.exchange.verification import verify_export

_STATE_NAMES = {
    "queued": "待送达",
    "receipted": "已有回执",
    "refused": "被拒收",
    "undeliverable": "无法送达",
    "parked": "已存、待前号",
    "delivered": "已递交",
}


def verify_file(path: Path, keys: Path | None = None, console: Console | None = None) -> int:
    """Check an exported case and print the report. 0: it holds; 1: faults; 2: the file cannot be read.

    ``keys``: a JSON list of trusted public keys (``KeyDirectory.to_data``). Without it the keys in the export
    itself are used, which shows only that the file agrees with itself; the report says so.
    """
    page = console or Console()
    try:
        data = json.loads(path.read_text("utf-8"))
        export = Export.model_validate(data)
        directory = KeyDirectory.from_data(json.loads(keys.read_text("utf-8")) if keys else data["keys"])
    except (OSError, ValueError) as error:
        reason = f"{error.error_count()}处不合格式" if isinstance(error, ValidationError) else str(error)
        page.print(f"无法读取：{reason}", style="red", markup=False)
        return 2
    _print_case(page, export)
    if keys is None:
        page.print("公钥取自文件本身：只能说明文件前后一致，不能证明签章人身份。请用另行取得的公钥复核。")
    faults = verify_export(data, directory)
    for number, fault in enumerate(faults, 1):
        page.print(f"{number}. {fault.message}", style="red", markup=False)
    page.print(
        f"核验未通过：{len(faults)}处问题" if faults else "核验通过：消息、回执、签章、次序、决定、资金一致"
    )
    return 1 if faults else 0


def _print_case(page: Console, export: Export) -> None:
    page.print(f"会话 {export.conversation}：{export.region_code} 与 {export.peer_region}", markup=False)
    page.print(f"状态：{STATE_NAMES[export.standing.state]}；日志 {len(export.journal)} 条")
    table = Table("时间", "方向", "序号", "消息", "送达", "应答时间")
    both = [*export.sent, *export.received]
    for one in sorted(both, key=lambda one: one.message.created_at):
        table.add_row(*_row(one))
    page.print(table)


def _row(one: ExportedMessage) -> tuple[str, ...]:
    message, answer = one.message, one.answer
    kind = KIND_NAMES[Kind(message.kind)] if message.kind in KIND_NAMES else message.kind
    answered = ""
    if answer is not None:
        answered = f"{answer.at:%Y-%m-%d %H:%M}" + ("" if isinstance(answer, Receipt) else "（拒收）")
    return (
        f"{message.created_at:%Y-%m-%d %H:%M}",
        f"{message.from_region} → {message.to_region}",
        str(message.sequence),
        kind,
        _STATE_NAMES[one.state],
        answered,
    )
