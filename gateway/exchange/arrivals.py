"""What became of an event that is in an inbox.

Handed over is not arrived: a copy is disclosed before it leaves, and may then wait for a receiver
or a broker that is away, or be stopped before it went.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from consumers import deliveries, kafka_positions, views
from consumers.kafka_door import DOOR as KAFKA
from consumers.kafka_door import UNPUBLISHABLE
from gateway.exchange.authorise import AT_THE_DOOR, Stopped
from gateway.exchange.webhook_door import DOOR as WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import sqlalchemy as sa

    from consumers.deliveries import Delivery
    from consumers.scope import Scope
    from consumers.views import HandOver, InboxEntry
    from gateway.exchange.authorise import Verdict

DELIVERED: Final = "delivered"
STOPPED: Final = "stopped"
PENDING: Final = "pending"
FAILED: Final = "failed"
READY: Final = "ready"


def left(
    connection: sa.Connection, scope: Scope, entries: Iterable[InboxEntry]
) -> set[tuple[str, str]]:
    """Event and participant of those of the entries that a door has let out.

    One that waits for a webhook counts: its deliverer asks again before each attempt.
    """
    listed = list(entries)
    if not listed:
        return set()
    doors: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in views.hand_overs_of(connection, scope, [one.event_id for one in listed]):
        doors[one.event_id, one.participant].add(one.door)
    in_kafka = {participant for (_, participant), given in doors.items() if KAFKA in given}
    written = kafka_positions.written(connection, in_kafka) if in_kafka else {}
    return {
        (one.event_id, one.participant)
        for one in listed
        if doors[one.event_id, one.participant] - {KAFKA}
        or _is_written(one, doors[one.event_id, one.participant], written.get(one.participant, 0))
    }


def has_arrived(
    entry: InboxEntry, given: Sequence[HandOver], sent: Sequence[Delivery], written: int
) -> bool:
    """Whether it is where its recipient gets it.

    At a webhook once the receiver has taken it, in Kafka once the broker has.

    Args:
        entry: the inbox row.
        given: its hand-overs, at any door.
        sent: what became of it at each webhook.
        written: up to which row the inbox is in the participant's topic.
    """
    doors = {one.door for one in given}
    if any(one.state == deliveries.DELIVERED for one in sent) or (WEBHOOK in doors and not sent):
        return True
    return bool(doors - {WEBHOOK, KAFKA}) or _is_written(entry, doors, written)


def state_of(
    entry: InboxEntry, verdict: Verdict | None, sent: Sequence[Delivery], *, is_for_kafka: bool
) -> tuple[str, str | None]:
    """The state and its reason.

    Args:
        entry: the inbox row.
        verdict: what a door would say now; None when it has arrived, which nobody asks again.
        sent: what became of it at each webhook.
        is_for_kafka: whether it has yet to be written to its recipient's topic.
    """
    if verdict is None:
        return DELIVERED, None
    if isinstance(verdict, Stopped):
        return STOPPED, verdict.leg
    if entry.status == STOPPED and entry.stopped_leg in AT_THE_DOOR:
        return STOPPED, entry.stopped_leg
    for kept, state in ((deliveries.PENDING, PENDING), (deliveries.FAILED, FAILED)):
        found = next((one for one in sent if one.state == kept), None)
        if found is not None:
            return state, found.code or "not_tried"
    return (PENDING, "not_written") if is_for_kafka else (READY, "not_fetched")


def _is_written(entry: InboxEntry, doors: set[str], written: int) -> bool:
    """Whether the broker took what was rendered for its recipient's topic."""
    return KAFKA in doors and entry.seq <= written and entry.stopped_leg != UNPUBLISHABLE
