"""枣庄's document and its directory of offices: every number and address printed is on record."""

from __future__ import annotations

import re

from libs.catalogue.editions import load_edition, source_lines
from libs.catalogue.fidelity import line_numbers, normalise
from libs.regions.offices import offices_of

LINES = source_lines("zaozhuang")
REPAIRS = load_edition("zaozhuang").edition.repairs
TELEPHONES = [telephone for office in offices_of("370400") for telephone in office.telephones]
ADDRESSES = [address for office in offices_of("370400") for address in office.addresses]


def repaired(at: str) -> str:
    text = normalise("\n".join(LINES[number - 1] for number in line_numbers(at)))
    for repair in REPAIRS:
        text = text.replace(normalise(repair.original), normalise(repair.repaired))
    return text


def test_every_telephone_of_the_document_is_on_record_with_its_line() -> None:
    printed = {
        (number, place)
        for place, line in enumerate(LINES, start=1)
        for number in re.findall(r"(?<!\d)\d{7}(?!\d)", line)
    }
    assert len(printed) > 300
    on_record = {(telephone.number, line_numbers(telephone.at)[0]) for telephone in TELEPHONES}
    assert printed == on_record


def test_no_other_kind_of_telephone_number_is_printed() -> None:
    longer = {number for line in LINES for number in re.findall(r"(?<!\d)\d{8,}(?!\d)", line)}
    dialled = [line for line in LINES if re.search(r"0632|\d{3,4}-\d{7}", line)]
    assert (longer, dialled) == (set(), [])


def test_addresses_stand_in_their_lines() -> None:
    for address in ADDRESSES:
        for printed in address.printed:
            assert normalise(address.text) in repaired(printed.at), (address.text, printed.at)


def test_offices_speak_of_items_that_exist() -> None:
    keys = {item.key for item in load_edition("zaozhuang").items}
    named = {printed.item for address in ADDRESSES for printed in address.printed}
    named |= {telephone.item for telephone in TELEPHONES}
    assert named - {None} <= keys


def test_every_chapter_says_where_it_is_handed_in_but_the_two_that_go_to_the_nearest_place() -> None:
    offices = offices_of("370400")
    items = load_edition("zaozhuang").items
    unserved = {item.number for item in items if not any(office.serves(item.key) for office in offices)}
    assert unserved == {"一、7", "二、4"}  # 门诊慢特病认定: 就近到医保服务大厅、医疗机构、工作站
    assert all(any(office.telephones_about(item.key) for office in offices) for item in items)
