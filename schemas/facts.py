"""Anonymous facts, from which evidence is counted: value of `activation.fact.v1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.hubrecords import decode_framed, encode_framed

_RECORD: Final = "ActivationFact"


@dataclass(frozen=True, slots=True)
class Fact:
    """An anonymous row: no ids, month precision.

    Attributes:
        month: YYYY-MM.
        channel: role letter of who referred.
        code: reason or type that is counted.
        days: a duration, when the indicator is one.
    """

    indicator: str
    month: str
    nis: str
    programme: str | None = None
    channel: str | None = None
    code: str | None = None
    count: int = 1
    days: int | None = None


def encode_fact(fact: Fact) -> bytes:
    """Return the framed record of a fact."""
    return encode_framed(_RECORD, {name: getattr(fact, name) for name in Fact.__slots__})


def decode_fact(framed: bytes) -> Fact:
    """Return a fact that the hub wrote.

    Raises:
        UndecodableAvro: it is framed with a schema id that is no fact's.
    """
    return Fact(**decode_framed(_RECORD, framed))
