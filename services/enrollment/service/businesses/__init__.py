"""What the service does for each operation of the catalogue, as the engine of cases carries it out."""

from __future__ import annotations

from typing import Any

from libs.caseflow.business import Business
from services.enrollment.service.businesses.employees import EmployeeRegistration
from services.enrollment.service.businesses.employer_changes import EmployerChange
from services.enrollment.service.businesses.employer_queries import EmployerQuery
from services.enrollment.service.businesses.employers import EmployerRegistration
from services.enrollment.service.businesses.people_changes import EmployeeChange, ResidentChange
from services.enrollment.service.businesses.person_query import PersonQuery
from services.enrollment.service.businesses.residents import ResidentRegistration
from services.enrollment.service.businesses.students import StudentRegistration
from services.enrollment.service.businesses.withdrawals import AccountWithdrawal

BUSINESSES: tuple[Business[Any], ...] = (
    EmployeeRegistration(),
    EmployerChange(),
    EmployerQuery(),
    EmployerRegistration(),
    ResidentRegistration(),
    StudentRegistration(),
    EmployeeChange(),
    ResidentChange(),
    PersonQuery(),
    AccountWithdrawal(),
)
