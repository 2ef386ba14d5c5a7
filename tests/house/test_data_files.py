"""Every data file parses, and says where its facts come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.sources import own_files, text_of

# Files whose content is our own, not a document's, and whose it is.
OUR_OWN: dict[str, str] = {
    "docker-compose.yml": "our deployment",
    "libs/casework/operations.yaml": "numbers given by us to kinds of business",
    "libs/catalogue/vocabulary.yaml": "keys given by us to what the editions name",
    "libs/webapp/validation_messages.yaml": "our words for pydantic's errors",
}
YAML_FILES = [path for path in own_files() if path.suffix in {".yaml", ".yml"}]


def parse(path: Path) -> Any:
    """Read one file; a key given twice is an error, not the last one's win."""
    return yaml.load(text_of(path), Loader=_Strict)


class _Strict(yaml.SafeLoader):
    """PyYAML's safe loader, but without its tolerance for double keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != MERGE]
        double = {key for key in keys if keys.count(key) > 1}
        if double:
            raise yaml.constructor.ConstructorError(None, None, f"double keys {double}", node.start_mark)
        return super().construct_mapping(node, deep)


MERGE = "tag:yaml.org,2002:merge"


def names_source(content: Any, header: str) -> bool:
    """Whether a file names a document: a ``source``, lines (``at``) of its edition's, or its header does."""
    return any(key in {"source", "at"} for key in keys_of(content)) or "出自" in header or "出处" in header


def keys_of(content: Any) -> Iterator[Any]:
    """All keys at any depth."""
    if isinstance(content, dict):
        yield from content
        for value in content.values():
            yield from keys_of(value)
    elif isinstance(content, list):
        for value in content:
            yield from keys_of(value)


def header_of(text: str) -> str:
    """The comment a file begins with."""
    lines = text.splitlines()
    count = next((n for n, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "\n".join(lines[:count])


def test_every_data_file_parses_and_is_utf8() -> None:
    broken = {}
    for path in YAML_FILES:
        try:
            parse(path)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            broken[str(path)] = str(error)
    assert not broken


def test_every_data_file_names_its_source() -> None:
    unnamed = [
        str(path)
        for path in YAML_FILES
        if str(path) not in OUR_OWN and not names_source(parse(path), header_of(text_of(path)))
    ]
    assert not unnamed


def test_every_edition_names_its_document() -> None:
    editions = [path for path in YAML_FILES if path.name == "edition.yaml"]
    assert len(editions) == 5
    for path in editions:
        assert (Path("libs/catalogue/sources") / parse(path)["source"]) in own_files(), path


def test_our_own_files_exist() -> None:
    assert set(OUR_OWN) <= {str(path) for path in YAML_FILES}


def test_a_double_key_would_be_found() -> None:
    with pytest.raises(yaml.YAMLError, match="double keys"):
        yaml.load("a: 1\na: 2\n", Loader=_Strict)


PERSONAL_CONTACTS = re.compile(
    r"(?<!\d)1[3-9]\d{9}(?!\d)|[\w.]+@\w+\.\w+|联系人[：:](?!（姓名略）)|(?<!\d)\d{17}[\dXx](?![\dXx])"
)


def test_no_document_keeps_a_personal_contact() -> None:
    found = {
        str(path): PERSONAL_CONTACTS.findall(text_of(path))
        for path in own_files()
        if path.parent == Path("libs/catalogue/sources")
    }
    assert len(found) == 5
    assert not any(found.values()), found


@pytest.mark.parametrize("line", ["联系人：省医保中心 某某", "电话 13800138000", "邮箱：a.b@example.cn"])
def test_a_personal_contact_would_be_found(line: str) -> None:
    assert PERSONAL_CONTACTS.search(line)
