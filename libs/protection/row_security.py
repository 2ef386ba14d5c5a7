"""Row-level security by region: what a transaction may see is set in ``yibao.regions``."""

from __future__ import annotations

from alembic.operations import Operations


def restrict_to_regions(op: Operations, table: str) -> None:
    """Row-level security by ``region_code``: the second line of region isolation."""
    seen = "current_setting('yibao.regions', true)"
    condition = f"region_code = ANY(string_to_array({seen}, ',')) OR {seen} = '*'"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {table}_regions ON {table} USING ({condition}) WITH CHECK ({condition})")
