"""One-time notice (一次性告知): everything missing or wrong at once, with its rule.

The rules are the item's own: required fields (受理信息必填项) and materials with the conditions
under which each is needed, alternatives, and 个人承诺书 where the item allows one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from libs.catalogue.schema import Material, ServiceItem
from libs.catalogue.situation import Situation
from libs.refusals.faults import Fault, forbidden


@dataclass(frozen=True)
class Submitted:
    """A material as handed in. ``by_commitment``: a 个人承诺书 stands in for it."""

    key: str
    by_commitment: bool = False


@dataclass(frozen=True)
class Completeness:
    """What an application lacks: nothing (``faults`` empty) or all of it."""

    faults: tuple[Fault, ...] = field(default=())

    @property
    def is_complete(self) -> bool:
        return not self.faults


def check(
    edition_id: str,
    item: ServiceItem,
    situation: Situation,
    fields: Mapping[str, object],
    materials: Sequence[Submitted],
    pointers: Mapping[str, str] | None = None,
) -> Completeness:
    """Every missing field and material of ``item`` in this situation, in the document's order.

    ``fields``: values by the keys of the item's required fields; None and blank are missing.
    ``pointers``: where in the application such a field stands, if not in its payload by that key.
    """
    where = pointers or {}
    rule = f"{edition_id} 第{item.number}项《{item.name.text}》"
    faults = [
        Fault(
            "missing_field",
            f"缺少必填信息“{required.text}”，请补充。",
            where.get(required.key, f"/payload/{required.key}"),
            f"{rule}，{required.at}",
        )
        for required in item.required_fields
        if _is_blank(fields.get(required.key))
    ]
    faults += _material_faults(rule, item.materials, situation, materials)
    return Completeness(tuple(faults))


def ask_again(
    earlier: Iterable[Fault], now: Sequence[Fault], supervisor: str | None, reason: str | None
) -> bool:
    """Whether this notice repeats what was already visible at the first one.

    Raises Refusal unless a supervisor stands behind a repetition with a reason (domain.md §2).
    """
    if not list(earlier):
        return False
    if supervisor is None or not (reason or "").strip():
        raise forbidden(
            "second_notice",
            "已经一次性告知过；再次要求补正须由主管人员批准并说明理由。",
            [Fault("second_notice", fault.message, fault.pointer, fault.rule) for fault in now],
        )
    return True


def _material_faults(
    rule: str, needed: Sequence[Material], situation: Situation, handed_in: Sequence[Submitted]
) -> list[Fault]:
    given = {material.key for material in handed_in}
    faults: list[Fault] = []
    for group in _alternatives(m for m in needed if m.required and situation.meets(m.when)):
        if any(_accepted(material, submitted) for material in group for submitted in handed_in):
            continue
        refused = [m for m in group if m.key in given]  # handed in as a commitment not allowed here
        names = "或".join(m.name for m in group)
        hint = "（可提交个人承诺书）" if any(m.commitment_allowed for m in group) else ""
        message = (
            f"“{names}”不能以个人承诺书代替，请提交原件或电子证照。"
            if refused
            else f"缺少材料“{names}”{hint}，请补交。"
        )
        pointers = ",".join(m.key for m in group)
        faults.append(Fault("missing_material", message, f"/materials/{pointers}", f"{rule}，{group[0].at}"))
    return faults


def _accepted(material: Material, submitted: Submitted) -> bool:
    return submitted.key == material.key and (not submitted.by_commitment or material.commitment_allowed)


def _alternatives(materials: Iterable[Material]) -> list[list[Material]]:
    """Materials grouped by ``one_of``; a material without it stands alone. Order is kept."""
    groups: dict[str, list[Material]] = {}
    for material in materials:
        groups.setdefault(material.one_of or f"={material.key}", []).append(material)
    return list(groups.values())


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
