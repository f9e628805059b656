"""Plain data: a weighing for one patient; and a pack without a patient, with citations and links."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.domain.evidence import (
    Condition,
    Consideration,
    Effect,
    Pack,
    Reference,
    Statement,
    WeighedConsideration,
    WeighedStatement,
    Weighing,
)
from app.evidence.weighing import beside_nobody, caveats_beside


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


def to_document(weighing: Weighing) -> dict[str, Any]:
    """The weighing as plain JSON types, decimals as strings with the digits printed."""
    return {
        "evidence": {"id": weighing.pack_id, "version": weighing.pack_version, "digest": weighing.pack_digest},
        "her2": weighing.her2,
        "considerations": [_consideration_document(each) for each in weighing.considerations],
        "missing": [{"field": each.field, "text": each.text, "opens": list(each.opens)} for each in weighing.missing],
        "says_nothing": weighing.says_nothing,
        "general_caution": weighing.general_caution,
        "dated": weighing.dated,
    }


def _consideration_document(weighed: WeighedConsideration) -> dict[str, Any]:
    each = weighed.consideration
    return {
        "id": each.id,
        "title": each.title,
        "kind": each.kind,
        "therapies": list(each.therapies),
        "certainty": {
            "level": weighed.certainty.level,
            "row": weighed.certainty.row,
            "because": dict(weighed.certainty.because),
        },
        "for": [_statement_document(statement) for statement in weighed.supporting],
        "against": [_statement_document(statement) for statement in weighed.opposing],
        "against_note": each.against_note,
        "caveats": list(weighed.caveats),
        "must_not_conclude": list(each.must_not_conclude),
    }


def _statement_document(weighed: WeighedStatement) -> dict[str, Any]:
    statement = weighed.statement
    whom = statement.population
    return {
        "id": statement.id,
        "cited_as": list(statement.cited_as),
        "references": [reference_document(reference) for reference in weighed.references],
        "section": statement.section,
        "setting": statement.setting,
        "study": statement.study,
        "design": statement.design,
        "direction": statement.direction,
        "bears_on": statement.bears_on,
        "population": {
            "text": whom.text,
            "er": list(whom.er),
            "pgr": list(whom.pgr),
            "her2": list(whom.her2),
            "menopausal": list(whom.menopausal),
            "line": list(whom.line),
            "prior": list(whom.prior),
        },
        "intervention": statement.intervention,
        "comparator": statement.comparator,
        "endpoint": statement.endpoint,
        "summary": statement.summary,
        "effects": [_effect_document(effect) for effect in statement.effects],
        "size": statement.size,
        "counts": weighed.counts,
        "caveats": list(weighed.caveats),
        "locator": statement.locator,
        "curator_note": _note_document(statement),
        "differs_in": [{"what": d.what, "finding": d.finding, "patient": d.patient} for d in weighed.differs_in],
    }


def statement_document(pack: Pack, statement: Statement) -> dict[str, Any]:
    """A statement beside nobody, with the caveats that always travel with it."""
    weighed = replace(beside_nobody(pack, statement), caveats=caveats_beside(pack, statement))
    return {name: told for name, told in _statement_document(weighed).items() if name != "differs_in"}


def reference_document(reference: Reference) -> dict[str, Any]:
    return {
        "cited_as": reference.cited_as,
        "identification": reference.identification,
        "standing": reference.standing,
        "standing_date": reference.standing_date,
        "standing_source": reference.standing_source,
        "title": reference.title,
        "doi": reference.doi,
        "pmid": reference.pmid,
    }


def _note_document(statement: Statement) -> dict[str, str | None] | None:
    if statement.note_outside is None and statement.note_ours is None:
        return None
    return {"outside_the_review": statement.note_outside, "our_reading": statement.note_ours}


def _effect_document(effect: Effect) -> dict[str, Any]:
    tests = {"p": effect.p, "p_heterogeneity": effect.p_heterogeneity, "p_interaction": effect.p_interaction}
    return {
        "measure": effect.measure,
        "endpoint": effect.endpoint,
        "compares": effect.compares,
        "value": None if effect.value is None else f"{effect.value:f}",
        "span": _ends(effect.span),
        "arms": [{"group": arm.group, "value": f"{arm.value:f}", "n": arm.n} for arm in effect.arms],
        "unit": effect.unit,
        "qualifier": effect.qualifier,
        "at": None if effect.at is None else {"value": f"{effect.at[0]:f}", "unit": effect.at[1]},
        "ci95": _ends(effect.ci95),
        **{name: None if test is None else str(test) for name, test in tests.items()},
        "n": effect.n,
        "reads_as": list(effect.readings()),
    }


def _ends(pair: tuple[Any, Any] | None) -> list[str] | None:
    return None if pair is None else [f"{end:f}" for end in pair]
