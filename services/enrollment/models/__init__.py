"""Tables of the enrollment service besides those of the libraries; all isolated by region.

Personal fields (credential, name, telephone …) are encrypted; ``person_key`` is the blind index.
"""

from __future__ import annotations

from services.enrollment.models.base import Base
from services.enrollment.models.contributions import (
    ContributionFile,
    Payment,
    RetireeCredit,
    RetireeRun,
)
from services.enrollment.models.merges import PersonAlias, PersonMerge
from services.enrollment.models.papers import Paper
from services.enrollment.models.people import (
    Change,
    ContributionMonth,
    Employer,
    Enrolment,
    Person,
    Succession,
    Transfer,
)
from services.enrollment.models.rosters import Roster, RosterFile, RosterRow
from services.enrollment.models.withdrawals import DeathNotice, PayoutBatch, PayoutLine, Withdrawal

__all__ = [
    "Base",
    "Change",
    "ContributionFile",
    "ContributionMonth",
    "DeathNotice",
    "Employer",
    "Enrolment",
    "Paper",
    "Payment",
    "PayoutBatch",
    "PayoutLine",
    "Person",
    "PersonAlias",
    "PersonMerge",
    "RetireeCredit",
    "RetireeRun",
    "Roster",
    "RosterFile",
    "RosterRow",
    "Succession",
    "Transfer",
    "Withdrawal",
]
