"""States as the ledger's rows keep them: JSON, read and written by msgspec in C."""

from __future__ import annotations

import msgspec

from gateway.exchange.offer_state import Offer
from gateway.exchange.state import Trajectory
from gateway.exchange.subject_state import Subject

_encode = msgspec.json.Encoder().encode
_trajectory = msgspec.json.Decoder(Trajectory).decode
_offer = msgspec.json.Decoder(Offer).decode
_subject = msgspec.json.Decoder(Subject).decode


def dumps(state: Trajectory | Subject | Offer) -> bytes:
    """The state as JSON, for its row."""
    return _encode(state)


def loads_trajectory(row: bytes) -> Trajectory:
    """A trajectory from its row."""
    return _trajectory(row)


def loads_offer(row: bytes) -> Offer:
    """An offer from its row."""
    return _offer(row)


def loads_subject(row: bytes) -> Subject:
    """A person's state from its row."""
    return _subject(row)
