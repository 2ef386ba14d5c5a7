"""JSON Schema of the data files, for editors that check while one types.

``python -m libs.catalogue.json_schema`` writes ``schema.json`` anew; a test holds it to ``schema.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from libs.catalogue.schema import Edition, Form, ServiceItem

SCHEMA_FILE = Path(__file__).parent / "schema.json"


def document() -> dict[str, Any]:
    """One schema that fits any data file: an edition's head, an item or a form."""
    kinds, schema = models_json_schema(
        [(kind, "validation") for kind in (Edition, ServiceItem, Form)], title="服务事项目录的数据文件"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "anyOf": list(kinds.values()),
        **schema,
    }


def as_text() -> str:
    """The schema as it is kept in the file."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(as_text(), encoding="utf-8")
