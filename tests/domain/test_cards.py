"""A card's uuid tells what the card is about."""

from __future__ import annotations

import uuid

import pytest

from app.domain.cards import KINDS, card_uuid, kind_of


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_is_read_from_the_uuid(kind: str) -> None:
    made = card_uuid(kind)
    assert kind_of(made) == kind_of(made.upper()) == kind
    assert (uuid.UUID(made).version, uuid.UUID(made).variant) == (8, uuid.RFC_4122)
    assert card_uuid(kind) != made


def test_the_number_of_a_kind_never_changes() -> None:
    assert [(number, kind) for number, kind in enumerate(KINDS)] == [
        (0, "status"),
        (1, "missing"),
        (2, "changed"),
        (3, "contradiction"),
        (4, "evidence-endocrine"),
        (5, "evidence-anti-her2"),
        (6, "evidence-cdk46"),
        (7, "other"),
    ]
    assert kind_of("00000000-0000-8005-8000-000000000000") == "evidence-anti-her2"


@pytest.mark.parametrize(
    "other",
    [
        "",
        "card 1",
        "782675fe-c044-45de-b092-65bb65e3c3b4",
        "00000000-0000-8fff-8000-000000000000",
        "00000000-0000-8000-c000-000000000000",
        "{00000000-0000-8000-8000-000000000000}",
        "00000000000080008000000000000000",
        "urn:uuid:00000000-0000-8000-8000-000000000000",
    ],
)
def test_what_was_not_made_here_has_no_kind(other: str) -> None:
    assert kind_of(other) is None


def test_there_is_no_card_of_another_kind() -> None:
    with pytest.raises(ValueError):
        card_uuid("advertisement")
