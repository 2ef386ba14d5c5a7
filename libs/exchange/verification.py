"""Checks an exported case offline: messages, receipts, seals, order, transitions, decisions, money.

It trusts nothing but the key directory: digests are computed again, the conversation is played again from the
journal, and the amounts are compared on their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from libs.exchange import journal
from libs.exchange.bodies import money_of, read_body
from libs.exchange.conversation import apply
from libs.exchange.envelope import KIND_NAMES, Kind, Receipt, Refusal
from libs.exchange.exports import Export, ExportedMessage
from libs.exchange.faults import Code, ExchangeFault, Fault, faults_of
from libs.exchange.inspection import answer_faults, authenticity_faults
from libs.exchange.journal import Entry, Event
from libs.exchange.seals import KeyDirectory, Verifier
from libs.exchange.standing import Conversation
from libs.exchange.transitions import STATE_NAMES, State


def verify_export(data: dict[str, Any], directory: KeyDirectory) -> list[Fault]:
    """Everything that is wrong with an exported case; empty if it holds."""
    try:
        export = Export.model_validate(data)
    except ValidationError as error:
        return faults_of(error, Export)
    verifier = Verifier(directory)
    return [
        *_message_faults(export, verifier),
        *_sequence_faults(export),
        *_journal_faults(export),
        *_transition_faults(export),
        *_money_faults(export),
        *_decision_faults(export),
    ]


def _message_faults(export: Export, verifier: Verifier) -> Iterator[Fault]:
    """Digests, seals, parties, and the answers to them."""
    for exported, sender in _directed(export):
        message, answer = exported.message, exported.answer
        regions = {message.from_region, message.to_region}
        if message.from_region != sender or regions != {export.region_code, export.peer_region}:
            yield _fault(exported, Code.CONVERSATION_FOREIGN, "不是本会话双方之间的消息")
        if message.conversation != export.conversation:
            yield _fault(exported, Code.CONVERSATION_FOREIGN, f"属于另一会话{message.conversation}")
        checked_at = answer.at if answer else message.created_at
        for fault in authenticity_faults(message, verifier, checked_at):
            yield _fault(exported, fault.code, fault.message)
        if answer is not None:
            for fault in answer_faults(message, answer, verifier, answer.at):
                yield _fault(exported, Code.RECEIPT_INVALID, f"应答：{fault.message}")
        yield from _answer_state_faults(exported)


def _answer_state_faults(exported: ExportedMessage) -> Iterator[Fault]:
    wanted = {
        "receipted": lambda a: isinstance(a, Receipt) and a.stored == "delivered",
        "delivered": lambda a: isinstance(a, Receipt) and a.stored == "delivered",
        "parked": lambda a: isinstance(a, Receipt) and a.stored == "parked",
        "refused": lambda a: isinstance(a, Refusal) and a.final,
    }.get(exported.state)
    if wanted is not None and not wanted(exported.answer):
        yield _fault(exported, Code.RECEIPT_MISSING, f"状态为 {exported.state}，却没有相应的回执或拒收")


def _sequence_faults(export: Export) -> Iterator[Fault]:
    for name, exported in (("发出", export.sent), ("收到", export.received)):
        numbers = [one.message.sequence for one in exported]
        settled = [one.message.sequence for one in exported if one.state != "parked"]
        missing = sorted(set(range(1, max(settled, default=0) + 1)) - set(numbers))
        if missing and not any(one.state == "parked" for one in exported):
            said = f"{name}的消息缺第{'、'.join(map(str, missing))}号"
            yield Fault(code=Code.SEQUENCE_BROKEN, field=name, message=said)
        if len(set(numbers)) < len(numbers):
            yield Fault(code=Code.SEQUENCE_BROKEN, field=name, message=f"{name}的消息有重复的序号")


def _journal_faults(export: Export) -> Iterator[Fault]:
    """The chain, and that journal and messages tell the same."""
    yield from journal.verify_case_chain(export.journal)
    exported = {one.message.id: one for one, _ in _directed(export)}
    mentioned = set()
    for entry in export.journal:
        if (entry.region_code, entry.conversation) != (export.region_code, export.conversation):
            yield _entry_fault(entry, Code.CHAIN_BROKEN, "不属于本地区的本会话")
        if "header" in entry.content and entry.message_id is not None:
            mentioned.add(entry.message_id)
            yield from _header_faults(entry, exported.get(entry.message_id))
    for message_id in exported.keys() - mentioned:
        yield _fault(exported[message_id], Code.CHAIN_BROKEN, "日志里没有记载")
    answers = [one.answer.wire() for one in exported.values() if one.answer is not None]
    journaled = [entry.content.get("receipt") or entry.content.get("refusal") for entry in export.journal]
    for answer in answers:
        if answer not in journaled:
            said = f"消息{answer['message_id']}的应答没有记入日志"
            yield Fault(code=Code.RECEIPT_MISSING, field=answer["message_id"], message=said)


def _header_faults(entry: Entry, exported: ExportedMessage | None) -> Iterator[Fault]:
    if exported is None:
        yield _entry_fault(entry, Code.SEQUENCE_BROKEN, f"所记消息{entry.message_id}不在文件里")
    elif entry.content["header"] != exported.message.header():
        yield _entry_fault(entry, Code.DIGEST_MISMATCH, "所记消息与文件里的不同")
    elif entry.event is not Event.REFUSED and entry.content.get("money") != _money(exported):
        yield _entry_fault(entry, Code.AMOUNT_MISMATCH, "所记金额与消息正文不同")


def _money(exported: ExportedMessage) -> dict[str, Any] | None:
    message = exported.message
    try:
        return money_of(read_body(message.kind, message.kind_version, message.body))
    except ExchangeFault:
        return None


def _transition_faults(export: Export) -> Iterator[Fault]:
    """Play the conversation again, in the order this side saw it."""
    exported = {one.message.id: one for one, _ in _directed(export)}
    standing = Conversation()
    for message_id in journal.applied(export.journal):
        one = exported.get(message_id)
        if one is None or one.state == "refused":
            continue
        message = one.message
        try:
            body = read_body(message.kind, message.kind_version, message.body)
            standing = apply(standing, message, body, sending=message.from_region == export.region_code)
        except ExchangeFault as error:
            if one.state not in ("queued", "undeliverable"):  # it may build on something since refused
                yield from (_fault(one, fault.code, fault.message) for fault in error.faults)
    if standing != export.standing:
        said = (
            f"按消息推演应为“{STATE_NAMES[standing.state]}”，文件记为“{STATE_NAMES[export.standing.state]}”"
        )
        yield Fault(code=Code.TRANSITION_FORBIDDEN, field="standing", message=f"会话状态：{said}")


def _money_faults(export: Export) -> Iterator[Fault]:
    """信息表 = 划转通知 = 办结反馈, and the ledger facts agree with them."""
    amounts: dict[str, int] = {}
    for one in sorted((one for one, _ in _directed(export)), key=lambda one: one.message.created_at):
        if one.state in ("receipted", "delivered", "queued", "undeliverable"):
            amounts |= _money(one) or {}
    sheet, funds = amounts.get("sheet"), amounts.get("funds")
    if funds is not None and sheet != funds:
        yield _amount_fault("funds", f"信息表载明{sheet}分，划转{funds}分")
    if "credited" in amounts and amounts["credited"] != (funds or 0):
        yield _amount_fault("credited", f"划转{funds or 0}分，计入个人账户{amounts['credited']}分")
    if export.standing.state is State.COMPLETED and (sheet or 0) != amounts.get("credited"):
        yield _amount_fault("sheet", f"信息表载明{sheet}分，办结时计入{amounts.get('credited')}分")
    counterpart = {"paid_out": funds, "received": funds, "credited": amounts.get("credited")}
    for entry in export.journal:
        if entry.event is Event.MONEY:
            fact, amount_fen = entry.content.get("fact"), entry.content.get("amount_fen")
            if fact not in counterpart or amount_fen != counterpart[fact]:
                said = f"账务记载 {fact} {amount_fen}分，与往来消息不符"
                yield _entry_fault(entry, Code.AMOUNT_MISMATCH, said)


def _decision_faults(export: Export) -> Iterator[Fault]:
    for entry in export.journal:
        if entry.event is Event.DECISION:
            empty = [name for name in ("decision", "decided_by", "reason") if not entry.content.get(name)]
            if empty:
                yield _entry_fault(entry, Code.DECISION_INVALID, f"决定缺少{'、'.join(empty)}")


def _directed(export: Export) -> Iterator[tuple[ExportedMessage, str]]:
    """All messages with the region that must have sent them."""
    yield from ((one, export.region_code) for one in export.sent)
    yield from ((one, export.peer_region) for one in export.received)


def _fault(exported: ExportedMessage, code: Code, said: str) -> Fault:
    message = exported.message
    name = KIND_NAMES[Kind(message.kind)] if message.kind in KIND_NAMES else message.kind
    where = f"{message.from_region}第{message.sequence}号《{name}》"
    return Fault(code=code, field=str(message.id), message=f"{where}：{said}")


def _entry_fault(entry: Entry, code: Code, said: str) -> Fault:
    return Fault(
        code=code, field=f"journal[{entry.case_position}]", message=f"日志第{entry.position}条：{said}"
    )


def _amount_fault(field: str, said: str) -> Fault:
    return Fault(code=Code.AMOUNT_MISMATCH, field=field, message=f"金额不一致：{said}")
