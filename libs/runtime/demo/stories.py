"""Five stories of transfers between cities."""

from __future__ import annotations

from typing import Any

from libs.regions import names
from libs.runtime.demo.api import UnexpectedAnswer, until
from libs.runtime.demo.cast import (
    COUNTIES,
    DONGYING,
    WUHAN,
    YANTAI,
    ZAOZHUANG,
    ZIBO,
    Insured,
    officer,
    officer_title,
)
from libs.runtime.demo.stage import Stage
from libs.webapp.callers import Role

WEIFANG = "370700"  # goes by the province's edition of 2023 as it is

OPENING = """全部人物、单位、账户均为虚构，身份证号码校验位有效。
一个进程里运行：PostgreSQL 18、七个服务及其后台进程、网关；以下每一步都经网关的HTTP接口办理，
服务之间只以事件相告，两地之间只以签章报文往来。
时钟为演示时钟，自2026年3月2日（周一）起，由故事推进。
淄博、东营两市按配置仍执行山东省2020版清单（联系函方式）：这是演示的设定，不是两市的现状。"""


async def tell_all(stage: Stage) -> None:
    """All five, in order."""
    stage.narrator.opening(OPENING)
    await _the_five_catalogues(stage)
    await _the_cities(stage)
    await within_the_province(stage)
    await across_provinces(stage)
    await by_letter(stage)
    await with_things_missing(stage)
    await refused(stage)


def close(stage: Stage) -> None:
    """The end of the last story."""
    stage.narrator.closing(f"十一个故事讲完：{stage.api.calls} 次接口调用，各地账本全部结平。")


async def within_the_province(stage: Stage) -> None:
    """(a) 烟台 → 枣庄, platform regime, 9 working days."""
    stage.narrator.chapter(
        "（一）烟台 → 枣庄：省内，平台方式，9个工作日", "在转入地窗口申请；个人账户有余额。"
    )
    there, here = await stage.mover(YANTAI, ZAOZHUANG, "2023-07", "2026-01")
    rows = [await stage.money_row("申请前", there, here)]
    incoming = await _apply(stage, ZAOZHUANG, "zaozhuang-transfer-in", there, here, ["identity-proof"])
    await _accept(stage, incoming)
    outgoing = await _arrival(stage, YANTAI, ZAOZHUANG)
    rows += await _move_the_money(stage, incoming, outgoing, there, here, "YTB20260304001")
    await _close(stage, incoming, outgoing)
    rows.append(await stage.money_row("办结后", there, here))
    await stage.messages(incoming)
    stage.narrator.money(rows)
    _require_settled(rows)


async def across_provinces(stage: Stage) -> None:
    """(b) 枣庄 → 武汉, platform regime, 15 working days, the citizen's own application."""
    stage.narrator.chapter(
        "（二）枣庄 → 武汉：跨省，平台方式，15个工作日", "本人在小程序上申请，小程序后台已作实名核验。"
    )
    there, here = await stage.mover(ZAOZHUANG, WUHAN, "2021-03", "2026-01")
    citizen = f"本人 {there.person.name}"
    await stage.api.sign_in_citizen(citizen, stage.backend, there.person)
    rows = [await stage.money_row("申请前", there, here)]
    body = stage.application(WUHAN, "002036003002", there.person, (ZAOZHUANG, WUHAN), ["identity-proof"]) | {
        "channel": "mini_program"
    }
    stage.narrator.step(citizen, "在小程序上向武汉申请转入")
    incoming = (await stage.api.post(citizen, "/v1/applications", body, 201))["case_no"]
    await _accept(stage, incoming)
    outgoing = await _arrival(stage, ZAOZHUANG, WUHAN)
    rows += await _move_the_money(stage, incoming, outgoing, there, here, "ZZB20260309001")
    await _close(stage, incoming, outgoing)
    rows.append(await stage.money_row("办结后", there, here))
    await stage.messages(incoming)
    stage.narrator.money(rows)
    _require_settled(rows)
    await _my_cases(stage, citizen, incoming)


async def by_letter(stage: Stage) -> None:
    """(c) 淄博 → 东营, letter regime by configuration: 联系函, 信息表, 参保凭证."""
    stage.narrator.chapter(
        "（三）淄博 → 东营：联系函方式，省内15个工作日",
        "两市按配置执行2020版清单：转入地受理，凭《参保凭证》，先发联系函。",
    )
    there, here = await stage.mover(ZIBO, DONGYING, "2024-01", "2025-11")
    rows = [await stage.money_row("申请前", there, here)]
    materials = ["identity-proof", "participation-certificate", "transfer-application-form"]
    incoming = await _apply(stage, DONGYING, "002036003002", there, here, materials)
    await _accept(stage, incoming)
    stage.working_days_later(1)
    await stage.act(incoming, "issue-contact-letter", Role.CLERK, "签章发出《联系函》（受理后5个工作日内）")
    outgoing = await _arrival(stage, ZIBO, DONGYING)
    rows += await _move_the_money(stage, incoming, outgoing, there, here, "ZBB20260313001")
    await _close(stage, incoming, outgoing)
    rows.append(await stage.money_row("办结后", there, here))
    await stage.messages(incoming)
    await _documents(stage, incoming)
    stage.narrator.money(rows)
    _require_settled(rows)


async def with_things_missing(stage: Stage) -> None:
    """(d) 枣庄 → 烟台 through an agent: one notice names all that is missing; it goes on."""
    stage.narrator.chapter("（四）枣庄 → 烟台：代办，材料不齐", "一次性告知全部缺项，补正后继续。")
    there, here = await stage.mover(ZAOZHUANG, YANTAI, "2025-01", "2026-01")
    agent = stage.cast.made_up.person("370602")
    body = stage.application(
        YANTAI, "yantai-transfer-in", there.person, (ZAOZHUANG, YANTAI), ["identity-proof"]
    )
    body["agent"] = {
        "name": agent.name,
        "credential_type": "resident_id",
        "credential_no": agent.id_number,
        "telephone": agent.telephone,
        "relation": "同事",
    }
    stage.narrator.step(officer_title(YANTAI, Role.CLERK), f"录入代办人{agent.name}交来的申请")
    case = await stage.api.post(officer(YANTAI, Role.CLERK), "/v1/applications", body, 201)
    stage.narrator.step("系统", f"办件 {case['case_no']}：{case['status_name']}，发出一次性告知")
    stage.narrator.listing("缺少：", case["notice"])
    if len(case["notice"]) < 2:
        raise UnexpectedAnswer("the notice was to name several things at once")
    stage.working_days_later(1)
    supplement = {
        "materials": [
            {"key": key}
            for key in ("participation-certificate", "agent-identity-proof", "agent-authorisation")
        ]
    }
    case = await stage.act(case["case_no"], "supplement", Role.CLERK, "收到补交的材料", supplement)
    stage.narrator.step("系统", f"补正齐全：{case['status_name']}")
    await _accept(stage, case["case_no"])
    outgoing = await _arrival(stage, ZAOZHUANG, YANTAI)
    await _move_the_money(stage, case["case_no"], outgoing, there, here, "ZZB20260320002")
    await _close(stage, case["case_no"], outgoing)


async def refused(stage: Stage) -> None:
    """(e) A retiree still insured at the origin: refused with all reasons at once."""
    stage.narrator.chapter("（五）烟台 → 枣庄：不符合条件，不予受理", "在转出地窗口申请；一次告知全部理由。")
    person = stage.cast.made_up.person("370602", born=(1958, 1962))
    there = await stage.cast.enrol(person, YANTAI, "2020-01-01", person_kind="retiree")
    body = stage.application(YANTAI, "yantai-transfer-out", person, (YANTAI, ZAOZHUANG), ["identity-proof"])
    clerk = officer(YANTAI, Role.CLERK)
    stage.narrator.step(officer_title(YANTAI, Role.CLERK), f"录入{there.person.name}的转出申请")
    case_no = (await stage.api.post(clerk, "/v1/applications", body, 201))["case_no"]

    async def two_reasons() -> Any:
        status, answer = await stage.api.attempt(clerk, f"/v1/applications/{case_no}/actions/accept", {})
        if status != 409:
            raise UnexpectedAnswer(f"accepting was to be refused, got {status}: {answer}")
        return answer if len(answer["errors"]) == 2 else None

    # Transfer learns who is insured where from enrollment's facts; they are on their way.
    answer = await until("转出地的参保状态", two_reasons)
    stage.narrator.step("系统", answer["detail"])
    case = await stage.act(case_no, "refuse", Role.CLERK, "出具不予受理决定")
    stage.narrator.listing(f"{case['status_name']}，全部理由：", case["notice"])


async def _the_five_catalogues(stage: Stage) -> None:
    """What each city goes by, as the gateway tells anybody."""
    rows = []
    for region_code in (WUHAN, ZAOZHUANG, YANTAI, WEIFANG, ZIBO):
        today = stage.clock.now().date().isoformat()
        listed = await stage.api.get(None, f"/v1/regions/{region_code}/service-items?on={today}")
        editions = "、".join(dict.fromkeys(item["edition"]["title"] for item in listed["items"]))
        rows.append((names.name_of(region_code), str(len(listed["items"])), editions))
    stage.narrator.table("五套目录：各地办理依据", ("地区", "事项", "目录（由近及远）"), rows)


async def _the_cities(stage: Stage) -> None:
    """Who is there before the story begins, from the cities' own books."""
    rows = []
    for region_code in COUNTIES:
        accounts = await stage.fund_account_list(region_code)
        people = next(account for account in accounts if account["kind"] == "personal_account")
        bank = next(account for account in accounts if account["kind"] == "bank_mirror")
        rows.append(
            (
                names.name_of(region_code),
                str(people["accounts"]),
                people["balance_yuan"],
                bank["balance_yuan"],
            )
        )
    columns = ("地区", "个人账户数", "个人账户合计（元）", "银行存款对应（元）")
    stage.narrator.table("各地账本：故事开始之前", columns, rows)


async def _apply(
    stage: Stage, at: str, item_key: str, there: Insured, here: Insured, materials: list[str]
) -> str:
    stage.narrator.step(officer_title(at, Role.CLERK), f"录入{there.person.name}的转入申请")
    body = stage.application(at, item_key, there.person, (there.region_code, here.region_code), materials)
    case = await stage.api.post(officer(at, Role.CLERK), "/v1/applications", body, 201)
    return str(case["case_no"])


async def _accept(stage: Stage, case_no: str) -> None:
    """Accept as soon as the facts about the person have arrived."""
    stage.met.add(case_no)
    clerk = officer(case_no[:6], Role.CLERK)

    async def accepted() -> Any:
        status, answer = await stage.api.attempt(clerk, f"/v1/applications/{case_no}/actions/accept", {})
        if status not in (200, 409):
            raise UnexpectedAnswer(f"{status}: {answer}")
        return answer if status == 200 else None

    view = await until(f"受理 {case_no}", accepted)
    stage.narrator.step(officer_title(case_no[:6], Role.CLERK), "核验参保状态，受理")
    stage.narrator.due(view)


async def _arrival(stage: Stage, region_code: str, sender: str) -> str:
    """The other city's case, opened by our message."""
    case_no = await stage.newest_from(region_code, sender)
    await stage.at_stage(case_no, "information_sheet")
    stage.narrator.step(
        f"{names.name_of(region_code)} 系统",
        f"验章、签收{names.name_of(sender)}来件，核对已停保，立案 {case_no}；参保服务汇总缴费记录、冻结余额",
    )
    return case_no


async def _move_the_money(
    stage: Stage, incoming: str, outgoing: str, there: Insured, here: Insured, reference: str
) -> list[tuple[str, ...]]:
    """Sheet, payment, arrival; the ledger after each."""
    stage.working_days_later(1)
    await stage.act(outgoing, "issue-information-sheet", Role.REVIEWER, "核对无误，签章发出《信息表》")
    rows = [await _when_booked(stage, "信息表发出", there, here, column=2)]
    view = await stage.at_stage(incoming, "awaiting_funds")
    amount = view["money"]["on_sheet"]
    stage.narrator.step(
        f"{names.name_of(here.region_code)} 系统",
        f"收到《信息表》{view['sheet_number']}，{len(view['periods'])} 段，账户资金 {amount} 元",
    )
    stage.working_days_later(1)
    today = stage.clock.now().date().isoformat()
    await stage.act(
        outgoing,
        "pay",
        Role.FINANCE,
        f"划转资金（{reference}）",
        {"bank_reference": reference, "paid_on": today},
    )
    await stage.told_of_payment(incoming)
    stage.working_days_later(1)
    await stage.bank_receives(here.region_code, there.region_code, reference, amount)
    rows.append(await _when_booked(stage, "资金到账", there, here, column=3))
    return rows


async def _close(stage: Stage, incoming: str, outgoing: str) -> None:
    await stage.at_stage(incoming, "take_up")
    await stage.act(incoming, "take-up", Role.REVIEWER, "核对信息表和资金，办理转入")
    for case_no in (incoming, outgoing):
        view = await stage.at_stage(case_no, "ended")
        stage.narrator.step(
            f"{names.name_of(case_no[:6])} 系统", f"办件 {case_no} {view['case']['status_name']}"
        )
    view = await stage.transfer(incoming)
    if view["continuity"]:
        continuity = view["continuity"]
        treatment = "可补缴、不设等待期" if continuity["may_be_made_good"] else "不设等待期"
        waiting = continuity["waiting_until"]
        stage.narrator.step(
            "系统",
            f"中断 {continuity['break_months']} 个月：" + (f"等待期至 {waiting}" if waiting else treatment),
        )
    await _settled(stage, outgoing)


async def _settled(stage: Stage, outgoing: str) -> None:
    """Wait until the origin's books have heard of the completion."""

    async def look() -> bool:
        accounts = await stage.fund_accounts(outgoing[:6])
        return accounts["in_transit_out"] == "0.00"

    await until("在途资金结清", look)


async def _when_booked(
    stage: Stage, moment: str, there: Insured, here: Insured, *, column: int
) -> tuple[str, ...]:
    """The ledger once the fact has been booked: the column is no longer zero."""

    async def look() -> tuple[str, ...] | None:
        row = await stage.money_row(moment, there, here)
        return row if row[column] != "0.00" else None

    found: tuple[str, ...] = await until(f"{moment}入账", look)
    return found


def _require_settled(rows: list[tuple[str, ...]]) -> None:
    before, after = rows[0], rows[-1]
    if (after[1], after[2], after[3], after[4]) != ("0.00", "0.00", "0.00", before[1]):
        raise UnexpectedAnswer(f"the money did not arrive whole: {before} -> {after}")


async def _my_cases(stage: Stage, citizen: str, case_no: str) -> None:
    async def look() -> Any:
        mine = await stage.api.get(citizen, "/v1/tracking/my-cases")
        ended = [entry for entry in mine["items"] if entry["case_no"] == case_no]
        return ended if ended and ended[0]["status"] == "completed" else None

    await until("我的办件", look)
    timeline = await stage.api.get(citizen, f"/v1/applications/{case_no}/timeline")
    stage.narrator.table(
        f"{citizen}：我的办件 {case_no} 的经过",
        ("时间", "经过", "经办", "状态"),
        [_timeline_row(entry) for entry in timeline["entries"]],
    )


def _timeline_row(entry: dict[str, Any]) -> tuple[str, str, str, str]:
    at = entry["at"][5:10]
    if entry["kind"] == "message":
        return at, f"短信：{entry['text']}", "系统", ""
    return at, entry["action_name"], entry["actor_name"], f"{entry['status_name']} · {entry['stage_name']}"


async def _documents(stage: Stage, case_no: str) -> None:
    documents = await stage.api.get(
        officer(case_no[:6], Role.REVIEWER), f"/v1/applications/{case_no}/documents"
    )
    stage.narrator.table(
        "文书", ("文书", "编号"), [(document["title"], document["number"]) for document in documents]
    )
