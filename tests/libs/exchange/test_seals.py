"""Whose seal it is, and when it counts."""

from __future__ import annotations

import datetime as dt

import pytest

from libs.exchange.envelope import Kind, Message, Seal
from libs.exchange.faults import Code, Fault
from libs.exchange.seals import Ed25519Signer, KeyDirectory, Verifier, sealed
from tests.libs.exchange import papers
from tests.libs.exchange.papers import MONDAY, WUHAN, ZAOZHUANG

DAY = dt.timedelta(days=1)
SIGNER = Ed25519Signer.generate(ZAOZHUANG)


def letter(signer: Ed25519Signer = SIGNER) -> Message:
    return sealed(papers.message(Kind.CONTACT_LETTER, papers.contact_letter()), signer)


def faults(
    message: Message,
    *,
    signer: Ed25519Signer = SIGNER,
    since: dt.datetime = MONDAY - DAY,
    until: dt.datetime | None = None,
    revoked_at: dt.datetime | None = None,
    checked_at: dt.datetime = MONDAY + DAY,
) -> list[Fault]:
    key = signer.trusted_key(since, until).model_copy(update={"revoked_at": revoked_at})
    verifier = Verifier(KeyDirectory([key]))
    return verifier.faults(message, message.from_region, made_at=message.created_at, checked_at=checked_at)


def test_a_seal_by_the_senders_key_holds() -> None:
    assert faults(letter()) == []


def test_a_missing_seal_is_refused() -> None:
    assert [fault.field for fault in faults(letter().model_copy(update={"seal": None}))] == ["seal"]


def test_the_seal_of_another_region_is_refused() -> None:
    stranger = Ed25519Signer.generate(WUHAN)
    assert [fault.field for fault in faults(letter(stranger), signer=stranger)] == ["seal.signer"]


def test_an_unregistered_key_is_refused_saying_so() -> None:
    (fault,) = faults(letter(Ed25519Signer.generate(ZAOZHUANG)))
    assert fault.code is Code.SIGNER_UNKNOWN
    assert "请先登记公钥" in fault.message


def test_another_key_under_the_right_name_is_refused() -> None:
    posing = Ed25519Signer.generate(ZAOZHUANG)
    posing.key_id = SIGNER.key_id
    assert [fault.field for fault in faults(letter(posing))] == ["seal.value"]


@pytest.mark.parametrize("value", ["", "not base64!", "AAAA"])
def test_a_broken_signature_is_refused(value: str) -> None:
    message = letter()
    assert message.seal
    broken = message.seal.model_copy(update={"value": value})
    assert [fault.field for fault in faults(message.model_copy(update={"seal": broken}))] == ["seal.value"]


def test_the_algorithm_must_be_the_registered_keys() -> None:
    message = letter()
    assert message.seal
    other = message.seal.model_copy(update={"algorithm": "sm2-sm3"})
    assert [fault.code for fault in faults(message.model_copy(update={"seal": other}))] == [
        Code.SIGNER_UNKNOWN
    ]


def test_a_key_counts_from_its_first_moment_up_to_its_last() -> None:
    assert faults(letter(), since=MONDAY) == []
    assert faults(letter(), since=MONDAY + dt.timedelta(microseconds=1)) != []
    assert faults(letter(), until=MONDAY + dt.timedelta(microseconds=1)) == []
    assert faults(letter(), until=MONDAY) != []


def test_nothing_is_believed_under_a_key_once_it_is_revoked_even_if_dated_back() -> None:
    revoked_at = MONDAY + DAY
    before = revoked_at - dt.timedelta(microseconds=1)
    assert faults(letter(), revoked_at=revoked_at, checked_at=before) == []
    assert faults(letter(), revoked_at=revoked_at, checked_at=revoked_at) != []


def test_a_seal_cannot_be_moved_to_another_message() -> None:
    other = letter().model_copy(update={"seal": letter().seal})
    assert [fault.code for fault in faults(other)] == [Code.SEAL_INVALID]


def test_a_key_file_reads_back_with_its_password() -> None:
    again = Ed25519Signer.from_pem(ZAOZHUANG, SIGNER.pem(b"secret"), b"secret")
    assert again.key_id == SIGNER.key_id
    assert faults(letter(again)) == []


def test_a_directory_reads_back_from_json() -> None:
    directory = KeyDirectory([SIGNER.trusted_key(MONDAY - DAY, MONDAY + DAY)])
    again = KeyDirectory.from_data(directory.to_data())
    assert again.to_data() == directory.to_data()
    assert again.find(ZAOZHUANG, SIGNER.key_id) == directory.find(ZAOZHUANG, SIGNER.key_id)


def test_the_seal_names_signer_algorithm_and_key_under_the_signature() -> None:
    message = letter()
    assert message.seal
    for name in ("signer", "algorithm", "key_id"):
        changed: Seal = message.seal.model_copy(update={name: "other"})
        assert message.model_copy(update={"seal": changed}).sealed_bytes() != message.sealed_bytes()
