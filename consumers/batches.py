"""What one turn of a subscription sends: retries that are due, then what is new in the inbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumers import deliveries, views
from consumers.scope import Scope
from consumers.subscriptions import SUSPENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import sqlalchemy as sa

    from consumers.deliveries import Delivery
    from consumers.subscriptions import Subscription
    from consumers.views import InboxEntry

MOST_WAITING: Final = 5_000
"""While more than this is pending for one subscription, what is new stays in the inbox."""
SCANNED: Final = 500
PROBES: Final = 2


@dataclass(frozen=True, slots=True)
class Item:
    """One event to be sent."""

    entry: InboxEntry
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Batch:
    """What a turn does.

    Attributes:
        lanes: events to send, in order within each.
        waiting: new rows behind something that is pending; to be written down only.
        vanished: rows whose inbox row was taken back.
        position: the inbox row up to which all is accounted for after this turn.
        is_end: whether the inbox had nothing after it.
    """

    lanes: tuple[tuple[Item, ...], ...]
    waiting: tuple[Delivery, ...]
    vanished: tuple[int, ...]
    position: int
    is_end: bool = False

    @property
    def entries(self) -> list[InboxEntry]:
        """Everything that is to be sent."""
        return [item.entry for lane in self.lanes for item in lane]

    def is_idle(self, subscription: Subscription) -> bool:
        """Whether it changes nothing."""
        is_empty = not (self.lanes or self.waiting or self.vanished)
        return is_empty and self.position == subscription.position


def plan(connection: sa.Connection, subscription: Subscription, now: int, limit: int) -> Batch:
    """Read what is to be done; at most `limit` events, two while the breaker is open."""
    scope, is_probe = Scope(subscription.participant), subscription.state == SUSPENDED
    heads = _heads(connection, scope, subscription, now, limit)
    room = PROBES if is_probe else limit
    rows = heads if is_probe else deliveries.behind(connection, scope, heads, limit)
    found = {one.seq: one for one in views.entries_at(connection, scope, [x.seq for x in rows])}
    items = [Item(found[row.seq], row) for row in rows if row.seq in found]
    vanished = tuple(row.seq for row in rows if row.seq not in found)
    room -= len(items)
    if room <= 0 or _is_full(connection, scope, subscription):
        return Batch(_laned(items), (), vanished, subscription.position)
    entries, position, is_end = _new(connection, scope, subscription, room)
    fresh, waiting = _split(connection, scope, subscription, entries)
    return Batch(_laned([*items, *fresh]), waiting, vanished, position, is_end)


def _heads(
    connection: sa.Connection, scope: Scope, subscription: Subscription, now: int, limit: int
) -> list[Delivery]:
    """The first of each lane that is to be tried now."""
    if not _has_pending(subscription):
        return []
    if subscription.state == SUSPENDED:
        return deliveries.probing(connection, scope, subscription.id)
    return deliveries.due(connection, scope, subscription.id, now, limit)


def _has_pending(subscription: Subscription) -> bool:
    """Whether anything may be pending: whatever is has a time that is waited for."""
    return subscription.due_at is not None


def _is_full(connection: sa.Connection, scope: Scope, subscription: Subscription) -> bool:
    if not _has_pending(subscription):
        return False
    return deliveries.waiting(connection, scope, subscription.id) > MOST_WAITING


def _new(
    connection: sa.Connection, scope: Scope, subscription: Subscription, room: int
) -> tuple[list[InboxEntry], int, bool]:
    """Inbox rows that the filters let through, how far that went, and whether it was the end."""
    limit = SCANNED if subscription.has_filters else room
    page = views.feed_page(connection, scope, after=subscription.position, limit=limit)
    position = subscription.position
    found: list[InboxEntry] = []
    for entry in page:
        if subscription.lets_through(entry):
            if len(found) == room:
                return found, position, False
            found.append(entry)
        position = entry.seq
    return found, position, len(page) < limit


def _split(
    connection: sa.Connection,
    scope: Scope,
    subscription: Subscription,
    entries: Sequence[InboxEntry],
) -> tuple[list[Item], tuple[Delivery, ...]]:
    """What can be sent, and what has to wait for an earlier event of its lane."""
    if not entries:
        return [], ()
    first, last = entries[0].seq, entries[-1].seq
    known = deliveries.between(connection, scope, subscription.id, first, last)
    items = [
        Item(entry, _fresh(known.get(entry.seq), subscription.id, entry))
        for entry in entries
        if entry.seq not in known or known[entry.seq].state != deliveries.PENDING
    ]
    if not _has_pending(subscription):
        return items, ()
    busy = deliveries.busy_lanes(
        connection, scope, subscription.id, {one.delivery.lane for one in items}
    )
    free = [one for one in items if one.delivery.lane not in busy]
    return free, tuple(one.delivery for one in items if one.delivery.lane in busy)


def _fresh(before: Delivery | None, subscription_id: str, entry: InboxEntry) -> Delivery:
    """A row that begins a window; a replay goes on counting the attempts."""
    if before is None:
        return deliveries.of_entry(subscription_id, entry)
    return replace(before, state=deliveries.PENDING, first_at=None, next_at=None, ended_at=None)


def _laned(items: Iterable[Item]) -> tuple[tuple[Item, ...], ...]:
    lanes: dict[str, list[Item]] = {}
    for item in items:
        lanes.setdefault(item.delivery.lane, []).append(item)
    return tuple(tuple(lane) for lane in lanes.values())
