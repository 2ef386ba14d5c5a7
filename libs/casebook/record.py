"""The chain that runs through a case's record: a line that was changed, removed or put in is found.

Each line's hash covers the hash before it. Unkeyed, so it shows tampering to whoever kept a later
hash or the published facts; it does not stop somebody who rewrites everything after.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

FIRST_HASH = "0" * 64


def line_hash(line: Mapping[str, Any]) -> str:
    """SHA-256 over a line of the record in canonical JSON, the previous line's hash included."""
    plain = {
        name: value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else value
        for name, value in line.items()
    }
    encoded = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(encoded.encode()).hexdigest()


def faults_in_record(lines: Sequence[Row[Any]], version: int) -> list[str]:
    """Check a record's chain; names every line that was changed, removed or put in.

    ``version`` of the case itself: a record whose end was cut off is shorter than that.
    """
    found = []
    previous = FIRST_HASH
    for expected_version, row in enumerate(lines, start=1):
        line = dict(row._mapping)
        kept_hash = line.pop("hash")
        if line["version"] != expected_version or line["previous_hash"] != previous:
            found.append(f"第{expected_version}条记录缺失或次序不对")
        if line_hash(line) != kept_hash:
            found.append(f"第{line['version']}条记录被改动")
        previous = kept_hash
    if len(lines) != version:
        found.append(f"办件已到第{version}版，记录只有{len(lines)}条")
    return found
