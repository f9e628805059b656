"""What is known of a message before it is read: who sends it, its control id, what answer it asks for; batches."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Literal, NamedTuple, cast

from app.interop.hl7.charsets import decode, header_fields
from app.interop.hl7.segments import Message, parse

Condition = Literal["AL", "NE", "ER", "SU"]
_CONDITIONS = ("AL", "NE", "ER", "SU")
_HEADER = re.compile(rb"(?:FHS|BHS|BTS|FTS)(?![A-Za-z0-9])")
# Where a message or a header begins, by the line.
_START = re.compile(rb"(?:\A|(?<=[\r\n]))(?=(?:MSH|FHS|BHS|BTS|FTS)(?![A-Za-z0-9]))")


class Wants(NamedTuple):
    """The acknowledgements a sender asks for by MSH-15 and MSH-16: always, never, on error, on success."""

    mode: Literal["original", "enhanced"]
    accept: Condition
    application: Condition


def peek(message: bytes, charset: str = "") -> tuple[str, str]:
    """The sender as "MSH-3|MSH-4" (first components) and MSH-10, both "" where they are not known. Raises nothing."""
    header = _header(message, charset).header
    names = (header.text(3) or header.text(3, 2), header.text(4) or header.text(4, 2))
    return "|".join(names) if any(names) else "", header.text(10)


def wants(message: bytes) -> Wants:
    """What MSH-15 and MSH-16 ask for. Neither: original mode, always an application acknowledgement. Raises nothing."""
    header = _header(message).header
    accept, application = (header.text(field).upper() for field in (15, 16))
    if not accept and not application:
        return Wants("original", "NE", "AL")
    return Wants("enhanced", _condition(accept), _condition(application))


def split_batch(content: bytes) -> list[bytes]:
    """The messages of a file or batch, without its FHS, BHS, BTS and FTS; what stands before the first MSH is kept.

    One message gives itself. Two-byte character sets are not split.
    """
    stripped = content.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0b")
    starts = [each.start() for each in _START.finditer(stripped)]
    pieces = [stripped[first:last] for first, last in pairwise([0, *starts, len(stripped)])]
    found = []
    for piece in pieces:
        if not _HEADER.match(piece):
            found.append(piece)
            continue
        # A header is one line; whatever else stands there is a message that cannot be read, not one that is dropped.
        found.append(b"".join(re.split(rb"[\r\n]+", piece, maxsplit=1)[1:]))
    return [each for each in found if each.strip()]


def _condition(text: str) -> Condition:
    """An empty condition in enhanced mode is "never"; one outside table 0155 is answered rather than not."""
    if not text:
        return "NE"
    return cast(Condition, text) if text in _CONDITIONS else "AL"


def _header(message: bytes, charset: str = "") -> Message:
    """The first segment alone, so that a long message is not read for it."""
    fields = header_fields(message)
    if fields:
        separator = message.lstrip(b"\xef\xbb\xbf \t\r\n\x0b")[3:4]
        return parse(separator.join(fields), charset)
    # Two-byte character sets: the header cannot be cut out of the bytes.
    text = decode(message, charset).text.lstrip("\ufeff \t\r\n\x0b")
    return parse(re.split(r"[\r\n]", text, maxsplit=1)[0].encode("utf-8") if text[:3] == "MSH" else b"")
