"""Time limits read off the documents by hand, held against the data."""

from __future__ import annotations

import pytest

from libs.casework.deadlines import allowed_by
from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.schema import Unit
from libs.catalogue.situation import Situation

ANY = Situation()
IN_PROVINCE, CROSS_PROVINCE = Situation(scope="in_province"), Situation(scope="cross_province")
ONLINE, AT_THE_WINDOW = Situation(channel="online"), Situation(channel="window")
TUMOUR, OTHER_DISEASE = Situation(disease="malignant_tumour"), Situation(disease="hypertension")
IMMEDIATE = (0, Unit.IMMEDIATE)


def days(amount: int) -> tuple[int, Unit]:
    return amount, Unit.WORKING_DAY


LIMITS = [
    # 单位参保登记: at once in Shandong, 5 working days in Hubei
    ("shandong-2020", "1", ANY, "total", IMMEDIATE),
    ("shandong-2023", "1", ANY, "total", IMMEDIATE),
    ("yantai", "1", ANY, "total", IMMEDIATE),
    ("zaozhuang", "一、1.1", ANY, "total", IMMEDIATE),
    ("hubei-2022", "一", ANY, "total", days(5)),
    # 职工参保登记: Hubei tells employees from flexible workers
    ("shandong-2023", "2", ANY, "total", IMMEDIATE),
    ("hubei-2022", "二", Situation(person_kind="employee"), "total", days(5)),
    ("hubei-2022", "二", Situation(person_kind="flexible_worker"), "total", IMMEDIATE),
    # 个人账户一次性支取
    ("shandong-2020", "9", ANY, "total", IMMEDIATE),
    ("shandong-2023", "9", ANY, "total", IMMEDIATE),
    ("yantai", "13", AT_THE_WINDOW, "total", IMMEDIATE),
    ("yantai", "13", ONLINE, "total", days(1)),
    ("hubei-2022", "九", ANY, "total", days(15)),
    # 转移接续: in all, and by stage
    ("shandong-2020", "11", IN_PROVINCE, "total", days(15)),
    ("shandong-2020", "11", CROSS_PROVINCE, "total", days(20)),
    ("shandong-2020", "11", ANY, "contact_letter", days(5)),
    ("shandong-2020", "11", ANY, "information_sheet", days(5)),
    ("shandong-2020", "11", ANY, "take_up", days(5)),
    ("shandong-2023", "10", IN_PROVINCE, "total", days(9)),
    ("shandong-2023", "11", IN_PROVINCE, "total", days(9)),
    ("shandong-2023", "11", CROSS_PROVINCE, "total", days(15)),
    ("shandong-2023", "11", ANY, "contact_letter", None),
    ("yantai", "9", IN_PROVINCE, "total", days(15)),
    ("yantai", "10", CROSS_PROVINCE, "total", days(15)),
    ("yantai", "10", ANY, "take_up", None),
    ("zaozhuang", "一、2.1", IN_PROVINCE, "total", days(9)),
    ("zaozhuang", "一、2.2", IN_PROVINCE, "total", days(9)),
    ("zaozhuang", "一、2.2", CROSS_PROVINCE, "total", days(15)),
    ("zaozhuang", "一、2.2", ANY, "total", None),  # neither in nor out of the province: not stated
    ("hubei-2022", "十一", CROSS_PROVINCE, "total", days(15)),
    ("hubei-2022", "十一", ANY, "information_sheet", days(10)),
    ("hubei-2022", "十一", ANY, "take_up", days(5)),
    # 异地就医备案
    ("shandong-2020", "12", ANY, "total", IMMEDIATE),
    ("shandong-2023", "12", ANY, "total", IMMEDIATE),
    ("zaozhuang", "一、5.1", AT_THE_WINDOW, "total", IMMEDIATE),
    ("zaozhuang", "一、5.1", ONLINE, "total", days(2)),
    ("hubei-2022", "十二", Situation(channel="online", evidence="proof"), "total", days(2)),
    ("hubei-2022", "十二", Situation(channel="online", evidence="commitment"), "total", IMMEDIATE),
    ("hubei-2022", "十二", Situation(channel="window", level="county"), "total", IMMEDIATE),
    ("hubei-2022", "十二", Situation(channel="window", level="village"), "total", days(2)),
    ("hubei-2022", "十五", Situation(channel="window", level="township"), "total", days(2)),
    ("yantai", "18", ONLINE, "total", days(1)),
    # 门诊慢特病认定
    ("shandong-2023", "14", TUMOUR, "total", IMMEDIATE),
    ("shandong-2023", "14", OTHER_DISEASE, "total", days(20)),
    ("zaozhuang", "二、4", TUMOUR, "total", IMMEDIATE),
    ("zaozhuang", "二、4", OTHER_DISEASE, "total", days(20)),
    ("yantai", "24", OTHER_DISEASE, "total", days(20)),
    ("hubei-2022", "十六", TUMOUR, "total", days(20)),
    # 手工报销、生育、救助、长期护理
    ("shandong-2020", "18", ANY, "total", days(10)),
    ("zaozhuang", "一、6.1", ANY, "total", days(15)),
    ("hubei-2022", "十八", ANY, "total", days(30)),
    ("shandong-2020", "20", ANY, "total", days(10)),
    ("shandong-2023", "18", ANY, "total", days(4)),
    ("shandong-2023", "二、5", ANY, "total", days(10)),  # 生育医疗费 of residents: the guide's chapter
    ("zaozhuang", "一、8.2", ANY, "total", days(10)),
    ("yantai", "26", AT_THE_WINDOW, "total", IMMEDIATE),
    ("hubei-2022", "二十二", ANY, "total", days(20)),
    ("hubei-2022", "二十四", ANY, "total", days(30)),
    ("shandong-2023", "28", ANY, "total", days(30)),
    ("zaozhuang", "二、7", ANY, "total", days(30)),
    # 定点协议和费用结算
    ("shandong-2020", "26", ANY, "total", (3, Unit.MONTH)),
    ("shandong-2023", "23", ANY, "total", days(45)),
    ("yantai", "30", ANY, "evaluation", (3, Unit.MONTH)),
    ("zaozhuang", "三、1.1", ANY, "evaluation", days(20)),
    ("hubei-2022", "二十五", ANY, "total", (3, Unit.MONTH)),
    ("hubei-2022", "二十五", ANY, "signing", days(5)),
    ("shandong-2023", "25", ANY, "total", days(30)),
    ("zaozhuang", "三、2.1", ANY, "total", days(15)),
    ("hubei-2022", "二十七", ANY, "total", days(30)),
]


@pytest.mark.parametrize(("edition_id", "number", "situation", "stage", "expected"), LIMITS)
def test_the_limit_is_the_documents(
    edition_id: str, number: str, situation: Situation, stage: str, expected: tuple[int, Unit] | None
) -> None:
    [item] = [item for item in load_edition(edition_id).items if item.number == number]
    allowed = allowed_by(item, situation, stage)
    assert (allowed and (allowed.amount, allowed.unit)) == expected


@pytest.mark.parametrize("edition_id", edition_ids())
def test_the_words_of_a_limit_name_its_amount(edition_id: str) -> None:
    for item in load_edition(edition_id).items:
        for limit in item.time_limits:
            if limit.unit is Unit.IMMEDIATE:
                assert "即时" in limit.text, (item.key, limit.text)
            else:
                assert str(limit.amount) in limit.text, (item.key, limit.text)
