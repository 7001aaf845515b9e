"""One clock of the hub: when it is due, and the event that the hub then sends."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Clock(Struct, frozen=True, gc=False):
    """Something that the hub sends at a time, unless the state changes before.

    Attributes:
        kind: what it is for; with `aggregate_id` it names the clock.
        aggregate_id: the referral, placement, outcome, right, trajectory or offer it is about.
        due_at: microseconds since the epoch; a clock that was sent runs again only for later.
        event: name of the event.
        data: of the event; a function of the clock alone, so that two gateways send the same.
        acts_for: participant under whose grants the event is disclosed; it gets it in any case.
    """

    kind: str
    aggregate_id: str
    due_at: int
    event: str
    data: dict[str, Any]
    acts_for: str

    @property
    def key(self) -> str:
        """What the state remembers it under."""
        return f"{self.kind}/{self.aggregate_id}"

    @property
    def id(self) -> str:
        """Sender event id: the same at every gateway and after every restart."""
        return f"clock:{self.kind}:{self.aggregate_id}:{self.due_at}"
