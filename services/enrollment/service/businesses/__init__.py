"""What the service does for each operation of the catalogue, as the engine of cases carries it out."""

from __future__ import annotations

from typing import Any

from libs.caseflow.business import Business
from services.enrollment.service.businesses.employees import EmployeeRegistration
from services.enrollment.service.businesses.residents import ResidentRegistration
from services.enrollment.service.businesses.withdrawals import AccountWithdrawal

BUSINESSES: tuple[Business[Any], ...] = (
    EmployeeRegistration(),
    ResidentRegistration(),
    AccountWithdrawal(),
)
