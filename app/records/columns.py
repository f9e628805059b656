"""Column types that behave alike on SQLite and PostgreSQL, and the shorthand that tables are written in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, DateTime, Dialect, ForeignKeyConstraint, Integer, LargeBinary, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.records.errors import Unstorable

KEY_BYTES = 800  # an index entry of PostgreSQL holds 2704 bytes, and the widest key here joins three texts
INSTANT_CHARS = 27


class Words(TypeDecorator[str]):
    """Text that both databases hold unchanged. most: the longest allowed, in UTF-8 bytes; None for no limit."""

    impl = Text
    cache_ok = True

    def __init__(self, most: int | None = None) -> None:
        super().__init__()
        self.most = most

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or (value.isascii() and "\0" not in value and (self.most is None or len(value) <= self.most)):
            return value
        # PostgreSQL can't store NUL and SQLite can; a record must not depend on where it is kept
        if "\0" in value:
            raise Unstorable("a NUL character can't be stored")
        size = len(utf8(value))
        if self.most is not None and size > self.most:
            raise Unstorable(f"a key of {size} bytes is longer than {self.most}")
        return value


class Instant(TypeDecorator[datetime]):
    """A moment, aware and in UTC both ways; SQLite keeps text that sorts as time does."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(INSTANT_CHARS))
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise Unstorable("a time without a zone can't be stored")
        return instant_text(value) if dialect.name == "sqlite" else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


def utf8(written: str) -> bytes:
    """The text as bytes. Raises Unstorable for half of a surrogate pair, which JSON can write and no database keep."""
    try:
        return written.encode()
    except UnicodeEncodeError:
        raise Unstorable("half of a surrogate pair can't be stored") from None


def instant_text(moment: datetime) -> str:
    """2026-01-31T09:30:00.000000Z: fixed width, so text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# ---- shorthand: erasable columns are those that an order of erasure sets to null, and no one else may touch


def text(name: str, *, null: bool = False, erasable: bool = False) -> Column[str]:
    return Column(name, Words(), nullable=null or erasable, info={"erasable": erasable})


def key(name: str, *, null: bool = False, erasable: bool = False) -> Column[str]:
    """Text that an index holds, so of bounded length."""
    return Column(name, Words(KEY_BYTES), nullable=null or erasable, info={"erasable": erasable})


def when(name: str, *, null: bool = False, erasable: bool = False) -> Column[datetime]:
    return Column(name, Instant(), nullable=null or erasable, info={"erasable": erasable})


def number(name: str, *, null: bool = False) -> Column[int]:
    return Column(name, Integer(), nullable=null, info={"erasable": False})


def flag(name: str) -> Column[bool]:
    return Column(name, Boolean(), nullable=False, info={"erasable": False})


def raw(name: str) -> Column[bytes]:
    return Column(name, LargeBinary(), nullable=True, info={"erasable": True})


def refer(name: str, target: str, *, null: bool = False) -> tuple[Column[str], ForeignKeyConstraint]:
    """A reference within the organisation: the constraint makes one across organisations impossible."""
    constraint = ForeignKeyConstraint(["organisation", name], [f"{target}.organisation", f"{target}.id"])
    return key(name, null=null), constraint
