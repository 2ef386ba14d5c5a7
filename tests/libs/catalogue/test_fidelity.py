"""Every quoted fact stands in the lines it names, in every edition."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from libs.catalogue import editions
from libs.catalogue.editions import edition_ids, load_edition
from libs.catalogue.fidelity import facts, faults, line_numbers, normalise


@pytest.mark.parametrize("edition_id", edition_ids())
def test_every_quoted_fact_stands_in_its_lines(edition_id: str) -> None:
    assert list(faults(edition_id)) == []


@pytest.mark.parametrize("edition_id", edition_ids())
def test_every_repair_still_repairs_something(edition_id: str) -> None:
    files = load_edition(edition_id)
    lines = editions.source_lines(edition_id)
    repaired = {number: normalise(line) for number, line in enumerate(lines, start=1)}
    for repair in files.edition.repairs:
        original, instead = normalise(repair.original), normalise(repair.repaired)
        numbers = line_numbers(repair.at)
        joined = "".join(repaired[number] for number in numbers)
        assert original in joined, (repair.at, repair.original)
        assert original != instead
        for number in numbers:  # later repairs of the same line build on earlier ones
            repaired[number] = repaired[number].replace(original, instead)


@pytest.fixture
def altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of 枣庄's edition that a test may spoil."""
    for path in (editions.EDITIONS_FOLDER / "zaozhuang").rglob("*.yaml"):
        copy = tmp_path / path.relative_to(editions.EDITIONS_FOLDER)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(editions, "EDITIONS_FOLDER", tmp_path)
    load_edition.cache_clear()
    yield tmp_path / "zaozhuang"
    load_edition.cache_clear()


def spoil(path: Path, place: tuple[str | int, ...], value: object) -> None:
    record = yaml.safe_load(path.read_text(encoding="utf-8"))
    *parents, last = place
    spot = record
    for step in parents:
        spot = spot[step]
    spot[last] = value
    path.write_text(yaml.safe_dump(record, allow_unicode=True), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "place", "value"),
    [
        ("items/06-transfer-in.yaml", ("time_limits", 0, "text"), "跨省转移接续不超过16个工作日"),
        ("items/06-transfer-in.yaml", ("materials", 0, "at"), "L1"),
        ("items/06-transfer-in.yaml", ("materials", 0, "at"), "L999999"),
        (
            "items/15-prenatal-examination-fee.yaml",
            ("differences", 0, "readings", "heading", "text"),
            "产检费",
        ),
        ("forms/01-hospital-agreement-application.yaml", ("fields", 0, "label"), "申请人"),
        ("edition.yaml", ("repairs", 0, "repaired"), "泽城"),
    ],
)
def test_a_spoilt_fact_is_found(
    altered: Path, file: str, place: tuple[str | int, ...], value: object
) -> None:
    spoil(altered / file, place, value)
    assert list(faults("zaozhuang"))


def test_a_misspelt_key_is_refused_with_the_file_named(altered: Path) -> None:
    spoil(altered / "items/06-transfer-in.yaml", ("matrials",), [])
    with pytest.raises(editions.CatalogueDataError, match=r"06-transfer-in\.yaml"):
        load_edition("zaozhuang")


def test_facts_reach_into_lists_readings_and_forms() -> None:
    files = load_edition("zaozhuang")
    paths = {fact.path for record in [*files.items, *files.forms] for fact in facts(record)}
    assert {"name", "materials[0]", "differences[0].readings.heading", "fields[0]", "title"} <= paths
