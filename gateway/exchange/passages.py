"""An event's journey as values: what became of it for each possible recipient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumers.deliveries import Delivery
    from consumers.spans import Span
    from gateway.exchange.records import LedgerRow


@dataclass(frozen=True, slots=True)
class Passage:
    """What became of one event for one possible recipient.

    Attributes:
        state: `delivered` through a door; `pending` at a webhook or before Kafka; `failed` at a
            webhook; `ready` in the inbox; `waiting` on its way there;
            `stopped` at hand-over; `excluded` when the event was accepted.
        reason: why it waits, was stopped or excluded: a leg, or a code of `legs.WAITS`.
        doors: door and time (microseconds UTC) of each hand-over, the first one first.
        deliveries: what became of it at each webhook.
        withheld: paths of the fields that were, or now would be, taken out for it.
    """

    participant: str
    role: str
    relations: tuple[str, ...]
    state: str
    reason: str | None = None
    seq: int | None = None
    routed_at: int | None = None
    doors: tuple[tuple[str, int], ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    withheld: tuple[str, ...] = ()
    agreement_id: str | None = None
    backfill: bool = False


@dataclass(frozen=True, slots=True)
class Journey:
    """One event's way, as one viewer may know it.

    Attributes:
        is_own: the viewer sent it, or caused this hub event.
        sender: participant id; None when the viewer may not know it.
        published: whether it has left the outbox for Kafka.
        shows_all: every possible recipient is in `passages`, not only the viewer.
        spans: the detail, when it was recorded and the viewer may see all.
    """

    row: LedgerRow = field(repr=False)
    is_own: bool
    sender: str | None
    published: bool
    shows_all: bool
    passages: tuple[Passage, ...]
    spans: tuple[Span, ...] = ()
