"""Made-up people and employers with valid check digits, from a seeded generator.

Demonstrations and tests only; nobody real is meant. Birth dates and serials are drawn at
random; the region digits are those of the region asked for.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from stdnum.cn import ric, uscc

_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜"
_GIVEN_NAMES = [
    "安",
    "宁",
    "晨",
    "悦",
    "明",
    "远",
    "思",
    "源",
    "若",
    "溪",
    "景",
    "行",
    "嘉",
    "禾",
    "一",
    "诺",
    "清",
    "和",
    "文",
    "博",
    "雨",
    "桐",
    "子",
    "墨",
    "佳",
    "怡",
    "建",
    "国",
    "秀",
    "兰",
]
_TRADES = ["机械制造", "食品", "纺织", "信息技术", "物流", "建材", "医药", "文化传媒"]
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True)
class MadeUpPerson:
    name: str
    id_number: str
    sex: str
    birth_date: dt.date
    telephone: str


@dataclass(frozen=True)
class MadeUpEmployer:
    name: str
    credit_code: str


class MadeUp:
    """A generator of made-up people: the same seed, the same people."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._used: set[str] = set()

    def person(
        self, county_code: str, *, born: tuple[int, int] = (1966, 2000), sex: str | None = None
    ) -> MadeUpPerson:
        """A person whose identity number begins with ``county_code`` (six digits)."""
        birth_date = self._birth_date(born)
        sex = sex or self._random.choice("男女")
        while True:
            serial = self._random.randrange(1, 500) * 2 - (sex == "男")
            stem = f"{county_code}{birth_date:%Y%m%d}{serial:03d}"
            if stem not in self._used:
                self._used.add(stem)
                break
        name = self._random.choice(_SURNAMES) + "".join(self._random.sample(_GIVEN_NAMES, 2))
        # 199-0000-xxxx: a block used here for made-up numbers only.
        telephone = f"1990000{self._random.randrange(10000):04d}"
        return MadeUpPerson(name, stem + ric.calc_check_digit(stem), sex, birth_date, telephone)

    def employer(self, county_code: str, place: str) -> MadeUpEmployer:
        """A company registered in ``county_code``."""
        organisation = "".join(self._random.choice(_USCC_ALPHABET[10:]) for _ in range(8))
        stem = f"91{county_code}{organisation}{self._random.choice('0123456789')}"
        trade = self._random.choice(_TRADES)
        word = "".join(self._random.sample(_GIVEN_NAMES, 2))
        return MadeUpEmployer(f"{place}{word}{trade}有限公司（虚构）", stem + uscc.calc_check_digit(stem))

    def _birth_date(self, born: tuple[int, int]) -> dt.date:
        first = dt.date(born[0], 1, 1).toordinal()
        last = dt.date(born[1], 12, 31).toordinal()
        return dt.date.fromordinal(self._random.randint(first, last))
