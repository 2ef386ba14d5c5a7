"""The typeface has what names are written with, and says what it has not."""

from __future__ import annotations

from io import BytesIO

import pytest
from fontTools.ttLib import TTFont

from libs.documents.typefaces import MissingCharacters, noto_files, typeface


def gb_2312() -> str:
    """Every character of GB 2312."""
    pairs = (bytes([row, cell]) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    return "".join(pair.decode("gb2312", "ignore") for pair in pairs)


def test_every_character_of_gb_2312_is_there() -> None:
    assert len(gb_2312()) == 7445
    assert typeface().missing(gb_2312()) == []


def test_rare_characters_of_names_are_there() -> None:
    assert typeface().missing("㛃䶮㐱喆堃犇龘〇·𬭊𫖯𬤝𤩽𬱖𠮷") == []


def test_all_missing_characters_are_told_at_once_and_nothing_is_drawn() -> None:
    with pytest.raises(MissingCharacters) as raised:
        typeface().subset("张\U0002a6d0三\U0002a6d1\U0002a6d0", "Some")
    assert raised.value.characters == ("\U0002a6d0", "\U0002a6d1")


def test_a_subset_has_the_characters_asked_for_and_no_others() -> None:
    font = TTFont(BytesIO(typeface().subset("张三𠮷", "Some")))
    assert set(font.getBestCmap()) == {ord(character) for character in "张三𠮷 "}


def test_a_glyph_has_the_outline_of_the_font_at_that_weight() -> None:
    regular = TTFont(BytesIO(typeface(400).subset("一", "Some")))["glyf"]["u04E00"]
    bold = TTFont(BytesIO(typeface(700).subset("一", "Some")))["glyf"]["u04E00"]
    assert 0 < regular.yMax - regular.yMin < bold.yMax - bold.yMin


def test_the_same_characters_make_the_same_file() -> None:
    assert typeface().subset("张三", "Some") == typeface().subset("三张张", "Some")


def test_the_licence_comes_with_the_fonts() -> None:
    for path in noto_files():
        assert "SIL OPEN FONT LICENSE Version 1.1" in (path.parent / "OFL.txt").read_text("utf-8")
