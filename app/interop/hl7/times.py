"""Times of HL7 v2: YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ] (data types TS, DTM, DT)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_TIME = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:(?P<hour>\d\d)(?:(?P<minute>\d\d)"
    r"(?:(?P<second>\d\d)(?:\.(?P<part>\d{1,6})\d*)?)?)?)?)?)?(?P<zone>[+-]\d{4})?",
    re.ASCII,
)


def zone_of(text: str) -> tzinfo | None:
    """The offset that a time was sent with, None where there is none."""
    found = _TIME.fullmatch(text.strip())
    if found is None or not found["zone"]:
        return None
    away = timedelta(hours=int(found["zone"][1:3]), minutes=int(found["zone"][3:]))
    try:
        return timezone(-away if found["zone"][0] == "-" else away)
    except ValueError:
        return None


def moment(text: str, zone: tzinfo) -> datetime | None:
    """An aware time, precise to the day at least, else None. zone: for a time that was sent without an offset."""
    found = _TIME.fullmatch(text.strip())
    if found is None or not found["day"]:
        return None
    numbers = [int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")]
    fraction = int((found["part"] or "0").ljust(6, "0"))
    try:
        told = datetime(*numbers, fraction, tzinfo=zone_of(text) or zone)  # type: ignore[arg-type, misc]
        told.utctimetuple()
    except (ValueError, OverflowError):
        return None
    return told


def iso(text: str) -> str:
    """ISO 8601 for a document: a date-time only with the offset it was sent with, else the date, else ""."""
    zone = zone_of(text)
    told = moment(text, zone or UTC)
    if told is None:
        return ""
    found = _TIME.fullmatch(text.strip())
    return told.isoformat() if zone is not None and found is not None and found["hour"] else told.date().isoformat()


def written(told: datetime) -> str:
    """A time as HL7 v2 writes it, to the second, with its offset."""
    return told.strftime("%Y%m%d%H%M%S%z")
