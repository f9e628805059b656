"""Which patients are meant for a list: by id, identifier, result, accession, open step, or entry of a FHIR List."""

from __future__ import annotations

from typing import Any

from app.domain import codes
from app.domain.problems import Problem, shown
from app.domain.reading import is_text
from app.interop.fhir.lists import Named
from app.interop.received import Identifier
from app.records.ids import is_id
from app.records.meetings import Meetings
from app.records.queries import PAGE_SIZE_MOST
from app.records.rows import Identity, ResultFilter, StepFilter
from app.records.writing import Transaction
from app.services.errors import Refusal
from app.services.requests import Fields, patient_identity
from app.services.views import WHO

ROLES = tuple(sorted(set(WHO.values())))  # who usually does a step


def patient_of(tx: Transaction, told: Any) -> str:
    """Herald's id of a patient, or an identifier that a result came with."""
    if isinstance(told, str) and tx.has_patient(told):
        return told
    identity = patient_identity(told, [])
    found = tx.find_patient(Identity(*identity)) if identity else None
    if found is None:
        raise _nobody("patient", "is nobody known here", "send Herald's id of a patient, or a result's identifier")
    return found


def patient_of_result(tx: Transaction, result_id: str) -> str:
    """The patient that a result stands with."""
    detail = tx.find_result(result_id) if is_id(result_id) else None
    if detail is None:
        raise _nobody("result_id", "is no result known here", "send the id of a stored result")
    return detail.view.patient_id


def patient_of_accession(tx: Transaction, accession: str) -> str:
    """The one patient with results of this accession; never the first of several."""
    views = tx.list_results(ResultFilter(accession=accession), limit=PAGE_SIZE_MOST).items
    patients = {tx.find_survivor(each.patient_id) for each in views}
    if not patients:
        raise _nobody("accession", "belongs to no result", "send the accession that a result came with")
    if len(patients) > 1:
        told = f"belongs to results of {len(patients)} patients"
        problem = Problem("AMBIGUOUS", "accession", told, "send the result_id of the one that is meant")
        raise Refusal("conflict", "More than one patient has a result with this accession.", [problem])
    return patients.pop()


def _nobody(field: str, message: str, remedy: str) -> Refusal:
    problem = Problem("UNKNOWN_VALUE", field, message, remedy)
    return Refusal("not_found", "Nobody was placed: the case that is named is not known here.", [problem])


def patient_named(tx: Transaction, named: Named) -> str | Problem:
    """The patient that an entry of a List names, or why none is taken."""
    if named.problem is not None:
        return named.problem
    found = set(tx.find_patients(Identity(each.system, each.value) for each in named.identifiers if _storable(each)))
    if named.own_id and tx.has_patient(named.own_id):
        found.add(tx.find_survivor(named.own_id))
    if len(found) == 1:
        return found.pop()
    if found:
        told = f"names {len(found)} different patients"
        return Problem("PATIENT_DIFFERS", named.where, told, "merge them first, or send identifiers of one")
    return Problem(
        "UNKNOWN_VALUE", named.where, "names nobody known here", "send an identifier that a result came with"
    )


def _storable(identifier: Identifier) -> bool:
    """What no row can hold belongs to nobody."""
    return all(is_text(each) and len(each.encode()) <= 800 for each in (identifier.system, identifier.value))


def waiting(tx: Transaction, narrow: StepFilter) -> list[str]:
    """Patients with such an open step, the first due first."""
    results: dict[str, None] = {}
    cursor: str | None = None
    while True:
        page = tx.list_open_steps(narrow, cursor=cursor, limit=PAGE_SIZE_MOST)
        results |= dict.fromkeys(step.result_id for step in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    stands = Meetings(tx).patients_of(results)
    return [stands[result_id] for result_id in results if result_id in stands]


def steps_of(told: Any, wrong: list[Problem]) -> tuple[dict[str, str], bool]:
    """Which open steps: the filters by awaited and who, and whether only those overdue."""
    if told is None:
        return {}, False
    fields = Fields(told, "open_steps")
    narrow = {}
    for name, words in (("awaited", tuple(codes.NEXT_STEPS)), ("who", ROLES)):
        value = fields.take(name)
        if value is None:
            continue
        if value not in words:
            remedy = f"send one of {', '.join(words)}"
            wrong.append(Problem("UNKNOWN_VALUE", f"open_steps.{name}", f"{shown(value)} is not in the list", remedy))
        narrow[name] = value
    overdue = fields.take("overdue")
    if overdue is not None and not isinstance(overdue, bool):
        wrong.append(Problem("WRONG_TYPE", "open_steps.overdue", "is not true or false", "send true or false"))
    try:
        fields.close()
    except Refusal as refused:
        wrong += refused.problems
    return narrow, overdue is True
