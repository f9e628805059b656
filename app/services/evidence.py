"""Ask the evidence: weigh a context, search statements, cite them, hand out the pack in its formats."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from app.domain import codes
from app.domain.evidence import Pack, PatientContext, Statement
from app.domain.problems import Problem, shown
from app.domain.reading import read_case
from app.evidence.documents import identity_of, pack_of, reference_of, statement_of, to_document
from app.evidence.library import load_pack, pack_ids
from app.evidence.releases import shipped
from app.evidence.weighing import NOTHING, caveats_beside, weigh
from app.interop import fhir_evidence, va_spec
from app.services.assessment import SCORES, guideline_document
from app.services.errors import Refusal
from app.services.finding import find_result
from app.services.packs import pack_difference
from app.services.reporting import Context, assessed
from app.services.requests import Fields

_PACK = load_pack()
_IHC = ("0", "1+", "2+", "3+", "none", "unusable")
_WORDS = {
    "status": tuple(codes.STATUSES),
    "her2_low": tuple(codes.HER2_LOW),
    "ihc": _IHC,
}
# The words by which a statement is found to be about a biomarker: a help for searching, not a finding of the review.
BIOMARKERS: dict[str, tuple[str, ...]] = {
    "ki67": ("ki67",),
    "pam50": ("pam50", "luminal", "her2-enriched", "intrinsic subtype"),
    "pik3ca": ("pik3ca", "pi3k"),
    "erbb2_mutation": ("erbb2 mutation", "her2 mutation", "erbb2-mutated", "mutation in erbb2", "mutations of erbb2"),
    "esr1": ("esr1",),
    "aib1": ("aib1",),
    "pgr": ("pgr", "progesterone receptor"),
    "egfr": ("egfr", "epidermal growth factor receptor"),
    "immune_signature": ("immune",),
    "fish_ratio": ("fish ratio",),
    "ctdna": ("ctdna", "circulating tumour dna", "circulating dna"),
    "serum_her2": ("serum",),
}


def considerations(context: Context, body: Mapping[str, Any]) -> dict[str, Any]:
    """What the pack says for a context: beside a stored result (`result_id`), a `case`, or a class named in `her2`."""
    fields = Fields(body)
    result_id, case, her2, told = (fields.take(name) for name in ("result_id", "case", "her2", "context"))
    kind = fields.take("specimen_kind")
    wrong = []
    if sum(each is not None for each in (result_id, case, her2)) != 1:
        remedy = "send result_id of a stored result, a case to classify, or her2 with status, final, her2_low and ihc"
        wrong.append(Problem("MISSING_FIELD", "her2", "exactly one of result_id, case and her2 is needed", remedy))
    for name, value, wanted in (("case", case, Mapping), ("her2", her2, Mapping), ("result_id", result_id, str)):
        if value is not None and not isinstance(value, wanted):
            what = "a text" if wanted is str else "an object"
            wrong.append(Problem("WRONG_TYPE", name, f"{shown(value)} is not {what}", f"send {what}"))
    beside: dict[str, Any] = {} if told is None else {"context": told}
    if kind is not None:
        beside["specimen"] = {"kind": kind}
    wrong += read_case(beside).problems
    fields.close(*wrong)
    if her2 is not None:
        return _weighed_class(her2, beside, context.packs)
    if result_id is not None:
        case = find_result(context, result_id)["input"]
    specimen = case.get("specimen")
    if kind is not None:
        specimen = {**(specimen if isinstance(specimen, Mapping) else {}), "kind": kind}
    document = {
        **case,
        **({} if told is None else {"context": told}),
        **({} if specimen is None else {"specimen": specimen}),
    }
    answer = assessed(document).answer
    classified = {name: answer[name] for name in ("status", "final", "her2_low", "edition")}
    reading = read_case(document)
    ihc = SCORES.get(reading.case.ihc.score or "")
    return _told(context.packs, classified, reading.context, ihc)


def _told(
    packs: Iterable[Pack], classified: dict[str, Any], patient: PatientContext, ihc: str | None
) -> dict[str, Any]:
    """The review's weighing, and each pack of the hospital's own beside it: apart, by its source."""
    words = classified["status"], classified["final"], classified["her2_low"], ihc

    def weighed(pack: Pack) -> dict[str, Any]:
        told = to_document(weigh(pack, patient, *words))
        source = pack.source.cited_as
        if pack is not _PACK and told["says_nothing"] == NOTHING:
            told["says_nothing"] = f"{source} offers nothing for this."
        return {**told, "evidence": identity_of(pack), "source": source}

    return {"classified": classified, **weighed(_PACK), "beside": [weighed(pack) for pack in packs]}


def _weighed_class(her2: Mapping[str, Any], beside: Mapping[str, Any], packs: Iterable[Pack]) -> dict[str, Any]:
    fields = Fields(her2, "her2")
    found: dict[str, Any] = {}
    wrong = []
    for name, words in _WORDS.items():
        value = fields.take(name)
        needed = name == "status"
        if value is None and not needed:
            continue
        if not isinstance(value, str) or value not in words:
            code = "MISSING_FIELD" if value is None else "UNKNOWN_VALUE"
            said = "is needed" if value is None else f"{shown(value)} is not in the list"
            wrong.append(Problem(code, f"her2.{name}", said, f"send one of {', '.join(words)}"))
        found[name] = value
    final = fields.take("final")
    if not isinstance(final, bool):
        wrong.append(Problem("WRONG_TYPE", "her2.final", f"{shown(final)} is not true or false", "send true or false"))
    fields.close(*wrong)
    undetermined = "not_applicable" if found["status"] == "positive" else "undetermined"
    her2_low = found.get("her2_low") or undetermined
    reading = read_case(beside)
    classified = {"status": found["status"], "final": final, "her2_low": her2_low, "edition": None}
    return _told(packs, classified, reading.context, found.get("ihc"))


@lru_cache(maxsize=1)
def _documents() -> dict[str, dict[str, Any]]:
    return {each.id: statement_of(_PACK, each) for each in _PACK.statements.values()}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@lru_cache(maxsize=1)
def _searched() -> dict[str, str]:
    """The text of each statement that is searched, folded."""
    found = {}
    for name, told in _documents().items():
        whom = told["population"]["text"]
        parts = [name, told["summary"], *told["cited_as"], whom, *told["caveats"]]
        parts += [told[each] or "" for each in ("intervention", "comparator", "endpoint", "study", "section", "design")]
        parts += [f"{effect['endpoint']} {effect['compares'] or ''}" for effect in told["effects"]]
        parts += [each.get("title") or "" for each in told["references"]]
        found[name] = _folded(" ".join(parts))
    return found


def search(
    q: str | None, setting: str | None, drug: str | None, biomarker: str | None, direction: str | None,
    design: str | None, after: str | None, limit: int,
) -> dict[str, Any]:  # fmt: skip
    """Statements in the source's order that fit every filter given. q: words that must all occur; after: an id."""
    texts = _searched()
    wanted = [_folded(word) for word in (q or "").split()]
    drugs = _drug_words(drug) if drug else ()
    found = [
        told
        for name, told in _documents().items()
        if (setting is None or told["setting"] == setting)
        and (direction is None or told["direction"] == direction)
        and (design is None or told["design"] == design)
        and all(word in texts[name] for word in wanted)
        and (not drugs or any(word in texts[name] for word in drugs))
        and (biomarker is None or any(word in texts[name] for word in BIOMARKERS[biomarker]))
    ]
    start = 0
    if after is not None:
        ids = [told["id"] for told in found]
        if after not in ids:
            remedy = "send the next_cursor of this very search"
            raise Refusal("bad_cursor", "The cursor cannot be read.", [
                Problem("UNKNOWN_VALUE", "cursor", "does not belong to this search", remedy)
            ])  # fmt: skip
        start = ids.index(after) + 1
    page = found[start : start + limit]
    more = page[-1]["id"] if page and start + limit < len(found) else None
    return {"total": len(found), "items": page, "next_cursor": more, "pack": identity_of(_PACK)}


def _drug_words(drug: str) -> tuple[str, ...]:
    """A drug, and the other words of its class where the pack knows it."""
    text = _folded(drug).strip()
    return next((each.words for each in _PACK.therapies if text == _folded(each.name)), (text,))


def statement(statement_id: str) -> dict[str, Any]:
    """One statement with its citation and link."""
    told = _documents().get(statement_id)
    if told is None:
        raise Refusal("not_found", "There is no such statement; GET /evidence lists them.")
    return told


def statement_as_fhir(statement_id: str) -> dict[str, Any]:
    """One statement as a FHIR R4B Evidence."""
    return fhir_evidence.evidence(statement(statement_id))


def references() -> dict[str, Any]:
    """Every work that the pack cites."""
    return {"items": [reference_of(_PACK, each) for each in _PACK.references.values()], "pack": identity_of(_PACK)}


def reference(key: str) -> dict[str, Any]:
    """One work by its key."""
    for each in _PACK.references.values():
        if each.key == key:
            return reference_of(_PACK, each)
    raise Refusal("not_found", "There is no such reference; GET /references lists them.")


def reference_as_fhir(key: str) -> dict[str, Any]:
    """One work as a FHIR R4B Citation."""
    return fhir_evidence.citation(reference(key))


def packs(own: Iterable[Pack] = ()) -> list[dict[str, Any]]:
    """The packs at hand: those that ship with Herald, then the hospital's own."""
    found = []
    for each in (*map(load_pack, pack_ids()), *own):
        counted = {"statements": len(each.statements), "considerations": len(each.considerations)}
        told = {
            "title": each.title,
            "source": each.source.cited_as,
            "changelog": [{"version": c.version, "date": c.date, "text": c.text} for c in each.changelog],
            "releases": [*shipped(each.id)] if each.id in pack_ids() else [],
        }
        found.append({**identity_of(each), **told, **counted})
    return found


def pack_changes(pack_id: str, before: str, after: str) -> dict[str, Any]:
    """What differs between two versions of a pack: the present one and its shipped releases, by name."""
    if pack_id not in pack_ids():
        raise Refusal("not_found", "There is no such pack; GET /evidence/packs lists them.")
    at_hand = [load_pack(pack_id).version, *shipped(pack_id)]
    problems = [
        Problem("UNKNOWN_VALUE", name, f"{shown(version)} is not at hand", f"send one of {', '.join(at_hand)}")
        for name, version in (("before", before), ("after", after))
        if version not in at_hand
    ]
    if problems:
        raise Refusal("invalid", "The query cannot be read.", problems)
    return pack_difference(before, after)


def pack_as(pack_id: str, form: str) -> tuple[str, str]:
    """A whole pack and its media type. form: json, tsv or va-spec."""
    if pack_id not in pack_ids():
        raise Refusal("not_found", "There is no such pack; GET /evidence/packs lists them.")
    document = pack_of(load_pack(pack_id))
    if form == "tsv":
        return _tsv(document), "text/tab-separated-values"
    told = va_spec.statements(document) if form == "va-spec" else document
    return json.dumps(told, ensure_ascii=False, indent=1), "application/json"


_TSV = (
    "id", "section", "setting", "design", "direction", "bears_on", "study", "cited_as", "population", "intervention",
    "comparator", "summary", "measure", "endpoint", "compares", "value", "span", "arms", "unit", "qualifier", "at",
    "ci95", "p", "p_heterogeneity", "p_interaction", "n", "reads_as", "caveats", "contradicts", "locator",
    "our_reading", "outside_the_review", "citation",
)  # fmt: skip


def _tsv(document: Mapping[str, Any]) -> str:
    """One line for each effect, and one for a statement without any; the pack's identity in every line's last cells."""
    out = io.StringIO()
    writer = csv.writer(out, dialect="excel-tab", lineterminator="\n")
    writer.writerow([*_TSV, "pack", "pack_version", "pack_digest"])
    for told in document["statements"]:
        note = told["curator_note"] or {}
        for effect in told["effects"] or [{}]:
            at = effect.get("at")
            cells = {
                **told,
                **effect,
                "endpoint": effect.get("endpoint") or told["endpoint"],
                "population": told["population"]["text"],
                "span": " to ".join(effect.get("span") or ()),
                "ci95": " to ".join(effect.get("ci95") or ()),
                "arms": "; ".join(_arm(arm) for arm in effect.get("arms") or ()),
                "at": f"{at['value']} {at['unit']}" if at else "",
                "our_reading": note.get("our_reading"),
                "outside_the_review": note.get("outside_the_review"),
            }
            line = [_cell(cells.get(name)) for name in _TSV]
            writer.writerow([*line, document["id"], document["version"], document["digest"]])
    return out.getvalue()


def _arm(arm: Mapping[str, Any]) -> str:
    return f"{arm['group']}: {arm['value']}" + (f" (n {arm['n']})" if arm["n"] is not None else "")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return "; ".join(map(str, value))
    return " ".join(str(value).split())


def guideline_row(edition: str, table: str, row: str) -> dict[str, Any]:
    """One row of an edition's table with its citation and permanent link."""
    document = guideline_document(edition)
    for each in document["tables"] if document else ():
        for line in each["rows"] if each["name"] == table else ():
            if line["id"] == row:
                told = {name: document[name] for name in ("id", "version", "title", "digest")} if document else {}
                cited = f"{told['title']}, {line['place']}. Herald, edition {edition} {told['version']}, table {table}"
                return {
                    **line, "table": table, "table_title": each["title"], "table_digest": each["digest"],
                    "edition": told, "citation": f"{cited}, row {row}.",
                    "link": f"/guidelines/{edition}/tables/{table}/rows/{row}",
                }  # fmt: skip
    raise Refusal("not_found", "There is no such row; GET /guidelines/{edition} lists them.")


def evidence_pack() -> Pack:
    """The pack that answers are weighed by."""
    return _PACK


def caveats_of(pack: Pack, statement: Statement) -> tuple[str, ...]:
    """Every caveat that travels with a finding: the source's, a missing citation, a retraction, an older HER2."""
    return caveats_beside(pack, statement)
