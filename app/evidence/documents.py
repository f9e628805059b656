"""A pack without a patient: each statement, reference and consideration as plain data, with its citation and link."""

from __future__ import annotations

from typing import Any

from app.domain.evidence import Condition, Consideration, Pack, Reference, Statement
from app.evidence.weighing import reference_document, statement_document


def citation_of(pack: Pack, statement: Statement) -> str:
    """One line by which a statement can be cited: the work, the review that reports it, the place, Herald's version."""
    doi = f", doi {pack.source.doi}" if pack.source.doi else ""
    review = f"{pack.source.cited_as}{doi}"
    told = f"{'; '.join(statement.cited_as)}, as reported by {review}" if statement.cited_as else review
    place = f"section {statement.section}, at “{statement.locator}”"
    return f"{told}, {place}. Herald, pack {pack.id} {pack.version}, statement {statement.id}."


def statement_of(pack: Pack, statement: Statement) -> dict[str, Any]:
    """A statement with its link and citation, and the considerations that name it."""
    named = [
        {"id": each.id, "side": "for" if statement.id in each.supporting else "against"}
        for each in pack.considerations
        if statement.id in (*each.supporting, *each.opposing)
    ]
    return {
        **statement_document(pack, statement),
        "contradicts": list(statement.contradicts),
        "considerations": named,
        "link": f"/evidence/{statement.id}",
        "citation": citation_of(pack, statement),
        "pack": identity_of(pack),
    }


def reference_of(pack: Pack, reference: Reference) -> dict[str, Any]:
    """A reference with the statements that cite it."""
    cited_by = [each.id for each in pack.statements.values() if reference.cited_as in each.cited_as]
    return {
        "key": reference.key,
        **reference_document(reference),
        "note_from_outside_the_review": reference.note,
        "cited_by": cited_by,
        "link": f"/references/{reference.key}",
    }


def consideration_of(each: Consideration) -> dict[str, Any]:
    """A consideration as the pack holds it, for nobody in particular."""
    return {
        "id": each.id,
        "title": each.title,
        "kind": each.kind,
        "therapies": list(each.therapies),
        "applies_when": _condition(each.applies_when),
        "for": list(each.supporting),
        "against": list(each.opposing),
        "against_note": each.against_note,
        "caveats": list(each.caveats),
        "must_not_conclude": list(each.must_not_conclude),
    }


def identity_of(pack: Pack) -> dict[str, str]:
    """What tells one release of a pack from another."""
    return {"id": pack.id, "version": pack.version, "digest": pack.digest}


def pack_of(pack: Pack) -> dict[str, Any]:
    """The whole pack."""
    return {
        **identity_of(pack),
        "title": pack.title,
        "licence": pack.licence,
        "curators": list(pack.curators),
        "source": reference_of(pack, pack.source),
        "general_caution": pack.general_caution,
        "dated": pack.dated,
        "references": [reference_of(pack, each) for each in pack.references.values()],
        "statements": [statement_of(pack, each) for each in pack.statements.values()],
        "considerations": [consideration_of(each) for each in pack.considerations],
        "silences": [{"id": each.id, "when": _condition(each.when), "text": each.text} for each in pack.silences],
    }


def _condition(when: Condition) -> dict[str, Any]:
    asked: dict[str, Any] = {
        "her2": when.her2, "er": when.er, "pgr": when.pgr, "setting": when.setting,
        "menopausal_status": when.menopausal, "line": when.line, "specimen_kind": when.specimen,
        "prior_therapies": when.prior,
    }  # fmt: skip
    return {name: list(words) for name, words in asked.items() if words} | (
        {"biomarkers": dict(when.biomarkers)} if when.biomarkers else {}
    )
