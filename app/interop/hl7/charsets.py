"""The bytes of a message to text: by MSH-18, else by the sender's own character set, else by what fits."""

from __future__ import annotations

import re
from typing import NamedTuple

# HL7 table 0211 and the common names beside it; compared without blanks and marks, in capitals.
_ENCODINGS = {
    "ASCII": "ascii", "USASCII": "ascii", "ISOIR6": "ascii", "UNICODEUTF8": "utf-8", "UTF8": "utf-8",
    "UNICODE": "utf-8", "UNICODEUTF16": "utf-16", "UTF16": "utf-16", "UNICODEUTF32": "utf-32", "UTF32": "utf-32",
    "ISOIR14": "iso2022_jp", "ISOIR87": "iso2022_jp", "ISOIR159": "iso2022_jp_1", "GB180302000": "gb18030",
    "GB18030": "gb18030", "KSX1001": "euc_kr", "BIG5": "big5", "LATIN1": "iso8859-1", "WINDOWS1250": "cp1250",
    "CP1250": "cp1250", "WINDOWS1251": "cp1251", "CP1251": "cp1251", "WINDOWS1252": "cp1252", "CP1252": "cp1252",
}  # fmt: skip
_ENCODINGS |= {f"{lead}8859{part}": f"iso8859-{part}" for lead in ("", "ISO") for part in (*range(1, 10), 13, 15)}
_ONE_BYTE = ("iso8859", "cp125")
_REPLACED = "�"


class Decoded(NamedTuple):
    """A message as text. encoding: the Python codec that was used; notes: what a person should know of it."""

    text: str
    encoding: str
    notes: tuple[str, ...]


def encoding_of(name: str) -> str:
    """The codec for a name of HL7 table 0211, "" for one that is not known."""
    return _ENCODINGS.get(re.sub(r"[^A-Z0-9]", "", name.upper()), "")


def header_fields(message: bytes) -> list[bytes]:
    """The first segment's fields, MSH-1 left out, so that [2] is MSH-3; empty where there is no header."""
    line = re.split(rb"[\r\n]", message.lstrip(b"\xef\xbb\xbf \t\r\n\x0b"), maxsplit=1)[0]
    return line.split(line[3:4]) if line[:3] == b"MSH" and len(line) > 3 else []


def decode(message: bytes, charset: str = "") -> Decoded:
    """The text of a message. charset: what this sender uses where MSH-18 is empty. Raises nothing."""
    wide = _wide(message)
    if wide:
        return _told(message.decode(wide, "replace"), wide, ["the message is in two-byte characters"])
    fields = header_fields(message)
    declared = fields[17].decode("latin-1") if len(fields) > 17 else ""
    repetition = fields[1][1:2].decode("latin-1") if len(fields) > 1 else ""
    names = declared.split(repetition) if repetition else [declared]
    notes = [f"MSH-18 names {len(names)} character sets, the first was used"] if len(names) > 1 else []
    for source, name in (("MSH-18", names[0].strip()), ("the sender's default", charset)):
        if not name:
            continue
        encoding = encoding_of(name)
        # The header is readable byte by byte, so wider characters are a false claim.
        text = _decoded(message, encoding) if encoding and not encoding.startswith(("utf-16", "utf-32")) else None
        if text is not None and not (encoding.startswith(_ONE_BYTE) and _is_utf_8(message)):
            return _told(text, encoding, [*notes, f"read as {encoding} by {source}"])
        why = "the bytes are not of it" if encoding else "it is not known here"
        notes.append(f"the character set of {source} was not used: {why}")
    for encoding in ("utf-8", "cp1252"):
        text = _decoded(message, encoding)
        if text is not None:
            return _told(text, encoding, [*notes, f"read as {encoding}, which fits the bytes"])
    return _told(
        message.decode("cp1252", "replace"), "cp1252", [*notes, "read as cp1252, which does not fit all bytes"]
    )


def _wide(message: bytes) -> str:
    if message[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return {b"M\x00S\x00": "utf-16-le", b"\x00M\x00S": "utf-16-be"}.get(message[:4], "")


def _decoded(message: bytes, encoding: str) -> str | None:
    try:
        return message.decode(encoding)
    except UnicodeError:
        return None


def _is_utf_8(message: bytes) -> bool:
    """True for UTF-8 beyond ASCII: text in a one-byte set forms valid UTF-8 by chance almost never."""
    return not message.isascii() and _decoded(message, "utf-8") is not None


def _told(text: str, encoding: str, notes: list[str]) -> Decoded:
    replaced = text.count(_REPLACED)
    if replaced:
        notes.append(f"{replaced} characters are replacement characters: what stood there is lost")
    # A database's text cannot hold the zero character.
    if "\x00" in text:
        notes.append("zero characters were left out")
    return Decoded(text.replace("\x00", ""), encoding, tuple(notes))
