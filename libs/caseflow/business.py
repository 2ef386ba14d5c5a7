"""What a service says about one of its operations; the engine does the rest.

A business is stateless. Its effects happen in the transaction of the decision, through the desk's
session, so a case and what it changes are never apart.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from libs.casebook.cases import Case
from libs.caseflow.applications import Application
from libs.caseflow.stages import REVIEW_ONLY, Stage
from libs.refusals.faults import Fault

if TYPE_CHECKING:
    from libs.caseflow.desk import CaseDesk

P = TypeVar("P")


@dataclass(frozen=True)
class Particulars:
    """What the item's conditions and required fields are held against.

    ``person_kinds`` and ``case_kinds`` are the catalogue's words (``flexible_worker``, ``death`` …);
    ``fields`` the values of the item's required fields by key, ``pointers`` where in the application
    a field stands when not at ``/payload/<key>``.
    """

    person_kinds: frozenset[str] = frozenset()
    case_kinds: frozenset[str] = frozenset()
    fields: Mapping[str, object] = field(default_factory=dict)
    pointers: Mapping[str, str] = field(default_factory=dict)


class Business(ABC, Generic[P]):
    """One operation of the catalogue, as its owning service carries it out.

    ``kind`` is what ``payload.kind`` says; ``operation`` the catalogue's name for it.
    ``system_scope``: systems holding it may apply (joint registration with other departments).
    """

    kind: ClassVar[str]
    operation: ClassVar[str]
    system_scope: ClassVar[str | None] = None

    @abstractmethod
    def particulars(self, application: Application[P]) -> Particulars:
        """What the item's own data are held against."""

    def particulars_at(self, desk: CaseDesk, application: Application[P]) -> Particulars:
        """The same where the catalogue in force decides about them (what is key information, say)."""
        return self.particulars(application)

    async def on_record(self, desk: CaseDesk, application: Application[P]) -> Particulars:
        """What the service's own records add to the form.

        Kinds are added to those of the form; a field counts only where the form leaves it out
        (a form for a change need not repeat what stays as it was).
        """
        return Particulars()

    @abstractmethod
    async def faults(self, desk: CaseDesk, application: Application[P]) -> list[Fault]:
        """Every rule that stands against carrying it out as things are now, with its evidence.

        Asked at submission, at acceptance and again before the decision. Changes nothing. Whose
        application it is says ``desk.case``: what a case set aside itself is nothing against it.
        """

    @abstractmethod
    async def carry_out(
        self, desk: CaseDesk, case: Case, application: Application[P]
    ) -> Mapping[str, Any] | None:
        """Do it; what is returned stands in the record's last line (no personal data).

        Raises Refusal where it cannot be done after all: then nothing has happened.
        """

    async def require_rights(self, desk: CaseDesk, application: Application[P]) -> None:
        """Whether this caller may apply for whom the payload names. Raises Refusal (forbidden)."""

    async def reasons_for_review(self, desk: CaseDesk, application: Application[P]) -> list[str]:
        """Why a person must decide, and not the one who entered it; empty where the system can check all."""
        return []

    async def obtained(self, desk: CaseDesk, application: Application[P]) -> frozenset[str]:
        """Keys of materials whose facts the office has by data sharing.

        Counts only for materials of which the item says that data sharing spares them.
        """
        return frozenset()

    def steps(self, application: Application[P]) -> tuple[Stage, ...]:
        """The stages after acceptance."""
        return REVIEW_ONLY

    async def reached(self, desk: CaseDesk, case: Case, application: Application[P], stage: Stage) -> None:
        """The case has just come to ``stage`` (after acceptance): holds and other preparations."""

    async def ended_without(self, desk: CaseDesk, case: Case, application: Application[P]) -> None:
        """The case was rejected or withdrawn after acceptance: undo what ``reached`` prepared."""
