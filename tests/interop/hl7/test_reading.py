"""Whole messages to words: reports, items, values, states, times, and what makes a message wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hl7apy.parser import parse_message

from app.interop.hl7.reading import read
from app.interop.received import CAP_ECC, LOINC, SNOMED, Coding, Identifier, Item, Received, Report, Value
from tests.interop.hl7.samples import (
    CAP,
    IHC,
    MSH,
    OBR,
    PID,
    RATIO,
    REAL_FEED,
    SPM,
    SYNOPTIC,
    TWO_CASES,
    message,
    oru,
)  # fmt: skip


def only_report(content: bytes, **more: str) -> Report:
    received = read(content, "x", zone=more.get("zone", "UTC"))
    assert not received.problems, received.problems
    (report,) = received.reports
    return report


def only_item(observation: str) -> Item:
    (item,) = only_report(oru(observation)).items
    return item


def codes(received: Received) -> list[tuple[str, str]]:
    return [(each.code, each.field) for each in received.problems]


def test_a_synoptic_report_is_read_whole() -> None:
    received = read(SYNOPTIC, "LIS|PATHLAB")
    assert (received.format, received.sender, received.control_id) == ("hl7v2", "LIS|PATHLAB", "M1")
    assert (received.event, received.version, received.processing) == ("ORU^R01", "2.5.1", "P")
    assert received.at == datetime(2026, 11, 3, 13, 25, tzinfo=UTC)
    (report,) = received.reports
    assert report._replace(items=(), notes=()) == Report(
        where="OBR[1]",
        patient=(
            Identifier("urn:oid:1.2.276.0.76.3", "4711", "MR"),
            Identifier("urn:hl7v2:NAT", "99", "NI"),
        ),
        accession="S26-100",
        items=(),
        specimen="S26-100-A",
        block="A1",
        laboratory="PATHLAB",
        status="final",
        at=datetime(2026, 11, 3, 11, tzinfo=UTC),
        specimen_type=(Coding(SNOMED, "119376003", "Tissue specimen"),),
        procedure=(Coding(SNOMED, "65801008", "Excision"),),
        site=(Coding(SNOMED, "76752008", "Breast"),),
        collected_at="2026-11-01",
        reported_at="2026-11-03",
    )
    score, ratio, copies = report.items
    assert score.codings == (Coding(LOINC, "85319-2", "HER2 IHC"),)
    assert (score.where, score.text, score.group, score.status) == ("OBX[1]", "HER2 IHC", "A1", "final")
    assert score.at == datetime(2026, 11, 3, 10, tzinfo=UTC)
    assert score.values == (Value("coded", "2+", "OBX[1].5", codings=(Coding(LOINC, "LA11842-4", "2+"),)),)
    assert ratio.values == (Value("quantity", "1.80", "OBX[2].5", "", "1.80", unit="{ratio}"),)
    assert ratio.notes == ("Forty cells were counted.", "By two observers.")
    assert copies.values == (Value("quantity", "4.50", "OBX[3].5", "", "4.50", unit="{copies}/nucleus"),)
    assert "OBX[4] describes the specimen, it is not a test" in report.notes


def test_text_lines_of_one_report_are_one_document_in_order() -> None:
    (item,) = only_report(REAL_FEED).items
    assert [each.text for each in item.values] == [
        "HER2 Status: NEGATIVE (see interpretation)",
        "HER2/Chr17 Ratio = 1.85",
        "Average HER2 Copy Number = 4.9",
        "Cells Counted:40",
        "HER2 by IHC:2+",
        "HER2 By ISH Recount",
        "HER2/Chr17 Ratio = 1.90",
        "Average HER2 Copy Number = 4.6",
        "Cells Counted:40",
    ]
    assert [each.where for each in item.values] == [f"OBX[{n}].5" for n in range(1, 10)]
    assert not item.problems


def test_several_orders_are_several_reports_each_with_its_specimen() -> None:
    reports = read(TWO_CASES, "x").reports
    assert [(each.where, each.accession, each.specimen) for each in reports] == [
        ("OBR[1]", "S26-100", "S26-100-A"),
        ("OBR[2]", "S26-200", "S26-200-B"),
    ]
    assert [each.items[0].values[0].text for each in reports] == ["Score 3+", "Score 0"]
    assert [each.items[0].where for each in reports] == ["OBX[1]", "OBX[2]"]


def test_a_cap_form_is_read_with_its_fill_ins_and_without_a_contradiction() -> None:
    items = only_report(CAP).items
    assert items[2].codings[0] == Coding(CAP_ECC, "31012.100004300", "HER2 (by IHC)")
    assert items[2].values[0].codings[0].code == "31017.100004300"
    assert items[4].values[0].number == "2.4" and items[4].group == "+25909.1000043"
    assert not any(each.problems for each in items)
    together = read(CAP.replace(b"+25909.1000043", b"25909"), "x").reports[0].items
    assert not any(each.problems for each in together)


@pytest.mark.parametrize(
    ("kind", "sent", "expected"),
    [
        ("NM", "1.80", Value("quantity", "1.80", "OBX[1].5", number="1.80", unit="u")),
        ("NM", "2+", Value("text", "2+", "OBX[1].5")),
        ("NM", "<2.0", Value("text", "<2.0", "OBX[1].5")),
        ("NM", "1,8", Value("text", "1,8", "OBX[1].5")),
        ("NM", "", Value("none", "", "OBX[1].5")),
        ("SN", "^182", Value("quantity", "182", "OBX[1].5", number="182", unit="u")),
        ("SN", "<^2.0", Value("quantity", "<2.0", "OBX[1].5", "<", "2.0", unit="u")),
        ("SN", ">=^6.00", Value("quantity", ">=6.00", "OBX[1].5", ">=", "6.00", unit="u")),
        ("SN", "=^6", Value("quantity", "=6", "OBX[1].5", "", "6", unit="u")),
        ("SN", "^4.0^-^6.0", Value("range", "4.0-6.0", "OBX[1].5", number="4.0", second="6.0", unit="u")),
        ("SN", "^1^:^256", Value("ratio", "1:256", "OBX[1].5", number="1", second="256", unit="u")),
        ("SN", ">^1^:^256", Value("ratio", ">1:256", "OBX[1].5", ">", "1", "256", "u")),
        ("SN", "^2^+", Value("text", "2+", "OBX[1].5")),
        ("SN", "<>^2", Value("text", "<>2", "OBX[1].5")),
        ("SN", "^1,8", Value("text", "1,8", "OBX[1].5")),
        ("ST", "1.8 ^ & raw", Value("text", "1.8 ^ & raw", "OBX[1].5")),
        ("TX", "HER2: 2+ \\T\\ ISH", Value("text", "HER2: 2+ & ISH", "OBX[1].5")),
        ("IS", "POS", Value("text", "POS", "OBX[1].5")),
        ("CE", "^2+", Value("text", "2+", "OBX[1].5")),
        ("CE", "2+", Value("coded", "2+", "OBX[1].5", codings=(Coding("", "2+"),))),
        (
            "CWE",
            "LA11842-4^2+^LN^X2^two^L^^^2 plus",
            Value(
                "coded", "2 plus", "OBX[1].5", codings=(Coding(LOINC, "LA11842-4", "2+"), Coding("", "X2", "two"))
            ),
        ),
        ("CE", "^^^SASP^Other^99LAB", Value("coded", "Other", "OBX[1].5", codings=(Coding("99LAB", "SASP", "Other"),))),
        ("ED", "^application^pdf^Base64^QUJD", Value("none", "", "OBX[1].5")),
        ("CWE", '""', Value("none", "", "OBX[1].5")),
        ("", "3+", Value("text", "3+", "OBX[1].5")),
    ],
)  # fmt: skip
def test_a_value_is_read_by_its_type_and_keeps_its_digits(kind: str, sent: str, expected: Value) -> None:
    assert only_item(f"OBX|1|{kind}|A^B^L||{sent}|u|||||F").values == (expected,)


def test_repetitions_and_lines_are_values_in_order() -> None:
    item = only_item("OBX|1|TX|A^B^L||one~two\\.br\\three||||||F")
    assert [(each.text, each.where) for each in item.values] == [
        ("one", "OBX[1].5"),
        ("two", "OBX[1].5[2]"),
        ("three", "OBX[1].5[2]"),
    ]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("F", "final"), ("A", "final"), ("B", "final"), ("V", "final"), ("C", "corrected"), ("U", "promoted"),
        ("P", "preliminary"), ("I", "preliminary"), ("R", "preliminary"), ("S", "preliminary"), ("O", "preliminary"),
        ("X", "cancelled"), ("N", "cancelled"), ("D", "deleted"), ("W", "wrong"), ("", "preliminary"),
    ],
)  # fmt: skip
def test_the_state_of_an_observation_is_that_of_obx_11_whatever_the_order_says(code: str, status: str) -> None:
    assert only_item(f"OBX|1|NM|A^B^L||2.4||||||{code}").status == status


def test_an_unknown_state_waits() -> None:
    item = only_item("OBX|1|NM|A^B^L||2.4||||||Q")
    assert item.status == "preliminary"
    assert [(each.code, each.field) for each in item.problems] == [("UNKNOWN_VALUE", "OBX[1].11")]


def test_a_cancelled_observation_has_no_value() -> None:
    item = only_item("OBX|1||A^B^L||||||||X")
    assert (item.status, item.values[0].kind) == ("cancelled", "none")


@pytest.mark.parametrize(
    ("lines", "status", "waits"),
    [("FF", "final", False), ("FC", "corrected", False), ("CF", "corrected", False), ("FP", "preliminary", True)],
)
def test_a_document_is_no_more_final_than_its_lines(lines: str, status: str, waits: bool) -> None:
    observations = [f"OBX|{n}|TX|A^B^L||line||||||{state}" for n, state in enumerate(lines, 1)]
    (item,) = only_report(oru(*observations)).items
    assert (item.status, bool(item.problems)) == (status, waits)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"OBX|1|CWE|{IHC}||LA11842-4^2+^LN||||||F", f"OBX|2|CWE|{IHC}||LA11843-2^3+^LN||||||F"),
        (f"OBX|1|NM|{RATIO}||1.8||||||F", f"OBX|2|SN|{RATIO}||^2.4||||||F"),
        (f"OBX|1|NM|{RATIO}||1.8||||||F", f"OBX|2|NM|{RATIO}||1.8||||||P"),
    ],
)
def test_two_values_for_one_observation_wait_and_both_places_are_named(one: str, other: str) -> None:
    first, second = only_report(oru(one, other)).items
    for item in (first, second):
        (problem,) = item.problems
        assert problem.code == "CONTRADICTORY"
        assert "OBX[1].5" in problem.message and "OBX[2].5" in problem.message
    apart = [each.replace("||", f"|{n}|", 1) for n, each in enumerate((one, other), 1)]
    assert not any(each.problems for each in only_report(oru(*apart)).items)
    assert not any(each.problems for each in only_report(oru(one, one)).items)


def test_single_text_results_that_differ_contradict_but_a_comment_beside_a_value_does_not() -> None:
    ihc, other = f"OBX|1|ST|{IHC}||2+||||||F", f"OBX|3|ST|{IHC}||3+||||||F"
    between = f"OBX|2|NM|{RATIO}||1.8||||||F"
    assert [bool(each.problems) for each in only_report(oru(ihc, between, other)).items] == [True, False, True]
    comment = f"OBX|2|TX|{RATIO}||counted twice||||||F"
    assert not any(each.problems for each in only_report(oru(between, comment)).items)


def test_an_observation_without_a_name_waits() -> None:
    (problem,) = only_item("OBX|1|NM|||2.4||||||F").problems
    assert (problem.code, problem.field) == ("MISSING_FIELD", "OBX[1].3")


def test_both_triplets_of_a_name_are_kept_and_a_name_may_stand_in_the_second_alone() -> None:
    assert only_item("OBX|1|ST|85319-2^HER2^LN^H2^HER2 score^L||2+||||||F").codings == (
        Coding(LOINC, "85319-2", "HER2"),
        Coding("", "H2", "HER2 score"),
    )
    item = only_item("OBX|1|ST|^^^H2^HER2 score^99PATH||2+||||||F")
    assert (item.codings, item.text) == ((Coding("99PATH", "H2", "HER2 score"),), "HER2 score")
    named = only_item("OBX|1|ST|^HER2 by IHC||2+||||||F")
    assert (named.codings, named.text) == ((), "HER2 by IHC")


def test_method_and_opinion_are_kept_apart_from_the_value() -> None:
    item = only_item("OBX|1|SN|A^B^L||^2.4||1-2|NEG|||F||||||1303773004^FISH^SCT||20261104")
    assert item.method == (Coding(SNOMED, "1303773004", "FISH"),)
    assert item.interpretation == (Coding("", "NEG"),)
    assert item.at == datetime(2026, 11, 4, tzinfo=timezone(timedelta(hours=1)))


def test_observations_after_the_specimen_wait_where_the_order_has_no_others() -> None:
    items = only_report(oru(SPM, f"OBX|1|ST|{IHC}||3+||||||F")).items
    assert [each.problems[0].code for each in items] == ["AMBIGUOUS"]


def test_with_several_specimens_only_what_names_its_specimen_is_placed() -> None:
    content = oru(
        f"OBX|1|ST|{IHC}|S26-100-A|3+||||||F",
        f"OBX|2|ST|{IHC}|S26-100-B|0||||||F",
        f"OBX|3|NM|{RATIO}||2.4||||||F",
        "SPM|1|^S26-100-A||TISS",
        "SPM|2|^S26-100-B&LAB||TISS",
        "SPM|3|^S26-100-A||TISS",
    )
    reports = read(content, "x").reports
    assert [(each.specimen, [item.where for item in each.items]) for each in reports] == [
        ("S26-100-A", ["OBX[1]"]),
        ("S26-100-B", ["OBX[2]"]),
        ("", ["OBX[3]"]),
    ]
    assert [[p.code for item in each.items for p in item.problems] for each in reports] == [[], [], ["AMBIGUOUS"]]


def test_an_old_message_has_its_specimen_in_obr_15() -> None:
    obr = "OBR|1|P-7||HER2^HER2^L|||20261101|||||||20261101|TISS&Tissue&HL70070^^^BREAST&Breast&L||||||||||F"
    header = MSH.replace("ORU^R01^ORU_R01", "ORU").replace("2.5.1", "2.3")
    report = only_report(oru("OBX|1|ST|HER2^HER2^L||2+||||||F", header=header, obr=obr))
    assert report.specimen_type == (Coding("HL70070", "TISS", "Tissue"),)
    assert report.site == (Coding("", "BREAST", "Breast"),)
    assert (report.accession, report.specimen) == ("P-7", "")
    assert "the accession was read from OBR[1].2" in report.notes


def test_an_obx_before_any_order_is_no_test() -> None:
    received = read(message(PID, "OBX|1|ST|A^B^L||x||||||F", OBR, f"OBX|1|ST|{IHC}||2+||||||F"), "x")
    assert [item.where for each in received.reports for item in each.items] == ["OBX[2]"]
    assert any("OBX[1]" in note for note in received.notes)
    assert codes(read(message(PID, "OBX|1|ST|A^B^L||x||||||F"), "x")) == [("MISSING_FIELD", "OBR")]


def test_each_patient_keeps_the_own_orders() -> None:
    other = PID.replace("4711", "4712")
    observation = f"OBX|1|ST|{IHC}||2+||||||F"
    reports = read(message(PID, OBR, observation, other, OBR, observation), "x").reports
    assert [each.patient[0].value for each in reports] == ["4711", "4712"]
    assert read(message(OBR, observation), "x").reports[0].patient == ()


@pytest.mark.parametrize(
    ("pid", "expected"),
    [
        ("PID|1||1^^^A", [("urn:hl7v2:A", "1", "")]),
        ("PID|1||1^^^A&1.2.3&ISO^PI", [("urn:oid:1.2.3", "1", "PI")]),
        ("PID|1||1^^^1.2.3", [("urn:oid:1.2.3", "1", "")]),
        ("PID|1||1^^^&44D2062928&CLIA", [("urn:hl7v2:44D2062928", "1", "")]),
        ("PID|1||1^^^&http://h.org&URI", [("http://h.org", "1", "")]),
        ("PID|1||1", [("", "1", "")]),
        ("PID|1|9^^^B|1^^^A", [("urn:hl7v2:A", "1", ""), ("urn:hl7v2:B", "9", "")]),
        ("PID|1|9|1", [("", "1", "")]),
        ("PID|1|9", [("", "9", "")]),
        ('PID|1||""', []),
        ("PID|1||1^^^A~1^^^A", [("urn:hl7v2:A", "1", "")]),
    ],
)
def test_a_patient_s_identifiers_come_with_who_assigned_them(pid: str, expected: list[tuple[str, str, str]]) -> None:
    assert list(read(message(pid, OBR), "x").reports[0].patient) == [Identifier(*each) for each in expected]


def test_a_time_without_offset_is_in_the_sender_s_zone() -> None:
    header = MSH.replace("+0100", "")
    for zone, hour in (("UTC", 12), ("Europe/Berlin", 11)):
        report = only_report(oru(f"OBX|1|ST|{IHC}||2+||||||F", header=header), zone=zone)
        assert report.at == datetime(2026, 11, 3, hour, tzinfo=UTC)


@pytest.mark.parametrize("content", [SYNOPTIC, REAL_FEED, TWO_CASES, CAP])
def test_an_independent_reader_finds_the_same_observations(content: bytes) -> None:
    segments = parse_message(content.decode(), find_groups=False).children
    after_specimen = False
    theirs = []
    for segment in segments:
        after_specimen = segment.name == "SPM" or (after_specimen and segment.name != "OBR")
        if segment.name == "OBX" and not after_specimen:
            theirs.append((segment.obx_3.obx_3_1.to_er7(), segment.obx_4.to_er7(), segment.obx_11.to_er7()))
    ours = [
        (item.codings[0].code, item.group, "F")
        for report in read(content, "x").reports
        for item in report.items
        for _ in item.values
        if item.status == "final"
    ]
    assert ours == theirs and theirs
