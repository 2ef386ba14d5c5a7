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
from services.enrollment.models.people import (
    Change,
    ContributionMonth,
    Employer,
    Enrolment,
    Person,
    Succession,
    Transfer,
)

__all__ = [
    "Base",
    "Change",
    "ContributionFile",
    "ContributionMonth",
    "Employer",
    "Enrolment",
    "Payment",
    "Person",
    "RetireeCredit",
    "RetireeRun",
    "Succession",
    "Transfer",
]
