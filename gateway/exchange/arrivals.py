"""What became of an event that is in an inbox.

Handed over is not arrived: a copy is disclosed before it leaves, and may then wait for a receiver
or a broker that is away, or be stopped before it went.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from consumers import deliveries, kafka_positions, views
from consumers.deliveries import KEPT_US
from consumers.kafka_door import DOOR as KAFKA
from consumers.kafka_door import UNPUBLISHABLE
from gateway.exchange.authorise import AT_THE_DOOR, Stopped
from gateway.exchange.webhook_door import DOOR as WEBHOOK

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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
    connection: sa.Connection, scope: Scope, entries: Iterable[InboxEntry], *, now: int
) -> set[tuple[str, str]]:
    """Event and participant of those of the entries that a door has let out.

    One that waits for a webhook counts while nothing stops it: its deliverer asks again before
    each attempt. One that was stopped before a receiver took it has not left.
    """
    listed = list(entries)
    if not listed:
        return set()
    given: defaultdict[tuple[str, str], list[HandOver]] = defaultdict(list)
    for one in views.hand_overs_of(connection, scope, [one.event_id for one in listed]):
        given[one.event_id, one.participant].append(one)
    sent: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
    at_webhooks = _through(given, WEBHOOK)
    for delivery in _deliveries(connection, scope, [event_id for event_id, _ in at_webhooks]):
        sent[delivery.event_id, delivery.participant].append(delivery)
    in_kafka = {participant for _, participant in _through(given, KAFKA)}
    written = kafka_positions.written(connection, in_kafka) if in_kafka else {}
    places = ((one, (one.event_id, one.participant)) for one in listed)
    return {
        place
        for one, place in places
        if has_arrived(one, given[place], sent[place], written.get(one.participant, 0), now=now)
        or (place in at_webhooks and _is_on_its_way(one, sent[place]))
    }


def has_arrived(
    entry: InboxEntry,
    given: Sequence[HandOver],
    sent: Sequence[Delivery],
    written: int,
    *,
    now: int,
) -> bool:
    """Whether it is where its recipient gets it.

    At a webhook once the receiver has taken it, in Kafka once the broker has.

    Args:
        entry: the inbox row.
        given: its hand-overs, at any door.
        sent: what became of it at each webhook.
        written: up to which row the inbox is in the participant's topic.
        now: business time; a delivery that succeeded is forgotten in the end.
    """
    doors = {one.door for one in given}
    if any(one.state == deliveries.DELIVERED for one in sent):
        return True
    if not sent and any(_is_forgotten(one, now) for one in given):
        return True
    return bool(doors - {WEBHOOK, KAFKA}) or _is_written(entry, doors, written)


def state_of(
    entry: InboxEntry,
    verdict: Verdict | None,
    given: Sequence[HandOver],
    sent: Sequence[Delivery],
    *,
    is_for_kafka: bool,
) -> tuple[str, str | None]:
    """The state and its reason.

    Args:
        entry: the inbox row.
        verdict: what a door would say now; None when it has arrived, which nobody asks again.
        given: its hand-overs, at any door.
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
    if not sent and any(one.door == WEBHOOK for one in given):
        # It is disclosed before it is sent, and written down after.
        return PENDING, "not_tried"
    return (PENDING, "not_written") if is_for_kafka else (READY, "not_fetched")


def _is_written(entry: InboxEntry, doors: set[str], written: int) -> bool:
    """Whether the broker took what was rendered for its recipient's topic."""
    return KAFKA in doors and entry.seq <= written and entry.stopped_leg != UNPUBLISHABLE


def _is_on_its_way(entry: InboxEntry, sent: Sequence[Delivery]) -> bool:
    """Whether it may still be sent, or is a dead letter, which its owner may have sent again."""
    states = {one.state for one in sent}
    if deliveries.FAILED in states:
        return True
    if entry.status == STOPPED:
        return False
    return deliveries.PENDING in states or deliveries.STOPPED not in states


def _is_forgotten(one: HandOver, now: int) -> bool:
    """Whether what is left of a webhook's success is its line: all else keeps its row."""
    return one.door == WEBHOOK and now - one.disclosed_at > KEPT_US


def _through(
    given: Mapping[tuple[str, str], Sequence[HandOver]], door: str
) -> set[tuple[str, str]]:
    return {place for place, lines in given.items() if any(one.door == door for one in lines)}


def _deliveries(
    connection: sa.Connection, scope: Scope, event_ids: Sequence[str]
) -> list[Delivery]:
    return deliveries.of_events(connection, scope, event_ids) if event_ids else []
