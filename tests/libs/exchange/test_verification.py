"""An exported case holds; whatever is changed in it is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from libs.exchange import journal
from libs.exchange.canonical import canonical, digest
from libs.exchange.envelope import Kind, Message
from libs.exchange.exports import export_case
from libs.exchange.faults import Code
from libs.exchange.journal import Event
from libs.exchange.reports import verify_file
from libs.exchange.seals import Ed25519Signer, KeyDirectory, sealed
from libs.exchange.verification import verify_export
from tests.libs.exchange import papers
from tests.libs.exchange.papers import YANTAI, ZAOZHUANG
from tests.libs.exchange.world import CONVERSATION, World

Data = dict[str, Any]


async def completed_case(world: World) -> None:
    """A transfer with a return and a correction, a decision and two ledger facts."""
    await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG)
    await world.deliver_all()
    sheet = await world.send(Kind.INFORMATION_SHEET, papers.sheet(100), by=YANTAI)
    await world.deliver_all()
    await world.send(Kind.RETURN_FOR_CORRECTION, papers.returned(), by=ZAOZHUANG)
    await world.deliver_all()
    await world.send(Kind.CORRECTION, papers.correction(sheet.id, sheet=papers.sheet()), by=YANTAI)
    await world.send(Kind.FUND_NOTICE, papers.fund_notice(), by=YANTAI)
    await world.deliver_all()
    await note(world, Event.DECISION, {"decision": "办结", "decided_by": "经办乙", "reason": "金额相符"})
    await note(world, Event.MONEY, {"fact": "credited", "amount_fen": 234567, "ledger_reference": "L1"})
    await world.send(Kind.COMPLETION, papers.completion(), by=ZAOZHUANG)
    await world.deliver_all()


async def shortest_case(world: World) -> None:
    await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG)
    await world.deliver_all()
    await world.send(Kind.INFORMATION_SHEET, papers.sheet(0), by=YANTAI)
    await world.deliver_all()
    await world.send(Kind.COMPLETION, papers.completion(0), by=ZAOZHUANG)
    await world.deliver_all()


async def note(world: World, event: Event, content: Data) -> None:
    async with world.database.session() as session:
        await journal.append(
            session,
            own_region=ZAOZHUANG,
            conversation=CONVERSATION,
            event=event,
            content=content,
            at=world.clock.now(),
        )


async def exported(world: World, region: str) -> Data:
    async with world.database.session() as session:
        data = await export_case(session, region, CONVERSATION, directory=world.directory)
    return json.loads(json.dumps(data))  # type: ignore[no-any-return]


async def test_both_sides_of_a_completed_case_verify(world: World) -> None:
    await completed_case(world)
    for region in (YANTAI, ZAOZHUANG):
        assert verify_export(await exported(world, region), world.directory) == []


async def test_a_case_under_way_with_parked_and_queued_messages_verifies(world: World) -> None:
    await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG)
    await world.deliver_all()
    await world.send(Kind.INFORMATION_SHEET, papers.sheet(), by=YANTAI)
    notice = await world.send(Kind.FUND_NOTICE, papers.fund_notice(), by=YANTAI)
    await world.receive(notice.raw())
    for region in (YANTAI, ZAOZHUANG):
        assert verify_export(await exported(world, region), world.directory) == []


async def test_a_case_with_a_refused_withdrawal_verifies(world: World) -> None:
    await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG)
    await world.deliver_all()
    await world.send(Kind.INFORMATION_SHEET, papers.sheet(), by=YANTAI)
    await world.send(Kind.FUND_NOTICE, papers.fund_notice(), by=YANTAI)
    await world.send(Kind.WITHDRAWAL, papers.withdrawal(), by=ZAOZHUANG)
    for region in (YANTAI, ZAOZHUANG):
        assert verify_export(await exported(world, region), world.directory) == []
    await world.deliver_all()
    for region in (YANTAI, ZAOZHUANG):
        assert verify_export(await exported(world, region), world.directory) == []


def one_digit(data: Data) -> None:
    data["sent"][0]["message"]["body"]["account_amount_fen"] += 1


def other_digest(data: Data) -> None:
    message = data["sent"][0]["message"]
    one_digit(data)
    message["body_digest"] = digest(canonical(message["body"]))


def no_receipt(data: Data) -> None:
    data["sent"][0]["answer"] = None


def receipt_of_another(data: Data) -> None:
    data["sent"][0]["answer"] = data["sent"][1]["answer"]


def message_gone(data: Data) -> None:
    del data["received"][0]


def entry_gone(data: Data) -> None:
    del data["journal"][2]


def last_entry_gone(data: Data) -> None:
    del data["journal"][-1]


def entries_swapped(data: Data) -> None:
    entries = data["journal"]
    entries[0], entries[1] = entries[1], entries[0]


def entry_changed(data: Data) -> None:
    data["journal"][0]["at"] = "2026-03-02T09:30:00.000001+08:00"


def entry_rewritten_with_a_fitting_hash(data: Data) -> None:
    entry_changed(data)
    data["journal"][0]["hash"] = journal.Entry.model_validate(data["journal"][0]).computed_hash()


def other_state(data: Data) -> None:
    data["standing"]["state"] = "withdrawn"


def refused_instead(data: Data) -> None:
    data["sent"][0]["state"] = "refused"


def region_renamed(data: Data) -> None:
    data["peer_region"] = "420100"


TAMPERINGS: dict[Callable[[Data], None], Code] = {
    one_digit: Code.DIGEST_MISMATCH,
    other_digest: Code.SEAL_INVALID,
    no_receipt: Code.RECEIPT_MISSING,
    receipt_of_another: Code.RECEIPT_INVALID,
    message_gone: Code.SEQUENCE_BROKEN,
    entry_gone: Code.CHAIN_BROKEN,
    last_entry_gone: Code.RECEIPT_MISSING,
    entries_swapped: Code.CHAIN_BROKEN,
    entry_changed: Code.CHAIN_BROKEN,
    entry_rewritten_with_a_fitting_hash: Code.CHAIN_BROKEN,
    other_state: Code.TRANSITION_FORBIDDEN,
    refused_instead: Code.RECEIPT_MISSING,
    region_renamed: Code.CONVERSATION_FOREIGN,
}


async def test_every_change_is_found_and_named(world: World) -> None:
    await completed_case(world)
    data = await exported(world, YANTAI)
    for tamper, code in TAMPERINGS.items():
        changed = copy.deepcopy(data)
        tamper(changed)
        assert code in {fault.code for fault in verify_export(changed, world.directory)}, tamper.__name__


async def test_any_single_changed_value_of_the_file_is_found(world: World) -> None:
    await shortest_case(world)
    data = await exported(world, ZAOZHUANG)
    unseen = [path for path in paths(data) if not verify_export(with_change(data, path), world.directory)]
    # The keys are no evidence but a convenience.
    assert [path for path in unseen if path[0] != "keys"] == []


Path_ = tuple[str | int, ...]


def paths(value: Any, before: Path_ = ()) -> list[Path_]:
    if isinstance(value, dict):
        return [path for key, inner in value.items() for path in paths(inner, (*before, key))]
    if isinstance(value, list):
        return [path for index, inner in enumerate(value) for path in paths(inner, (*before, index))]
    return [before]


def with_change(data: Data, path: Path_) -> Data:
    changed = copy.deepcopy(data)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    value = place[path[-1]]
    place[path[-1]] = value + 1 if isinstance(value, int) else f"{value}x"
    return changed


async def test_a_forged_message_by_the_exporter_itself_is_found(world: World) -> None:
    await completed_case(world)
    data = await exported(world, ZAOZHUANG)
    received = data["received"][0]
    forged = Message.model_validate(received["message"])
    forger = Ed25519Signer.generate(YANTAI)
    received["message"] = sealed(forged.model_copy(update={"seal": None}), forger).wire()
    codes = {fault.code for fault in verify_export(data, world.directory)}
    assert Code.SIGNER_UNKNOWN in codes


async def test_a_ledger_fact_that_disagrees_with_the_messages_is_found(world: World) -> None:
    await completed_case(world)
    await note(world, Event.MONEY, {"fact": "credited", "amount_fen": 234566, "ledger_reference": "L2"})
    faults = verify_export(await exported(world, ZAOZHUANG), world.directory)
    assert [fault.code for fault in faults] == [Code.AMOUNT_MISMATCH]
    assert "234566分" in faults[0].message


async def test_a_decision_without_its_reason_is_found(world: World) -> None:
    await completed_case(world)
    await note(world, Event.DECISION, {"decision": "办结", "decided_by": "", "reason": ""})
    faults = verify_export(await exported(world, ZAOZHUANG), world.directory)
    assert [fault.code for fault in faults] == [Code.DECISION_INVALID]
    assert "decided_by、reason" in faults[0].message


async def test_the_regions_journal_verifies_as_a_whole_and_shows_what_is_missing(world: World) -> None:
    await completed_case(world)
    await world.send(Kind.CONTACT_LETTER, papers.contact_letter(), by=ZAOZHUANG, conversation="another")
    entries = await world.journal(ZAOZHUANG)
    assert journal.verify_chain(entries) == []
    faults = journal.verify_chain(entries[:3] + entries[4:])
    assert "序号应为4，实际是5" in faults[0].message


async def test_the_report_is_chinese_and_its_exit_code_tells(world: World, tmp_path: Path) -> None:
    await completed_case(world)
    data = await exported(world, ZAOZHUANG)
    good, bad, keys = (tmp_path / name for name in ("good.json", "bad.json", "keys.json"))
    good.write_text(json.dumps(data), "utf-8")
    keys.write_text(json.dumps(world.directory.to_data()), "utf-8")
    page = Console(record=True, width=120, file=(tmp_path / "out").open("w"))
    assert verify_file(good, keys, page) == 0
    told = page.export_text()
    assert "核验通过" in told
    assert "划转通知" in told
    assert "公钥取自文件本身" not in told
    other_state(data)
    bad.write_text(json.dumps(data), "utf-8")
    assert verify_file(bad, console=page) == 1
    told = page.export_text()
    assert "核验未通过" in told
    assert "公钥取自文件本身" in told
    bad.write_text("{", "utf-8")
    assert verify_file(bad, console=page) == 2
    assert verify_file(tmp_path / "nowhere.json", console=page) == 2


async def test_an_unknown_conversation_cannot_be_exported(world: World) -> None:
    with pytest.raises(KeyError):
        await exported(world, YANTAI)


def test_a_file_of_another_shape_is_refused_naming_the_fields() -> None:
    faults = verify_export({"format": "other"}, KeyDirectory())
    assert {"format", "sent", "journal"} <= {fault.field for fault in faults}
