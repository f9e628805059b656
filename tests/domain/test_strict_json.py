"""JSON in and out with nothing lost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.numbers import Digits
from app.domain.strict_json import NotJson, read_object, write


@pytest.mark.parametrize("digits", ["1.80", "2.0", "0.10", "1.9999999999999999999", "2e0", "1E-7", "-0.0"])
def test_digits_go_through_unchanged(digits: str) -> None:
    message = f'{{"a":[{digits}],"b":{{"c":{digits}}}}}'.encode()
    read = read_object(message)
    assert isinstance(read["a"][0], Digits)
    assert write(read) == message


def test_a_decimal_is_written_as_a_number_and_a_text_as_a_text() -> None:
    assert write({"a": Decimal("1.80"), "b": "1.80", "c": 2, "d": None}) == b'{"a":1.80,"b":"1.80","c":2,"d":null}'


@pytest.mark.parametrize(
    "message",
    [b"", b"{", b"[]", b"1", b'{"a":1,"a":2}', b"\xff", b'{"a":' + b"[" * 100_000, b'{"a":' + b"9" * 5000 + b"}"],
)
def test_what_cannot_be_read_says_what_to_send(message: bytes) -> None:
    with pytest.raises(NotJson) as refused:
        read_object(message)
    assert refused.value.message
    assert refused.value.remedy.startswith("send")
