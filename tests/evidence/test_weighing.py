"""What is weighed in which context, and what must hold for every context."""

from __future__ import annotations

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.decision_table import TableError
from app.domain.evidence import (
    BIOMARKERS,
    MENOPAUSAL,
    RECEPTORS,
    SPECIMENS,
    TREATMENT_KINDS,
    UNKNOWN,
    Pack,
    PatientContext,
    Weighing,
)
from app.domain.numbers import PERCENT, Measure, read_measure
from app.evidence.certainty import LEVELS
from app.evidence.documents import to_document
from app.evidence.library import load_pack
from app.evidence.weighing import HER2, weigh

from .small import small_pack

PACK = load_pack()
STATUSES = ("positive", "negative", "equivocal", "pending", "indeterminate", "invalid")
LOWS = ("low", "ultralow", "null", "zero_unspecified", "not_applicable", "undetermined")
SCORES = ("0", "1+", "2+", "3+", "none", "unusable", None)
POSITIVE = ("positive", True, "not_applicable")
LOW = ("negative", True, "low")
NULL = ("negative", True, "null")


def ids(weighing: Weighing, *kinds: str) -> list[str]:
    found = [each.consideration for each in weighing.considerations]
    return [each.id for each in found if not kinds or each.kind in kinds]


def treatments(weighing: Weighing) -> set[str]:
    return set(ids(weighing, *TREATMENT_KINDS))


def case(er: str = "positive", setting: str = UNKNOWN, **more: object) -> PatientContext:
    return PatientContext(er=er, setting=setting, **more)  # type: ignore[arg-type]


CONTEXTS = [
    (
        "ER+/HER2+ metastatic",
        case(setting="metastatic", specimen_kind="metastasis"),
        POSITIVE,
        [
            "metastatic-endocrine-relative-resistance",
            "metastatic-endocrine-with-anti-her2",
            "metastatic-endocrine-limited-role",
            "metastatic-triple-combination-open",
            "metastasis-tested-may-differ",
        ],
    ),
    (
        "ER+/HER2+ metastatic, first line, primary tested",
        case(setting="metastatic", line=1, specimen_kind="primary"),
        POSITIVE,
        [
            "metastatic-endocrine-relative-resistance",
            "metastatic-endocrine-with-anti-her2",
            "metastatic-first-line-anti-her2",
            "metastatic-endocrine-limited-role",
            "metastatic-triple-combination-open",
            "metastasis-not-retested-positive",
        ],
    ),
    (
        "ER+/HER2+ metastatic after trastuzumab, PAM50 luminal",
        case(
            setting="metastatic",
            specimen_kind="metastasis",
            prior_therapies=("Trastuzumab, paclitaxel",),
            biomarkers=(("pam50_luminal", "positive"),),
        ),
        POSITIVE,
        [
            "metastatic-endocrine-relative-resistance",
            "metastatic-endocrine-with-anti-her2",
            "metastatic-endocrine-limited-role",
            "metastatic-palbociclib-trastuzumab-luminal",
            "metastatic-triple-combination-open",
            "pam50-luminal-subtype",
            "metastasis-tested-may-differ",
        ],
    ),
    (
        "ER+/HER2+ neoadjuvant",
        case(setting="neoadjuvant"),
        POSITIVE,
        [
            "neoadjuvant-ai-clinical-response",
            "neoadjuvant-tamoxifen-poorer-response",
            "neoadjuvant-ki67-under-treatment",
        ],
    ),
    (
        "ER+/HER2+ adjuvant",
        case(setting="adjuvant"),
        POSITIVE,
        [
            "adjuvant-tamoxifen-less-benefit-in-her2",
            "adjuvant-ai-or-tamoxifen",
            "adjuvant-earlier-recurrence",
            "adjuvant-trastuzumab-benefit-varies",
            "adjuvant-years-without-anti-her2",
        ],
    ),
    (
        "ER+/HER2+ adjuvant after chemotherapy and trastuzumab",
        case(setting="adjuvant", prior_therapies=("docetaxel", "trastuzumab")),
        POSITIVE,
        [
            "adjuvant-tamoxifen-less-benefit-in-her2",
            "adjuvant-ai-or-tamoxifen",
            "adjuvant-earlier-recurrence",
            "adjuvant-neratinib-after-trastuzumab",
            "adjuvant-trastuzumab-benefit-varies",
            "adjuvant-years-without-anti-her2",
        ],
    ),
    (
        "ER+/HER2-low metastatic",
        case(setting="metastatic", specimen_kind="metastasis"),
        LOW,
        ["low-trastuzumab-not-effective", "low-deruxtecan-endocrine-open", "metastasis-tested-may-differ"],
    ),
    (
        "ER+/HER2-low metastatic after endocrine therapy and a CDK4/6 inhibitor",
        case(setting="metastatic", specimen_kind="metastasis", prior_therapies=("letrozole + palbociclib",)),
        LOW,
        [
            "low-trastuzumab-not-effective",
            "low-zenocutuzumab-endocrine",
            "low-deruxtecan-endocrine-open",
            "metastasis-tested-may-differ",
        ],
    ),
    ("ER+/HER2- metastatic, primary tested", case(setting="metastatic"), NULL, ["her2-gain-in-metastasis"]),
    (
        "ER+/HER2- metastatic with an acquired ERBB2 mutation",
        case(
            setting="metastatic",
            specimen_kind="metastasis",
            prior_therapies=("fulvestrant",),
            biomarkers=(("erbb2_mutation", "positive"),),
        ),
        NULL,
        ["acquired-erbb2-mutation", "metastasis-tested-may-differ"],
    ),
    ("HER2 equivocal", case(setting="metastatic"), ("equivocal", False, "undetermined"), ["settle-her2-first"]),
    (
        "HER2 positive, not final",
        case(setting="metastatic"),
        ("positive", False, "not_applicable"),
        ["settle-her2-first"],
    ),
]


@pytest.mark.parametrize(("context", "answer", "expected"), [c[1:] for c in CONTEXTS], ids=[c[0] for c in CONTEXTS])
def test_considerations(context: PatientContext, answer: tuple[str, bool, str], expected: list[str]) -> None:
    assert ids(weigh(PACK, context, *answer)) == expected


SILENT = [
    ("ER-negative", case("negative", "metastatic"), POSITIVE, "offers nothing for this: ER is negative"),
    ("ER unknown", case(UNKNOWN, "metastatic"), POSITIVE, "Unknown is not negative"),
    ("setting unknown", case(), POSITIVE, "The setting is not known"),
    ("HER2-low adjuvant", case(setting="adjuvant"), LOW, "it reports no study"),
    ("HER2-negative adjuvant", case(setting="adjuvant"), NULL, "offers nothing for this"),
    (
        "HER2-ultralow",
        case(setting="metastatic"),
        ("negative", True, "ultralow"),
        "does not know the word HER2-ultralow",
    ),
    ("low not known", case(setting="metastatic"), ("negative", True, "undetermined"), "is not known"),
    ("HER2 pending", case(setting="metastatic"), ("pending", False, "undetermined"), "not final"),
]


@pytest.mark.parametrize(("context", "answer", "said"), [c[1:] for c in SILENT], ids=[c[0] for c in SILENT])
def test_silence(context: PatientContext, answer: tuple[str, bool, str], said: str) -> None:
    weighing = weigh(PACK, context, *answer)
    assert treatments(weighing) == set()
    assert said in (weighing.says_nothing or "")


def test_a_context_no_silence_speaks_of() -> None:
    weighing = weigh(small_pack(), case(setting="adjuvant"), *POSITIVE)
    assert weighing.says_nothing == "The review offers nothing for this."


def test_anti_her2_before_surgery_is_said_not_to_be_there() -> None:
    weighing = weigh(PACK, case(setting="neoadjuvant"), *POSITIVE)
    assert "before surgery the review offers nothing" in (weighing.says_nothing or "")


@pytest.mark.parametrize(
    ("status", "final", "low", "ihc", "her2"),
    [
        ("positive", True, "not_applicable", "3+", "positive"),
        ("positive", True, "low", "3+", "open"),
        ("negative", True, "low", "2+", "low"),
        ("negative", True, "low", None, "low"),
        ("negative", True, "low", "3+", "open"),
        ("negative", True, "low", "0", "open"),
        ("negative", True, "null", "0", "negative"),
        ("negative", True, "zero_unspecified", "0", "negative"),
        ("negative", True, "null", "2+", "open"),
        ("negative", True, "ultralow", "0", "ultralow"),
        ("negative", True, "ultralow", "1+", "open"),
        ("negative", True, "undetermined", None, "low unknown"),
        ("negative", True, "not_applicable", None, "open"),
        ("negative", False, "low", "1+", "open"),
        ("positive", False, "not_applicable", "3+", "open"),
        ("indeterminate", True, "undetermined", None, "open"),
    ],
)
def test_her2_class(status: str, final: bool, low: str, ihc: str | None, her2: str) -> None:
    assert weigh(PACK, case(), status, final, low, ihc).her2 == her2


def test_every_row_of_her2_is_reached() -> None:
    assert {HER2.decide(values).id for values in HER2.every_cell()} == {row.id for row in HER2.rows}


def test_a_word_outside_the_lists_is_refused() -> None:
    with pytest.raises(TableError, match="status does not take 'maybe'"):
        weigh(PACK, case(), "maybe", True, "low")


def measure(text: str) -> Measure:
    read = read_measure(text, PERCENT, "er_percent")
    assert isinstance(read, Measure)
    return read


def test_er_positive_with_no_positive_cell_is_unknown() -> None:
    weighing = weigh(PACK, case(setting="adjuvant", er_percent=measure("0")), *POSITIVE)
    assert treatments(weighing) == set()
    assert [each.field for each in weighing.missing][:2] == ["er_percent", "er"]


def test_no_cut_off_is_read_into_a_percentage() -> None:
    low, high = (weigh(PACK, case(setting="adjuvant", er_percent=measure(text)), *POSITIVE) for text in ("1", "95"))
    assert low is high


@pytest.mark.parametrize(
    ("written", "after_trastuzumab"),
    [
        (("trastuzumab",), True),
        (("Herceptin i.v. 2019",), True),
        (("declined trastuzumab",), False),
        (("no trastuzumab so far",), False),
        (("trastuzumab deruxtecan",), False),
        (("pertuzumab",), False),
        ((), False),
        (None, False),
    ],
)
def test_earlier_treatments_are_recognised_or_left_open(
    written: tuple[str, ...] | None, after_trastuzumab: bool
) -> None:
    luminal = (("pam50_luminal", "positive"),)
    weighing = weigh(PACK, case(setting="metastatic", prior_therapies=written, biomarkers=luminal), *POSITIVE)
    assert ("metastatic-palbociclib-trastuzumab-luminal" in ids(weighing)) is after_trastuzumab


def test_what_is_not_recognised_is_counted_and_never_repeated() -> None:
    secret = "Mrs Example, record 4711"
    weighing = weigh(
        PACK, case(setting="metastatic", prior_therapies=(secret,), biomarkers=((secret, "positive"),)), *POSITIVE
    )
    said = {each.field: each.text for each in weighing.missing}
    assert "1 of them" in said["prior_therapies"]
    assert "Sent, but nothing in the review is tied to them: 1." in said["biomarkers"]
    assert secret not in json.dumps(to_document(weighing))


def test_a_biomarker_nothing_asks_for_is_said_to_be_unused() -> None:
    pack = small_pack()
    weighing = weigh(pack, case(setting="metastatic", biomarkers=(("pik3ca_mutation", "positive"),)), *POSITIVE)
    said = {each.field: each.text for each in weighing.missing}
    assert "no consideration of this pack asks for it yet" in said["biomarkers.pik3ca_mutation"]


BY_BIOMARKER = [
    ("adjuvant", "pik3ca_mutation", "pik3ca-mutation"),
    ("metastatic", "pik3ca_mutation", "pik3ca-mutation"),
    ("metastatic", "pam50_her2_enriched", "pam50-her2-enriched-subtype"),
    ("metastatic", "pam50_luminal", "pam50-luminal-subtype"),
    ("adjuvant", "esr1_high", "trastuzumab-high-esr1"),
    ("adjuvant", "fish_ratio_low", "trastuzumab-low-fish-ratio"),
    ("neoadjuvant", "ki67_on_treatment_high", "ki67-high-on-treatment"),
    ("adjuvant", "aib1_high", "aib1-overexpression"),
]


@pytest.mark.parametrize(("setting", "biomarker", "expected"), BY_BIOMARKER)
def test_a_biomarker_is_weighed_where_it_is_positive_and_only_there(
    setting: str, biomarker: str, expected: str
) -> None:
    for status in ("positive", "negative", UNKNOWN):
        found = ids(weigh(PACK, case(setting=setting, biomarkers=((biomarker, status),)), *POSITIVE))
        assert (expected in found) == (status == "positive")
    assert expected not in ids(weigh(PACK, case("negative", setting, biomarkers=((biomarker, "positive"),)), *POSITIVE))


@pytest.mark.parametrize(("pgr", "shown"), [("positive", True), ("negative", False), (UNKNOWN, False)])
def test_pgr_is_weighed_where_it_is_positive(pgr: str, shown: bool) -> None:
    found = ids(weigh(PACK, case(setting="adjuvant", pgr=pgr), *POSITIVE))
    assert ("trastuzumab-pgr-positive" in found) == shown


def test_missing_says_what_it_would_change() -> None:
    missing = {each.field: each for each in weigh(PACK, case(setting="metastatic"), *POSITIVE).missing}
    assert missing["line"].opens == ("metastatic-first-line-anti-her2",)
    assert missing["prior_therapies"].opens == ("metastatic-palbociclib-trastuzumab-luminal", "acquired-erbb2-mutation")
    opened = ("metastatic-palbociclib-trastuzumab-luminal", "pam50-luminal-subtype")
    assert missing["biomarkers.pam50_luminal"].opens == opened
    assert "could take away" in missing["specimen.kind"].text
    assert "er" not in missing


def test_missing_while_her2_is_open_names_no_treatment() -> None:
    (only,) = weigh(PACK, PatientContext(line=4), "pending", False, "undetermined").missing
    assert only.field == "status"
    assert "no treatment is weighed" in only.text
    assert only.opens == ()


def test_missing_tells_that_her2_low_is_open() -> None:
    missing = weigh(PACK, case(setting="adjuvant", line=4), "negative", True, "undetermined").missing
    assert missing[0].field == "ihc"
    assert "whether the tumour is HER2-low is open" in missing[0].text


def test_menopausal_status_makes_a_finding_indirect_and_is_asked_for() -> None:
    unknown = weigh(PACK, case(setting="adjuvant"), *POSITIVE)
    assert any(each.field == "menopausal_status" and "indirect" in each.text for each in unknown.missing)
    for status, differs in (("post", False), ("pre", True), (UNKNOWN, True)):
        weighing = weigh(PACK, case(setting="adjuvant", menopausal_status=status), *POSITIVE)
        (atac,) = (
            s for each in weighing.considerations for s in each.opposing if s.statement.id.startswith("atac-ana")
        )
        assert any(each.what == "menopausal_status" for each in atac.differs_in) is differs


def test_another_setting_is_marked_as_a_difference() -> None:
    document = to_document(weigh(PACK, case(setting="neoadjuvant"), *POSITIVE))
    (response,) = (each for each in document["considerations"] if each["id"] == "neoadjuvant-ai-clinical-response")
    (atac,) = (each for each in response["against"] if each["id"] == "atac-anastrozole-tamoxifen-her2-positive")
    assert {"what": "setting", "finding": "adjuvant", "patient": "neoadjuvant"} in atac["differs_in"]


def test_document_of_a_statement() -> None:
    document = to_document(weigh(PACK, case(setting="metastatic"), *POSITIVE))
    assert document["evidence"] == {"id": PACK.id, "version": PACK.version, "digest": PACK.digest}
    first = document["considerations"][0]
    texts = {"id", "title", "kind", "therapies", "against_note", "caveats", "must_not_conclude"}
    assert set(first) == texts | {"certainty", "for", "against"}
    pooled = first["for"][0]
    assert pooled["cited_as"] == ["De Laurentiis et al. 2005"]
    assert pooled["references"][0]["doi"] == "10.1158/1078-0432.CCR-04-2569"
    effect = pooled["effects"][0]
    assert (effect["value"], effect["ci95"], effect["p"]) == ("1.45", ["1.34", "1.57"], "P < 0.00001")
    assert effect["p_heterogeneity"] == "P = 0.27"
    assert pooled["differs_in"] == [{"what": "er", "finding": "positive or unknown", "patient": "positive"}]


def test_the_same_question_is_remembered() -> None:
    asked = [weigh(PACK, case(setting="metastatic", er_percent=measure("90")), *POSITIVE, "3+") for _ in range(2)]
    assert asked[0] is asked[1]


contexts = st.builds(
    PatientContext,
    er=st.sampled_from(RECEPTORS),
    pgr=st.sampled_from(RECEPTORS),
    setting=st.sampled_from(("metastatic", "neoadjuvant", "adjuvant", UNKNOWN)),
    menopausal_status=st.sampled_from(MENOPAUSAL),
    line=st.none() | st.integers(1, 4),
    prior_therapies=st.none()
    | st.lists(
        st.sampled_from(("letrozole", "palbociclib", "trastuzumab", "docetaxel", "radiotherapy")),
        unique=True,
        max_size=4,
    ).map(tuple),
    biomarkers=st.dictionaries(st.sampled_from(BIOMARKERS), st.sampled_from(("positive", "negative"))).map(
        lambda found: tuple(sorted(found.items()))
    ),
    specimen_kind=st.sampled_from(SPECIMENS),
)
answers = st.tuples(st.sampled_from(STATUSES), st.booleans(), st.sampled_from(LOWS), st.sampled_from(SCORES))
settled = st.sampled_from((POSITIVE, LOW, NULL, ("negative", True, "ultralow"), ("negative", True, "undetermined")))
BLANKS: dict[str, object] = {
    "er": UNKNOWN,
    "pgr": UNKNOWN,
    "setting": UNKNOWN,
    "menopausal_status": UNKNOWN,
    "line": None,
    "prior_therapies": None,
    "biomarkers": (),
    "specimen_kind": UNKNOWN,
}


@given(contexts, settled, st.sets(st.sampled_from(sorted(BLANKS)), min_size=1))
def test_knowing_less_adds_no_treatment_and_raises_no_certainty(
    context: PatientContext, answer: tuple[str, bool, str], blank: set[str]
) -> None:
    known = weigh(PACK, context, *answer)
    less = weigh(PACK, context._replace(**{name: BLANKS[name] for name in blank}), *answer)  # type: ignore[arg-type]
    assert treatments(less) <= treatments(known)
    before = {each.consideration.id: LEVELS.index(each.certainty.level) for each in known.considerations}
    for each in less.considerations:
        level = LEVELS.index(each.certainty.level)
        assert level <= before.get(each.consideration.id, level)


@given(contexts, answers)
def test_only_a_final_and_consistent_status_brings_a_treatment(
    context: PatientContext, answer: tuple[str, bool, str, str | None]
) -> None:
    status, final, low, score = answer
    weighing = weigh(PACK, context, status, final, low, score)
    consistent = (status == "positive") == (low == "not_applicable")
    if not final or status not in ("positive", "negative") or not consistent:
        assert weighing.her2 == "open"
        assert ids(weighing) == ["settle-her2-first"]


@given(contexts, answers)
def test_every_answer_is_whole(context: PatientContext, answer: tuple[str, bool, str, str | None]) -> None:
    weighing = weigh(PACK, context, *answer)
    document = to_document(weighing)
    assert json.loads(json.dumps(document)) == document
    assert document["general_caution"] == PACK.general_caution
    assert treatments(weighing) or weighing.says_nothing
    for each in document["considerations"]:
        assert each["for"]
        assert each["against"] or each["against_note"]
        assert each["must_not_conclude"]
        assert each["certainty"]["row"]


def test_every_consideration_is_reached() -> None:
    reached: set[str] = set()
    everything = {
        "prior_therapies": ("letrozole", "palbociclib", "trastuzumab", "docetaxel"),
        "biomarkers": tuple((name, "positive") for name in BIOMARKERS),
        "line": 1,
    }
    everything["pgr"] = "positive"
    for setting, answer in product(("metastatic", "neoadjuvant", "adjuvant"), (POSITIVE, LOW, NULL)):
        for specimen in ("primary", "metastasis"):
            more = {**everything, "specimen_kind": specimen}
            reached.update(ids(weigh(PACK, case(setting=setting, **more), *answer)))
    reached.update(ids(weigh(PACK, case(), "pending", False, "undetermined")))
    assert reached == {each.id for each in PACK.considerations}


def test_two_packs_do_not_share_answers() -> None:
    one: Pack = small_pack()
    other: Pack = small_pack("pack.toml", "With caution.", "With more caution.")
    assert weigh(one, case(), *POSITIVE).general_caution == "With caution."
    assert weigh(other, case(), *POSITIVE).general_caution == "With more caution."
