"""What the ledger's transactions of this service are for, and the names of their business events."""

from __future__ import annotations

from enum import StrEnum

from services.enrollment.domain.kinds import InsuranceKind


class Purpose(StrEnum):
    """Purpose of a posting; the name is what account statements print."""

    CONTRIBUTION = "contribution"
    TAX_PAYMENT = "tax_payment"
    TAX_RECEIVED = "tax_received"
    TAX_ATTRIBUTED = "tax_attributed"
    TAX_CORRECTED = "tax_corrected"
    RETIREE_CREDIT = "retiree_credit"
    TRANSFER_ISSUED = "transfer_issued"
    TRANSFER_PAID = "transfer_paid"
    TRANSFER_COMPLETED = "transfer_completed"
    TRANSFER_REVERSED = "transfer_reversed"
    TRANSFER_RECEIVED = "transfer_received"
    TRANSFER_CREDITED = "transfer_credited"
    PERSONS_MERGED = "persons_merged"
    WITHDRAWAL_PAID = "withdrawal_paid"


PURPOSE_NAMES = {
    Purpose.CONTRIBUTION: "缴费划入个人账户",
    Purpose.TAX_PAYMENT: "税务征缴入账",
    Purpose.TAX_RECEIVED: "税务征缴已收，待归集",
    Purpose.TAX_ATTRIBUTED: "待归集缴费归集入账",
    Purpose.TAX_CORRECTED: "税务红字更正",
    Purpose.RETIREE_CREDIT: "退休人员个人账户月划入",
    Purpose.TRANSFER_ISSUED: "医保关系转出，余额转入在途",
    Purpose.TRANSFER_PAID: "转出资金划拨",
    Purpose.TRANSFER_COMPLETED: "转出办结，在途结清",
    Purpose.TRANSFER_REVERSED: "转出撤销，余额退回个人账户",
    Purpose.TRANSFER_RECEIVED: "转入资金到账",
    Purpose.TRANSFER_CREDITED: "医保关系转入，余额记入个人账户",
    Purpose.PERSONS_MERGED: "两条档案合并，余额并入保留的档案",
    Purpose.WITHDRAWAL_PAID: "个人账户一次性支取",
}


def contribution_source(person_id: object, kind: InsuranceKind, month: str) -> str:
    """Source id of a month's credit: the same month again is the same event."""
    return f"{Purpose.CONTRIBUTION}:{person_id}:{kind}:{month}"


def payment_source(region_code: str, serial: str, step: str = "") -> str:
    """Source id of a payment of the tax authority, by its serial number; ``step`` names what comes after.

    The posting without a step is the one that moves the bank's mirror, by the whole of the payment.
    """
    return f"tax:{region_code}:{serial}{step and f':{step}'}"


def retiree_source(person_id: object, month: str) -> str:
    """Source id of a retiree's credit of a month."""
    return f"{Purpose.RETIREE_CREDIT}:{person_id}:{month}"


def transfer_source(purpose: Purpose, region_code: str, conversation: str, attempt: int = 1) -> str:
    """Source id of a step of a transfer on one side; ``attempt`` counts preparations after a cancel."""
    return f"{purpose}:{region_code}:{conversation}:{attempt}"


def merge_source(merge_request_id: object) -> str:
    """Source id of the balance that goes over when two records of one person are merged."""
    return f"{Purpose.PERSONS_MERGED}:{merge_request_id}"


def hold_source(region_code: str, conversation: str, attempt: int) -> str:
    """Source id of the hold on a leaving balance."""
    return f"transfer_hold:{region_code}:{conversation}:{attempt}"


def withdrawal_source(case_no: str) -> str:
    """Source id of a withdrawal's payout: one case, one payout, whichever batch it went with."""
    return f"{Purpose.WITHDRAWAL_PAID}:{case_no}"


def withdrawal_hold_source(case_no: str) -> str:
    """Source id of the hold on the balance that is withdrawn."""
    return f"withdrawal_hold:{case_no}"
