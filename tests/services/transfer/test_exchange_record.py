"""The exported record of a case: for supervisors and auditors, and it verifies without this system."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from rich.console import Console

from libs.exchange.reports import verify_file
from libs.exchange.seals import KeyDirectory
from libs.exchange.verification import verify_export
from tests.services.transfer.world import YANTAI, ZAOZHUANG, World


async def test_both_cities_records_of_a_funded_move_verify_offline(world: World, tmp_path: Path) -> None:
    pair = await world.with_money()
    for case_no in (pair.incoming, pair.outgoing):
        answer = await world.client.get(
            f"/v1/transfers/{case_no}/exchange-record", headers=world.officer(case_no[:6], "supervisor")
        )
        assert answer.status_code == 200, answer.text
        record = answer.json()
        assert len(record["sent"]) + len(record["received"]) == 3
        assert verify_export(record, KeyDirectory.from_data(record["keys"])) == []
        file = tmp_path / f"{case_no}.json"
        file.write_text(json.dumps(record), encoding="utf-8")
        assert verify_file(file, console=Console(quiet=True)) == 0


async def test_a_changed_amount_in_the_record_is_found(world: World) -> None:
    pair = await world.with_money()
    answer = await world.client.get(
        f"/v1/transfers/{pair.incoming}/exchange-record", headers=world.officer(ZAOZHUANG, "supervisor")
    )
    changed = copy.deepcopy(answer.json())
    sheet = next(one for one in changed["received"] if one["message"]["kind"] == "information_sheet")
    sheet["message"]["body"]["account_amount_fen"] += 1
    assert verify_export(changed, KeyDirectory.from_data(changed["keys"])) != []


async def test_the_record_holds_personal_data_and_is_not_for_everybody(world: World) -> None:
    pair = await world.accepted()
    path = f"/v1/transfers/{pair.incoming}/exchange-record"
    assert (await world.client.get(path, headers=world.officer(ZAOZHUANG, "clerk"))).status_code == 403
    assert (await world.client.get(path, headers=world.officer(YANTAI, "supervisor"))).status_code == 404
