"""Personal fields at rest."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from libs.protection.fields import FieldProtector, UnknownKeyError

OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32
PROTECTOR = FieldProtector({"k1": OLD}, "k1", INDEX)
CONTEXT = "370400/person.credential"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_encrypted_is_read_again(value: str) -> None:
    assert PROTECTOR.decrypt(PROTECTOR.encrypt(value, CONTEXT), CONTEXT) == value


def test_the_same_value_never_looks_the_same() -> None:
    stored = {PROTECTOR.encrypt("370402199001010010", CONTEXT) for _ in range(100)}
    assert len(stored) == 100
    assert not [text for text in stored if "1990" in text or not text.startswith("k1:")]


@pytest.mark.parametrize("context", ["370600/person.credential", "370400/person.name", ""])
def test_a_value_moved_to_another_row_or_column_does_not_open(context: str) -> None:
    with pytest.raises(InvalidTag):
        PROTECTOR.decrypt(PROTECTOR.encrypt("王五", CONTEXT), context)


def test_a_changed_value_does_not_open() -> None:
    stored = PROTECTOR.encrypt("王五", CONTEXT)
    place = len(stored) // 2
    changed = stored[:place] + ("A" if stored[place] != "A" else "B") + stored[place + 1 :]
    with pytest.raises(InvalidTag):
        PROTECTOR.decrypt(changed, CONTEXT)


def test_old_keys_stay_readable_and_the_new_one_writes() -> None:
    stored = PROTECTOR.encrypt("王五", CONTEXT)
    after = FieldProtector({"k1": OLD, "k2": NEW}, "k2", INDEX)
    assert after.decrypt(stored, CONTEXT) == "王五"
    assert after.encrypt("王五", CONTEXT).startswith("k2:")


def test_a_key_that_is_not_here_is_named() -> None:
    stored = FieldProtector({"k9": NEW}, "k9", INDEX).encrypt("王五", CONTEXT)
    with pytest.raises(UnknownKeyError, match="k9"):
        PROTECTOR.decrypt(stored, CONTEXT)


def test_the_same_name_of_a_key_with_another_key_does_not_open() -> None:
    stored = FieldProtector({"k1": NEW}, "k1", INDEX).encrypt("王五", CONTEXT)
    with pytest.raises(InvalidTag):
        PROTECTOR.decrypt(stored, CONTEXT)


def test_equal_values_have_equal_indexes_under_one_key_only() -> None:
    index = PROTECTOR.blind_index("resident_id:370402199001010010")
    assert index == PROTECTOR.blind_index("resident_id:370402199001010010")
    assert index != PROTECTOR.blind_index("resident_id:370402199001010028")
    assert index != FieldProtector({"k1": OLD}, "k1", b"x" * 32).blind_index("resident_id:370402199001010010")
    assert len(index) == 64


def test_a_file_opens_only_in_its_own_place() -> None:
    stored = PROTECTOR.encrypt_bytes(b"%PDF: 1", CONTEXT)
    assert b"%PDF" not in stored
    assert PROTECTOR.decrypt_bytes(stored, CONTEXT) == b"%PDF: 1"
    with pytest.raises(InvalidTag):
        PROTECTOR.decrypt_bytes(stored, "370600/paper")


def test_a_file_under_an_old_key_stays_readable_and_an_unknown_key_is_named() -> None:
    stored = PROTECTOR.encrypt_bytes(b"%PDF", CONTEXT)
    after = FieldProtector({"k1": OLD, "k2": NEW}, "k2", INDEX)
    assert after.decrypt_bytes(stored, CONTEXT) == b"%PDF"
    with pytest.raises(UnknownKeyError, match="k1"):
        FieldProtector({"k2": NEW}, "k2", INDEX).decrypt_bytes(stored, CONTEXT)


@given(st.binary())
def test_a_sealed_file_is_read_again_and_only_where_it_stood(content: bytes) -> None:
    sealed = PROTECTOR.encrypt_bytes(content, "370400/roster/1")
    assert PROTECTOR.decrypt_bytes(sealed, "370400/roster/1") == content
    with pytest.raises(InvalidTag):
        PROTECTOR.decrypt_bytes(sealed, "370600/roster/1")
    with pytest.raises(UnknownKeyError):
        FieldProtector({"k2": NEW}, "k2", INDEX).decrypt_bytes(sealed, "370400/roster/1")
