"""The mandate of an organiser in a territory that goes to another (R11). It is about no person.

The ledger keeps it as JSON, one row each; an accepted one changes who serves what in the registry.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Mandate(Struct, frozen=True, gc=False):
    """One change of mandate.

    Attributes:
        mover: the VDAB or municipality that proposed it.
        giver: the organiser until then; `receiver` from then on.
        nis: the municipalities that go over.
        effective: first day (YYYY-MM-DD) of the receiver.
        territory_nis: the municipality when there is one, else the region.
    """

    id: str
    state: str
    version: int
    mover: str
    giver: str
    receiver: str
    nis: tuple[str, ...]
    effective: str
    territory_nis: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Mandate).decode


def dumps(mandate: Mandate) -> bytes:
    """A mandate as JSON, for its row."""
    return _encode(mandate)


def loads(row: bytes) -> Mandate:
    """A mandate from its row."""
    return _decode(row)
