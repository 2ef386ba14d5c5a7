"""What can be applied for: one payload a business, told apart by ``kind``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from libs.caseflow.applications import Application, Supplement
from services.enrollment.schemas.applications_certificate import CertificatePayload
from services.enrollment.schemas.applications_employees import EmployeeRegistrationPayload
from services.enrollment.schemas.applications_employers import (
    EmployerChangePayload,
    EmployerQueryPayload,
    EmployerRegistrationPayload,
)
from services.enrollment.schemas.applications_people_changes import (
    EmployeeChangePayload,
    ResidentChangePayload,
)
from services.enrollment.schemas.applications_person_query import PersonQueryPayload
from services.enrollment.schemas.applications_residents import ResidentRegistrationPayload
from services.enrollment.schemas.applications_students import StudentRegistrationPayload
from services.enrollment.schemas.applications_withdrawals import AccountWithdrawalPayload

Payload = Annotated[
    AccountWithdrawalPayload
    | CertificatePayload
    | EmployeeChangePayload
    | EmployeeRegistrationPayload
    | EmployerChangePayload
    | EmployerQueryPayload
    | EmployerRegistrationPayload
    | PersonQueryPayload
    | ResidentChangePayload
    | ResidentRegistrationPayload
    | StudentRegistrationPayload,
    Field(discriminator="kind"),
]


class ApplicationBody(Application[Payload]):
    """参保业务申请。"""


class SupplementAction(Supplement[Payload]):
    """补正：补交的材料，和更正后的全部业务内容。"""
