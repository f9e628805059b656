"""What a CDS card is about, told by its uuid: feedback names nothing else."""

from __future__ import annotations

import secrets
import uuid

# The number of a kind is its place here: add at the end only, uuids of old cards still come back.
KINDS = (
    "status", "missing", "changed", "contradiction", "evidence-endocrine", "evidence-anti-her2", "evidence-cdk46",
    "other",
)  # fmt: skip


def card_uuid(kind: str) -> str:
    """A new uuid for a card: version 8 (RFC 9562), the kind's number in its 12 bits custom_b, the rest random.

    Raises ValueError for a kind that is none of KINDS.
    """
    number = KINDS.index(kind)
    value = (secrets.randbits(48) << 80) | (0x8 << 76) | (number << 64) | (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def kind_of(card: str) -> str | None:
    """The kind of the card with this uuid, in any spelling of RFC 9562; None where it was not made by card_uuid."""
    try:
        read = uuid.UUID(card)
    except ValueError:
        return None
    if str(read) != card.lower() or read.version != 8:
        return None
    number = (read.int >> 64) & 0xFFF
    return KINDS[number] if number < len(KINDS) else None
