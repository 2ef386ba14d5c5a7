"""Six stories from the counter: employers, employees, a school, the tax file, papers, a farewell."""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Any

from libs.identifiers.made_up import MadeUpEmployer, MadeUpPerson
from libs.runtime.demo.api import UnexpectedAnswer, until
from libs.runtime.demo.cast import CASHIER, COUNTIES, WUHAN, ZAOZHUANG, Insured, officer, officer_title
from libs.runtime.demo.stage import Stage
from libs.webapp.callers import Role

EMPLOYER_ITEM, EMPLOYEE_ITEM = "002036001001", "002036001002"
WITHDRAWAL_ITEM, CERTIFICATE_ITEM = "002036002003", "002036003001"
STUDENTS = 300
SINCE, MONTH = "2026-02-01", "2026-02"
BASE_YUAN, UNIT_YUAN, PERSONAL_YUAN = "6000.00", "480.00", "120.00"
DIED_ON = "2026-03-01"
_TAX_COLUMNS = (
    "缴费流水号,缴费主体,统一社会信用代码,证件类型,证件号码,姓名,险种,人员类别,费款所属期,缴费基数,"
    "单位部分,个人部分,滞纳金,缴费类型,被更正流水号,缴费日期"
)


async def tell_all(stage: Stage) -> None:
    """All six, in order."""
    await founded(stage)
    company, people, elsewhere = await hired(stage)
    await enrolled_by_roster(stage)
    await paid(stage, company, people)
    await certified(stage, elsewhere)
    await left_to_the_heirs(stage)


async def founded(stage: Stage) -> None:
    """The same registration in two provinces; the difference is in the catalogues."""
    stage.narrator.chapter(
        "（六）单位参保登记：同一张表，两个省", "枣庄即时办结；武汉按湖北规范承诺5个工作日；时限都取自目录。"
    )
    for region_code in (ZAOZHUANG, WUHAN):
        case = await _register(stage, region_code, _company(stage, region_code))
        if case["status"] == "completed":
            stage.narrator.step("系统", f"办件 {case['case_no']}：当场办结（{case['due']['allowed']}）")
            continue
        accepted = await stage.act(case["case_no"], "accept", Role.CLERK, "受理：材料齐全")
        stage.narrator.due(accepted)
        stage.working_days_later(1)
        await stage.act(case["case_no"], "approve", Role.REVIEWER, "审核通过，办结")
    company = _company(stage, WUHAN)
    stage.narrator.step("市场监管部门", f"联办登记推送新设企业“{company.name}”")
    body = _registration(stage, WUHAN, company) | {"channel": "joint_registration", "materials": []}
    case = await stage.api.post("joint", "/v1/applications", body, 201)
    _require(case["status"] == "completed", case)
    stage.narrator.step("系统", f"办件 {case['case_no']}：联办的直接办理，已办结")


async def hired(stage: Stage) -> tuple[MadeUpEmployer, list[MadeUpPerson], Insured]:
    """Many people in one form; one is insured elsewhere, and nothing is done until that is put right."""
    stage.narrator.chapter(
        "（七）职工参保登记：一张表多人，重复参保当场发现", "有一行不符，整张表不办，证据并列。"
    )
    company = _company(stage, ZAOZHUANG)
    await _register(stage, ZAOZHUANG, company)
    people = [stage.cast.made_up.person(COUNTIES[ZAOZHUANG], born=(1985, 2000)) for _ in range(4)]
    elsewhere = await stage.cast.enrol(people[3], WUHAN, "2025-06-01")
    await stage.cast.contribute(elsewhere, ["2025-06", "2025-07", "2025-08"])
    stage.narrator.step(officer_title(ZAOZHUANG, Role.CLERK), f"录入“{company.name}”的登记表，4人")
    body = _application(ZAOZHUANG, EMPLOYEE_ITEM, people[0], _people_form(company, people))
    body["materials"] = [{"key": "employee-registration-form"}]
    case = await stage.api.post(officer(ZAOZHUANG, Role.CLERK), "/v1/applications", body, 201)
    stage.narrator.listing(f"办件 {case['case_no']} 一次性告知：", case["notice"])
    _require([item["code"] for item in case["notice"]] == ["already_enrolled"], case)
    supplement = {"payload": _people_form(company, people[:3])}
    case = await stage.act(case["case_no"], "supplement", Role.CLERK, "单位删去该行，补正", supplement)
    _require(case["status"] == "completed", case)
    stage.narrator.step("系统", "3人参保，当场办结")
    return company, people[:3], elsewhere


async def enrolled_by_roster(stage: Stage) -> None:
    """A school's roster with broken rows: each row's outcome, and an error file in the same layout."""
    stage.narrator.chapter("（八）学生花名册", f"{STUDENTS}名学生，其中3行有误；逐行办理，错误另给文件。")
    content = _roster(stage)
    path = f"/v1/enrollment/rosters?region_code={ZAOZHUANG}&kind=student&started_on={SINCE}"
    clerk = officer(ZAOZHUANG, Role.CLERK)
    stage.narrator.step(officer_title(ZAOZHUANG, Role.CLERK), f"上传花名册，{len(content):,} 字节")
    roster = await stage.api.send(clerk, path, content, "text/csv", 202)

    async def look() -> Any:
        seen = await stage.api.get(clerk, f"/v1/enrollment/rosters/{roster['id']}")
        return seen if seen["state"] == "finished" else None

    done = await until("花名册办理完毕", look)
    stage.narrator.step("系统", f"办理完毕：参保 {done['enrolled']} 人，退回 {done['refused']} 行")
    _require((done["enrolled"], done["refused"]) == (STUDENTS - 3, 3), done)
    errors = await stage.api.download(clerk, f"/v1/enrollment/rosters/{roster['id']}/errors")
    told = list(csv.reader(io.StringIO(errors.decode("utf-8-sig"))))
    stage.narrator.table("错误文件（与上传同版式）", told[0], told[1:])


async def paid(stage: Stage, company: MadeUpEmployer, people: list[MadeUpPerson]) -> None:
    """The tax authority's file: who paid, who did not, what went where."""
    stage.narrator.chapter(
        "（九）税务缴费文件：入账、对账、欠费", "3人中2人缴费；另有1笔查无此人，先列待核对。"
    )
    stranger = stage.cast.made_up.person(COUNTIES[ZAOZHUANG])
    content = _tax_file(company, [*people[:2], stranger])
    stage.narrator.step("税务部门", f"传来{MONTH}缴费文件，{len(content):,} 字节")
    file = await stage.api.send("tax", "/v1/enrollment/contribution-files", content, "text/csv", 202)

    async def look() -> Any:
        seen = await stage.api.get("tax", f"/v1/enrollment/contribution-files/{file['id']}")
        return seen if seen["finished_at"] else None

    done = await until("缴费文件处理完毕", look)
    rows = [[row["outcome_name"], str(row["rows"]), row["total_yuan"]] for row in done["outcomes"]]
    stage.narrator.table("文件处理结果（元）", ("结果", "行数", "金额"), rows)
    _require(
        {row["outcome"]: row["rows"] for row in done["outcomes"]} == {"matched": 2, "unmatched": 1}, done
    )
    path = f"/v1/enrollment/employers?region_code={ZAOZHUANG}&credit_code={company.credit_code}"
    (employer,) = (await stage.api.get(officer(ZAOZHUANG, Role.FINANCE), path))["items"]
    path = f"/v1/enrollment/arrears?region_code={ZAOZHUANG}&employer_id={employer['id']}"
    arrears = (await stage.api.get(officer(ZAOZHUANG, Role.FINANCE), path))["items"]
    stage.narrator.step(
        officer_title(ZAOZHUANG, Role.FINANCE),
        f"“{company.name}”欠费 {len(arrears)} 人：{'、'.join(arrears[0]['months'])}",
    )
    _require([owed["months"] for owed in arrears] == [[MONTH]], arrears)
    await _books(stage, ZAOZHUANG)


async def certified(stage: Stage, insured: Insured) -> None:
    """The citizen applies on the telephone and has the sealed paper at once; anybody can check it."""
    stage.narrator.chapter("（十）出具《参保凭证》", "本人在小程序上申请，当场得到带电子签章的PDF。")
    citizen = f"本人 {insured.person.name}"
    await stage.api.sign_in_citizen(citizen, stage.backend, insured.person)
    body = _application(WUHAN, CERTIFICATE_ITEM, insured.person, {"kind": "certificate"})
    case = await stage.api.post(citizen, "/v1/applications", body | {"channel": "mini_program"}, 201)
    _require(case["status"] == "completed", case)
    (document,) = await stage.api.get(citizen, f"/v1/applications/{case['case_no']}/documents")
    pdf = await stage.api.download(citizen, f"/v1/enrollment/papers/{document['id']}")
    stage.narrator.step("系统", f"凭证号 {document['number']}，PDF {len(pdf):,} 字节")
    report = await stage.api.send(citizen, "/v1/enrollment/papers/verify", pdf, "application/pdf", 200)
    stage.narrator.step(citizen, report["conclusion"])
    _require(report["genuine"], report)


async def left_to_the_heirs(stage: Stage) -> None:
    """Somebody died; the heirs agree on one of them; five people see to it that it is paid once."""
    stage.narrator.chapter(
        "（十一）个人账户一次性支取",
        "参保人死亡，继承人协商由一人代表；受理、审核、财务、负责人、出纳各一人。",
    )
    deceased = stage.cast.made_up.person(COUNTIES[WUHAN], born=(1965, 1970))
    insured = await stage.cast.enrol(deceased, WUHAN, "2025-01-01")
    await stage.cast.contribute(insured, ["2025-11", "2025-12"])
    before = await stage.cast.balance_yuan(insured)
    await _learn_of_the_death(stage, deceased)
    case_no = await _apply_for_the_money(stage, deceased)
    for action, role, what in (
        ("accept", Role.CLERK, "受理"),
        ("approve", Role.REVIEWER, f"审核通过，{before} 元冻结"),
        ("finance-check", Role.FINANCE, "财务复核通过"),
        ("chief-approve", Role.CHIEF, "负责人审批通过"),
    ):
        moved = await stage.act(case_no, action, role, what)
        if action == "accept":
            stage.narrator.due(moved)
    await _pay_out(stage, case_no)
    after = await stage.cast.balance_yuan(insured)
    stage.narrator.step("系统", f"个人账户余额 {before} → {after} 元，账户销户，办件办结")
    _require(after == "0.00", after)
    await _books(stage, WUHAN)


async def _learn_of_the_death(stage: Stage, deceased: MadeUpPerson) -> None:
    credential = {"credential_type": "resident_id", "credential_no": deceased.id_number}
    notice = {"credential": credential, "deceased_on": DIED_ON, "source": "民政部门", "reference": "MZ-1"}
    await stage.api.post("sharing", "/v1/enrollment/death-notices", {"notices": [notice]})
    stage.narrator.step("民政部门", f"数据共享：参保人{DIED_ON}死亡；参保关系以当日为末日停止，并发出事实")


async def _apply_for_the_money(stage: Stage, deceased: MadeUpPerson) -> str:
    heirs = [stage.cast.made_up.person(COUNTIES[WUHAN]) for _ in range(2)]
    payload = {
        "kind": "account_withdrawal",
        "person": _person(deceased),
        "reason": "death",
        "employer_name": "（原单位）",
        "died_on": DIED_ON,
        "payee": {
            "account_no": "6200000000000000",
            "bank_name": "演示银行武汉分行",
            "holder_name": heirs[0].name,
        },
        "heirs": [
            _person(heir) | {"relation": relation, "agrees": True, "is_representative": heir is heirs[0]}
            for heir, relation in zip(heirs, ("配偶", "子女"), strict=True)
        ],
    }
    body = _application(WUHAN, WITHDRAWAL_ITEM, heirs[0], payload)
    papers = ("identity-proof", "account-withdrawal-form", "agreed-payee-identity-and-account")
    body["materials"] = [{"key": key} for key in papers]
    stage.narrator.step(officer_title(WUHAN, Role.CLERK), "录入继承人代表的申请（表7）")
    case = await stage.api.post(officer(WUHAN, Role.CLERK), "/v1/applications", body, 201)
    _require(case["status"] == "submitted", case)
    return str(case["case_no"])


async def _pay_out(stage: Stage, case_no: str) -> None:
    batch = await stage.api.post(CASHIER, "/v1/enrollment/payout-batches", {"region_code": WUHAN}, 201)
    file = await stage.api.download(CASHIER, f"/v1/enrollment/payout-batches/{batch['id']}/file")
    stage.narrator.step("武汉市 出纳", f"归集拨付批次 {batch['number']}，银行文件 {len(file)} 字节")
    (line,) = [line for line in batch["lines"] if line["case_no"] == case_no]
    result = {
        "outcome": "paid",
        "end_to_end_id": line["end_to_end_id"],
        "bank_reference": "YH-1",
        "settled_on": stage.clock.now().date().isoformat(),
    }
    path = f"/v1/enrollment/payout-batches/{batch['id']}/results"
    await stage.api.post(CASHIER, path, {"results": [result]})
    stage.narrator.step("银行", f"回盘：{line['amount_yuan']} 元已支付")


async def _register(stage: Stage, region_code: str, company: MadeUpEmployer) -> Any:
    stage.narrator.step(officer_title(region_code, Role.CLERK), f"录入“{company.name}”的登记表")
    body = _registration(stage, region_code, company)
    return await stage.api.post(officer(region_code, Role.CLERK), "/v1/applications", body, 201)


def _registration(stage: Stage, region_code: str, company: MadeUpEmployer) -> dict[str, Any]:
    head, agent = (stage.cast.made_up.person(COUNTIES[region_code]) for _ in range(2))
    registration = {
        "registration_kind": "new",
        "credit_code": company.credit_code,
        "name": company.name,
        "nature": "enterprise",
        "address": "人民路1号",
        "legal_representative": _person(head),
        "bank_account": {"bank": "演示银行", "account_name": company.name, "account_no": "1000000000000000"},
        "agent": {"name": agent.name, "mobile": agent.telephone},
        "insurance_kinds": ["310"],
        "insured_since": SINCE,
    }
    payload = {"kind": "employer_registration", "registration": registration}
    body = _application(region_code, EMPLOYER_ITEM, agent, payload)
    return body | {"materials": [{"key": "credit-code-certificate"}, {"key": "employer-registration-form"}]}


def _people_form(company: MadeUpEmployer, people: list[MadeUpPerson]) -> dict[str, Any]:
    return {
        "kind": "employee_registration",
        "employer_credit_code": company.credit_code,
        "people": [
            {
                "person": _person(person),
                "change": "add",
                "effective_on": SINCE,
                "declared_wage_yuan": BASE_YUAN,
            }
            for person in people
        ],
    }


def _application(
    region_code: str, item_key: str, applicant: MadeUpPerson, payload: dict[str, Any]
) -> dict[str, Any]:
    return {
        "region_code": region_code,
        "item_key": item_key,
        "channel": "window",
        "applicant": _person(applicant),
        "payload": payload,
        "materials": [],
    }


def _person(person: MadeUpPerson) -> dict[str, Any]:
    return {
        "credential_type": "resident_id",
        "credential_no": person.id_number,
        "name": person.name,
        "telephone": person.telephone,
    }


def _company(stage: Stage, region_code: str) -> MadeUpEmployer:
    return stage.cast.made_up.employer(COUNTIES[region_code], stage.cast.place(region_code))


def _roster(stage: Stage) -> bytes:
    """A wrong check digit, a name missing, somebody twice."""
    students = [stage.cast.made_up.person(COUNTIES[ZAOZHUANG], born=(2010, 2018)) for _ in range(STUDENTS)]
    rows = [[student.name, student.id_number] for student in students]
    rows[10][1] = rows[10][1][:-1] + ("0" if rows[10][1][-1] != "0" else "1")
    rows[20][0] = ""
    rows[30] = list(rows[29])
    text = io.StringIO()
    csv.writer(text).writerows([["姓名", "证件号码"], *rows])
    return text.getvalue().encode()


def _tax_file(company: MadeUpEmployer, people: list[MadeUpPerson]) -> bytes:
    """As docs/tax-file-format.md has it."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        [
            f"{MONTH.replace('-', '')}-{number:06d}",
            "单位",
            company.credit_code,
            "居民身份证",
            person.id_number,
            person.name,
            "310",
            "在职职工",
            MONTH,
            BASE_YUAN,
            UNIT_YUAN,
            PERSONAL_YUAN,
            "0.00",
            "正常缴费",
            "",
            "2026-03-02",
        ]
        for number, person in enumerate(people, start=1)
    )
    body = f"{_TAX_COLUMNS}\n{text.getvalue()}".encode()
    head = f"YBJF1,SW-DEMO-1,{ZAOZHUANG},{MONTH},{len(people)},{len(people) * 600}.00"
    return f"{head},{hashlib.sha256(body).hexdigest()}\n".encode() + body


async def _books(stage: Stage, region_code: str) -> None:
    accounts = await stage.fund_account_list(region_code)
    rows = [[account["kind_name"], account["balance_yuan"]] for account in accounts]
    stage.narrator.table("职工医保基金账本（元，合计为零）", ("科目", "余额"), rows)
    total = sum(round(float(account["balance_yuan"]) * 100) for account in accounts)
    _require(total == 0, accounts)


def _require(holds: bool, seen: Any) -> None:
    if not holds:
        raise UnexpectedAnswer(f"the story needs it otherwise: {seen}")
