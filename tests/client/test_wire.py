"""Bytes: digits stay as written, an acknowledgement is read in any of the ways in which one is written."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from herald_client import HeraldError
from herald_client.wire import acknowledgement, from_json, to_json


@pytest.mark.parametrize("written", ["1.80", "1.8", "0.10", "40", "2.000000000000000001", "100"])
def test_a_decimal_goes_out_with_its_own_digits(written: str) -> None:
    assert to_json({"ish": {"ratio": Decimal(written)}}) == f'{{"ish":{{"ratio":{written}}}}}'.encode()


def test_a_decimal_with_an_exponent_goes_out_without_it() -> None:
    assert to_json([Decimal("1E+1"), Decimal("1E-3")]) == b"[10,0.001]"


def test_a_float_is_refused_with_what_to_send() -> None:
    with pytest.raises(TypeError, match=r"send '1\.80' as text or Decimal"):
        to_json({"ish": {"ratio": 1.8}})


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), {1, 2}, b"1", object()])
def test_what_json_cannot_say_is_refused_and_not_repeated(value: object) -> None:
    with pytest.raises(TypeError) as caught:
        to_json({"patient": "Erika", "ihc": value})
    assert "Erika" not in str(caught.value)


_TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_TREES)
def test_what_is_written_is_json_and_reads_back_as_it_was(tree: object) -> None:
    written = to_json(tree)
    json.loads(written)
    assert from_json(written) == tree


def test_an_answer_that_is_not_json_says_where_to_look() -> None:
    with pytest.raises(HeraldError, match="base_url"):
        from_json(b"<html>")


ACK = "MSH|^~\\&|HERALD||LIS|NORTH|20261125||ACK^R01^ACK|1|P|2.5.1\rMSA|AA|M-17\r"


@pytest.mark.parametrize(
    "raw",
    [
        ACK.encode(),
        b"\x0b" + ACK.encode() + b"\x1c\r",
        ACK.replace("\r", "\n").encode(),
        ACK.replace("|", "#").encode(),
    ],
)
def test_an_acknowledgement_is_read(raw: bytes) -> None:
    read = acknowledgement(raw)
    assert (read.code, read.control_id, read.errors, read.accepted) == ("AA", "M-17", (), True)


def test_what_waits_is_accepted_and_says_why() -> None:
    waiting = (
        ACK + r"ERR||OBX^2^5^1|103^Table value not found^HL70357|W|UNKNOWN_CODE^^99HERALD|||send 2+ \T\ a code" + "\r"
    )
    read = acknowledgement(waiting.encode())
    assert read.accepted
    (error,) = read.errors
    assert error == ("OBX^2^5^1", "103", "W", "send 2+ & a code")


def test_errors_before_version_2_5_are_read_from_err_1() -> None:
    old = ACK.replace("2.5.1", "2.3").replace("AA|M-17", "AE|M-17|is not a score")
    read = acknowledgement((old + "ERR|OBX^2^5^103&Table value not found&HL70357~PID^1^3^101\r").encode())
    assert not read.accepted
    assert [each[:2] for each in read.errors] == [("OBX^2^5", "103"), ("PID^1^3", "101")]


@pytest.mark.parametrize("raw", [b"", b"MSH", b"MSH|", b"<html>", b"MSH|^~\\&|A|B\rPID|1", b"\xff\xfe"])
def test_what_is_no_acknowledgement_is_an_error(raw: bytes) -> None:
    with pytest.raises(HeraldError, match="acknowledgement"):
        acknowledgement(raw)


@given(st.binary())
def test_no_bytes_raise_anything_else(raw: bytes) -> None:
    for header in (b"", b"MSH|^~\\&|\rMSA|", b"MSH|^~\\&|\rERR|"):
        with suppress(HeraldError):
            acknowledgement(header + raw)
