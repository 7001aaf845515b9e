"""Facts, from which evidence is counted: value of `activation.fact.v1`.

A fact names no person and no case. It is kept in a case's state too, so that it can be taken back
exactly, and therefore is a struct that is written as an array.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from schemas.hubrecords import decode_framed, encode_framed

FACT_ID: Final = "fact_id"
"""Kafka header with the fact's own id: the same whenever the same fact is sent again."""
_RECORD: Final = "ActivationFact"


class Fact(Struct, frozen=True, gc=False, array_like=True):
    """One row of evidence; `count` is -1 when it takes an earlier one back.

    Attributes:
        month: YYYY-MM.
        channel: role letter of who referred.
        code: reason or type that is counted.
        days: a duration, when the indicator is one.
        detail: a second code, such as the reason behind the first.
        value: a quantity that is added up: minutes, places or levels.
        rule_set: version of the programme rules that applied.
        concerned: participants whose own case it is; they alone see it uncounted with others.
    """

    indicator: str
    month: str
    nis: str
    programme: str | None = None
    channel: str | None = None
    code: str | None = None
    count: int = 1
    days: int | None = None
    detail: str | None = None
    value: int | None = None
    rule_set: str | None = None
    concerned: tuple[str, ...] = ()


def encode_fact(fact: Fact) -> bytes:
    """Return the framed record of a fact."""
    return encode_framed(_RECORD, {name: getattr(fact, name) for name in Fact.__struct_fields__})


def decode_fact(framed: bytes) -> Fact:
    """Return a fact that the hub wrote.

    Raises:
        UndecodableAvro: it is framed with a schema id that is no fact's.
    """
    fields = decode_framed(_RECORD, framed)
    fields["concerned"] = tuple(fields.get("concerned", ()))
    return Fact(**fields)
