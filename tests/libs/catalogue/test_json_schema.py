"""The schema that editors check with is the one the loader checks with."""

from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from libs.catalogue.editions import EDITIONS_FOLDER, edition_ids
from libs.catalogue.json_schema import SCHEMA_FILE, as_text


def test_the_file_is_up_to_date() -> None:
    message = "run: python -m libs.catalogue.json_schema"
    assert SCHEMA_FILE.read_text(encoding="utf-8") == as_text(), message


@pytest.mark.parametrize("edition_id", edition_ids())
def test_every_data_file_fits_it(edition_id: str) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    for path in sorted((EDITIONS_FOLDER / edition_id).rglob("*.yaml")):
        record = json.loads(
            json.dumps(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader), default=str)
        )
        assert validator.is_valid(record), path


def test_a_misspelt_key_does_not_fit_it() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    record = yaml.safe_load(
        (EDITIONS_FOLDER / "zaozhuang" / "items" / "06-transfer-in.yaml").read_text("utf-8")
    )
    assert validator.is_valid(record)
    assert not validator.is_valid(record | {"matrials": []})
