"""Times as sent: no offset is invented, and what orders versions is aware."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.interop.hl7.times import iso, moment


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("20261103142500+0100", "2026-11-03T14:25:00+01:00"),
        ("20261103142500", "2026-11-03"),
        ("202611031425-0530", "2026-11-03T14:25:00-05:30"),
        ("20261103", "2026-11-03"),
        ("20261103+0100", "2026-11-03"),
        ("202611", ""),
        ("2026", ""),
        ("20261332", ""),
        ("00000000", ""),
        ("", ""),
        ("3 Nov 2026", ""),
        ("20261103250000", ""),
    ],
)
def test_no_offset_is_invented(sent: str, told: str) -> None:
    assert iso(sent) == told


@pytest.mark.parametrize(
    ("sent", "utc"),
    [
        ("20261103142500.1234+0100", datetime(2026, 11, 3, 13, 25, 0, 123400, tzinfo=UTC)),
        ("20261103142500", datetime(2026, 11, 3, 14, 25, tzinfo=UTC)),
        ("20261103", datetime(2026, 11, 3, tzinfo=UTC)),
        ("202611", None),
        ("99999999", None),
        ("00010101000000+2300", None),
    ],
)
def test_a_time_for_ordering_is_aware_or_none(sent: str, utc: datetime | None) -> None:
    assert moment(sent, UTC) == utc
