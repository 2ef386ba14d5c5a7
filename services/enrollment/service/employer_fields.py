"""An employer's data by the keys of the catalogue's required fields, from a form or from the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libs.caseflow.desk import CaseDesk
from services.enrollment.models import Employer
from services.enrollment.schemas.employers import EmployerDetails
from services.enrollment.service.employers import particulars_of


def form_fields(form: EmployerDetails) -> dict[str, object]:
    """What the form says; None where it says nothing or too little."""
    data = form.data()
    return _fields(form.name, form.nature, data.insurance_kinds, data.particulars)


def record_fields(desk: CaseDesk, employer: Employer) -> dict[str, object]:
    """What the record says."""
    known = particulars_of(desk.flow.protector, employer)
    fields = _fields(employer.name, employer.nature, employer.insurance_kinds, known)
    since = employer.insured_since and employer.insured_since.isoformat()
    return {**fields, "credit-code-or-employer-code": employer.credit_code, "participation-date": since}


def _fields(name: str | None, nature: str | None, kinds: Any, told: Mapping[str, Any]) -> dict[str, object]:
    representative, agent = told.get("legal_representative", {}), told.get("agent", {})
    account, telephone = told.get("bank_account", {}), representative.get("telephone")
    return {
        "employer-name": name,
        "employer-nature": nature,
        "employer-type": nature,
        "postal-address": told.get("address"),
        "employer-address": told.get("address"),
        # Name, credential and telephone are one field (hubei-2022 L191).
        "legal-representative": representative.get("name") if telephone else None,
        "legal-representative-name": representative.get("name"),
        "legal-representative-credential": representative.get("credential_no"),
        "legal-representative-telephone": telephone,
        "bank-account": account.get("account_no"),
        "insurance-kinds": "、".join(kinds) if kinds else None,
        "employer-agent": agent.get("name"),
        "employer-agent-name": agent.get("name"),
        "employer-agent-telephone": agent.get("mobile"),
    }
