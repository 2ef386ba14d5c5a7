"""拆分、合并、分立: employers take over others' people, all in one transaction."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.contracts.enrollment import EmployerSucceeded
from libs.refusals.faults import Fault
from services.enrollment.domain.employers import (
    EmployerData,
    EmployerState,
    NewEmployer,
    in_future,
    no_employer,
    not_in_state,
    require_unchanged,
)
from services.enrollment.domain.successions import Assignment, Member, Share, SuccessionKind, assign
from services.enrollment.models import Employer, Succession
from services.enrollment.repository import employers as records
from services.enrollment.repository import workforce as people_of_employers
from services.enrollment.schemas.applications_employers import (
    Division,
    Merger,
    ShareBody,
    Succeeding,
    SuccessorBody,
)
from services.enrollment.schemas.employers import EmployerDetails
from services.enrollment.service import employers, workforce
from services.enrollment.service.desk import Desk

AT = "/payload/registration"


@dataclass(frozen=True)
class Parties:
    """The employers a form names, as they are known here; successors not known yet are missing."""

    predecessors: list[Employer]
    successors: dict[str, Employer]
    faults: list[Fault]


async def faults(desk: Desk, region_code: str, form: Succeeding) -> list[Fault]:
    """Every reason against it: the employers', and once these are right the people's."""
    parties = await parties_of(desk, region_code, form)
    found = [*_faults_of_form(form), *parties.faults]
    found += in_future(form.effective_on, desk.today, f"{AT}/effective_on")
    if found:
        return found
    members = await people_of_employers.members_of(desk.session, [one.id for one in parties.predecessors])
    return await _faults_of_people(desk, form, members)


async def carry_out(desk: Desk, region_code: str, form: Succeeding, case_no: str) -> Mapping[str, Any]:
    """Do it. Raises Refusal (conflict) where things have changed meanwhile: then nothing has happened.

    Locks employers before people, as everybody does who enrols somebody with an employer.
    """
    parties = await parties_of(desk, region_code, form, lock=True)
    require_unchanged(parties.faults)
    ids = [one.id for one in parties.predecessors]
    members = await people_of_employers.members_of(desk.session, ids, lock=True)
    require_unchanged(await _faults_of_people(desk, form, members))
    successors = [
        parties.successors.get(body.credit_code) or await _register(desk, region_code, form, place, body)
        for place, body in enumerate(successors_of(form))
    ]
    moves = _assignment(desk, form, members).moves
    to = {enrolment_id: successors[number].id for enrolment_id, number in moves.items()}
    moving = [member for member in members if member.enrolment_id in to]
    await workforce.move_all(desk, region_code, moving, to, form.effective_on)
    if form.succession is not SuccessionKind.SEPARATE:
        for employer in parties.predecessors:
            await employers.change(
                desk, employer, EmployerData(), state=EmployerState.CANCELLED, since=form.effective_on
            )
    await _record(desk, form, case_no, parties.predecessors, successors, moving, to)
    return {
        "predecessor_ids": [str(one) for one in ids],
        "successor_ids": [str(employer.id) for employer in successors],
        "people": len({member.person_id for member in moving}),
        "enrolments": len(moving),
    }


async def parties_of(desk: Desk, region_code: str, form: Succeeding, *, lock: bool = False) -> Parties:
    """The employers named, and what is wrong with them; locked all at once, in one order."""
    olds = predecessors_of(form)
    codes = {*olds, *(body.credit_code for body in successors_of(form))}
    known = await records.find_by_codes(desk.session, region_code, codes, lock=lock)
    found = []
    for code, pointer in olds.items():
        employer = known.get(code)
        if employer is None:
            found.append(no_employer(code, pointer))
        elif employer.state == EmployerState.CANCELLED:
            found.append(not_in_state(employer.name, employer.state, employer.state_since, pointer))
    for place, body in enumerate(successors_of(form)):
        found += _faults_of_successor(body, known.get(body.credit_code), at_successor(form, place))
    successors = {
        body.credit_code: known[body.credit_code] for body in successors_of(form) if body.credit_code in known
    }
    return Parties([known[code] for code in olds if code in known], successors, found)


def predecessors_of(form: Succeeding) -> dict[str, str]:
    """Credit codes of the employers whose people go on elsewhere, and where the form names them."""
    if isinstance(form, Merger):
        named = {code: f"{AT}/predecessors/{place}" for place, code in enumerate(form.predecessors)}
        return named
    return {form.credit_code: f"{AT}/credit_code"}


def successors_of(form: Succeeding) -> Sequence[SuccessorBody]:
    """Who takes people over."""
    return form.successors if isinstance(form, Division) else [form.successor]


def at_successor(form: Succeeding, place: int) -> str:
    """Where the form names that successor."""
    return f"{AT}/successors/{place}" if isinstance(form, Division) else f"{AT}/successor"


def _faults_of_form(form: Succeeding) -> list[Fault]:
    """Who is named twice, or on both sides; how many there must be."""
    found: list[Fault] = []
    olds = predecessors_of(form)
    seen: set[str] = set()
    for place, body in enumerate(successors_of(form)):
        at = f"{at_successor(form, place)}/credit_code"
        if body.credit_code in olds:
            found.append(Fault("own_successor", "承继单位不能同时是原单位；存续的单位不填入原单位。", at))
        if body.credit_code in seen:
            found.append(Fault("employer_twice", "同一承继单位只填一次，人员合并填写。", at))
        seen.add(body.credit_code)
    if isinstance(form, Merger):
        return found + _faults_of_merger(form)
    if form.succession is SuccessionKind.SPLIT and len(form.successors) < 2:
        message = "拆分后应有两个以上承继单位；只有一个的请按合并或变更登记办理。"
        found.append(Fault("too_few_successors", message, f"{AT}/successors"))
    rests = [place for place, body in enumerate(form.successors) if body.takes_rest]
    for place in rests[1:]:
        message = "只能有一个承继单位转入其余人员。"
        found.append(Fault("rest_twice", message, f"{AT}/successors/{place}/takes_rest"))
    return found


def _faults_of_merger(form: Merger) -> list[Fault]:
    first: dict[str, int] = {}
    return [
        Fault("employer_twice", "同一单位只填一次。", f"{AT}/predecessors/{place}")
        for place, code in enumerate(form.predecessors)
        if first.setdefault(code, place) != place
    ]


def _faults_of_successor(body: SuccessorBody, known: Employer | None, at: str) -> list[Fault]:
    if known is None:
        if body.name is not None:
            return []
        message = f"本地没有统一社会信用代码为{body.credit_code}的参保单位；新设的请填写单位名称等信息。"
        return [Fault("no_employer", message, f"{at}/name")]
    if known.state != EmployerState.ACTIVE:
        return [not_in_state(known.name, known.state, known.state_since, f"{at}/credit_code")]
    told = {field for field in EmployerDetails.model_fields if getattr(body, field) is not None}
    if told - {"name"} or body.name not in (None, known.name):
        message = f"承继单位“{known.name}”已在本地参保，只填统一社会信用代码；其信息变更请另行办理。"
        return [Fault("successor_known", message, at)]
    return []


def _assignment(desk: Desk, form: Succeeding, members: Sequence[Member]) -> Assignment:
    shares = [_share(desk, body) for body in successors_of(form)]
    return assign(form.succession, members, shares, form.effective_on)


def _share(desk: Desk, body: SuccessorBody) -> Share:
    if not isinstance(body, ShareBody):
        return Share(takes_rest=True)
    keys = [desk.protector.blind_index(one.credential.canonical) for one in body.people]
    return Share(keys, body.takes_rest)


async def _faults_of_people(desk: Desk, form: Succeeding, members: Sequence[Member]) -> list[Fault]:
    assignment = _assignment(desk, form, members)
    if assignment.is_right:
        return []
    found = [
        Fault(
            "not_enrolled_here", "该人员在原单位没有在保的参保关系，请核对证件号码。", _at_person(form, spot)
        )
        for spot in assignment.unknown
    ]
    found += [
        Fault("person_twice", "该人员已列入承继单位，每人只能转入一个单位。", _at_person(form, spot))
        for spot in assignment.twice
    ]
    ids = {member.person_key: member.person_id for member in members}
    if assignment.left_over:
        told = await workforce.named(desk, [ids[key] for key in assignment.left_over])
        message = f"原单位终止，在保人员须全部转入承继单位；尚未安排的有：{told}。"
        found.append(Fault("left_over", message, f"{AT}/successors"))
    if assignment.too_late:
        told = await workforce.named(desk, [ids[key] for key in assignment.too_late])
        message = f"{told}的参保起始日期不早于{form.effective_on}，请核对日期或先更正其参保登记。"
        found.append(Fault("started_too_late", message, f"{AT}/effective_on"))
    return found


def _at_person(form: Succeeding, spot: tuple[int, int]) -> str:
    return f"{at_successor(form, spot[0])}/people/{spot[1]}"


async def _register(
    desk: Desk, region_code: str, form: Succeeding, place: int, body: SuccessorBody
) -> Employer:
    new = NewEmployer(region_code, body.credit_code, body.data(form.effective_on))
    return await employers.register(desk, new, f"{at_successor(form, place)}/credit_code")


async def _record(
    desk: Desk,
    form: Succeeding,
    case_no: str,
    predecessors: Sequence[Employer],
    successors: Sequence[Employer],
    moved: Sequence[Member],
    to: Mapping[UUID, UUID],
) -> None:
    """Who took over how many people from whom: a row and a fact each."""
    pairs = {(member.person_id, member.employer_id, to[member.enrolment_id]) for member in moved}
    counts = Counter((old, new) for _, old, new in pairs)
    for old in predecessors:
        for new in successors:
            people = counts[(old.id, new.id)]
            succession = _succession(desk, form, case_no, old, new, people)
            await people_of_employers.add_succession(desk.session, succession)
            fact = EmployerSucceeded(
                predecessor_id=str(old.id),
                successor_id=str(new.id),
                region_code=old.region_code,
                kind=form.succession.value,
                effective_on=form.effective_on,
                people=people,
            )
            await employers.tell(desk, old, fact)


def _succession(
    desk: Desk, form: Succeeding, case_no: str, old: Employer, new: Employer, people: int
) -> Succession:
    effective_on: dt.date = form.effective_on
    return Succession(
        predecessor_id=old.id,
        successor_id=new.id,
        case_no=case_no,
        region_code=old.region_code,
        kind=form.succession.value,
        effective_on=effective_on,
        people=people,
    )
