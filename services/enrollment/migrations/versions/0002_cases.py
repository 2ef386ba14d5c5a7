"""Cases, and what employers and people are known by beyond their names.

Frozen SQL: what the models say later is the business of later revisions.
"""

from __future__ import annotations

from alembic import op
from alembic.operations import Operations

from libs.casebook import tables as casebook
from libs.protection.row_security import restrict_to_regions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_CHANGES = (
    """
    ALTER TABLE employers
        ADD COLUMN nature text,
        ADD COLUMN insurance_kinds jsonb,
        ADD COLUMN insured_since date,
        ADD COLUMN state_since date,
        ADD COLUMN particulars text,
        ADD COLUMN agent_key varchar(64)
    """,
    "CREATE INDEX ix_employers_agent ON employers (agent_key)",
    """
    CREATE TABLE employer_successions (
        predecessor_id uuid NOT NULL,
        successor_id uuid NOT NULL,
        case_no text NOT NULL,
        region_code varchar(6) NOT NULL,
        kind text NOT NULL
            CONSTRAINT employer_successions_kind CHECK (kind IN ('split', 'merge', 'separate')),
        effective_on date NOT NULL,
        people bigint NOT NULL,
        PRIMARY KEY (predecessor_id, successor_id, case_no),
        FOREIGN KEY (region_code, predecessor_id) REFERENCES employers (region_code, id),
        FOREIGN KEY (region_code, successor_id) REFERENCES employers (region_code, id)
    )
    """,
    """
    ALTER TABLE persons
        ADD COLUMN address text,
        ADD COLUMN applicant_status text,
        ADD COLUMN subsidy_kind text,
        ADD COLUMN special_group text,
        ADD COLUMN deceased_on date,
        ADD COLUMN merged_into uuid REFERENCES persons (id)
    """,
    "ALTER TABLE enrolments ADD COLUMN declared_wage_fen bigint CHECK (declared_wage_fen >= 0)",
)

_GRANTS = {
    "employers": (
        "UPDATE (version, credit_code, name, state, nature, insurance_kinds, insured_since, state_since, "
        "particulars, agent_key)"
    ),
    "employer_successions": "SELECT, INSERT",
    "persons": (
        "UPDATE (person_key, credential_type, credential, name, telephone, sex, birth_date, address, "
        "applicant_status, subsidy_kind, special_group, deceased_on, merged_into)"
    ),
    "enrolments": "UPDATE (person_id, person_key, declared_wage_fen)",
    "contribution_months": "UPDATE (person_id)",
    "transfers": "UPDATE (person_key)",
}


def upgrade() -> None:
    """Forward only: a mistake is put right by the next migration."""
    operations = Operations(op.get_context())
    casebook.install_v1(operations)
    for statement in _CHANGES:
        op.execute(statement)
    for table, rights in _GRANTS.items():
        op.execute(f"GRANT {rights} ON {table} TO yibao_app")
    restrict_to_regions(operations, "employer_successions")
