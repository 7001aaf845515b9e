"""Deliveries: for one subscription one row for each event that was, is or will be sent.

Order is kept within a lane, which is a trajectory. Of the pending rows of a lane only the first
has a time at which it is tried; the others wait for it. Failed attempts have rows of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import astuple

from consumers import bulk
from consumers.retrying import DAY_US
from consumers.scope import Prepared, Scope, scoped
from consumers.tables import attempts, deliveries, inbox

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consumers.views import InboxEntry

PENDING: Final = "pending"
DELIVERED: Final = "delivered"
FAILED: Final = "failed"
STOPPED: Final = "stopped"
KEPT_US: Final = 35 * DAY_US
"""How long a delivery that succeeded can be looked up; the disclosure log keeps its line."""
NO_TRAJECTORY: Final = "-"
"""The one lane of all that is about no trajectory, so that offers too arrive in order."""


class Delivery(Struct, frozen=True):
    """One row, in the order of the table's columns.

    Attributes:
        state: `pending`, `delivered`, `failed` (a dead letter), `stopped` (at hand-over, or
            because its subscription was taken away).
        tries: attempts so far.
        first_at: the first attempt of this window.
        next_at: when it is tried; None while it waits for an earlier one, or has ended.
        code: what the last failed attempt came to.
    """

    subscription_id: str
    seq: int
    participant: str
    event_id: str
    lane: str
    state: str = PENDING
    tries: int = 0
    first_at: int | None = None
    next_at: int | None = None
    ended_at: int | None = None
    code: str | None = None


class Attempt(Struct, frozen=True):
    """One failed attempt, in the order of the table's columns."""

    subscription_id: str
    seq: int
    number: int
    participant: str
    at: int
    duration_us: int
    code: str
    excerpt: str | None


def of_entry(subscription_id: str, entry: InboxEntry) -> Delivery:
    """The row of an event that was not tried yet."""
    lane = entry.trajectory_id or NO_TRAJECTORY
    return Delivery(subscription_id, entry.seq, entry.participant, entry.event_id, lane)


def due(
    connection: sa.Connection, scope: Scope, subscription_id: str, now: int, limit: int
) -> list[Delivery]:
    """The first of each lane that is to be tried now, in inbox order."""
    given = {"subscription": subscription_id, "now": now, "most": limit}
    return [Delivery(*row) for row in _DUE.execute(connection, scope, given)]


_PENDING: Final = sa.and_(
    deliveries.c.subscription_id == sa.bindparam("subscription"), deliveries.c.state == PENDING
)
_DUE: Final = Prepared(
    sa.select(deliveries)
    .where(_PENDING, deliveries.c.next_at <= sa.bindparam("now"))
    .order_by(deliveries.c.seq)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def probing(connection: sa.Connection, scope: Scope, subscription_id: str) -> list[Delivery]:
    """The firsts of two lanes, whenever they are due: the oldest, and one seldom tried."""
    heads = _pending(subscription_id).where(deliveries.c.next_at.is_not(None))
    oldest = _read(connection, scoped(heads.limit(1), scope))
    if not oldest:
        return []
    others = heads.where(deliveries.c.seq != oldest[0].seq).order_by(None)
    seldom = others.order_by(deliveries.c.tries, deliveries.c.seq).limit(1)
    return [*oldest, *_read(connection, scoped(seldom, scope))]


def behind(
    connection: sa.Connection, scope: Scope, heads: Sequence[Delivery], limit: int
) -> list[Delivery]:
    """What waits in the lanes of these, themselves included, in inbox order."""
    if not heads:
        return []
    query = _pending(heads[0].subscription_id).where(
        deliveries.c.lane.in_(sorted({one.lane for one in heads}))
    )
    return _read(connection, scoped(query.limit(limit), scope))


def between(
    connection: sa.Connection, scope: Scope, subscription_id: str, first: int, last: int
) -> dict[int, Delivery]:
    """The rows of the inbox rows from one number to another, by number; a replay finds them."""
    given = {"subscription": subscription_id, "first": first, "last": last}
    return {row[1]: Delivery(*row) for row in _BETWEEN.execute(connection, scope, given)}


_BETWEEN: Final = Prepared(
    sa.select(deliveries).where(
        deliveries.c.subscription_id == sa.bindparam("subscription"),
        deliveries.c.seq >= sa.bindparam("first"),
        deliveries.c.seq <= sa.bindparam("last"),
    )
)


def known(
    connection: sa.Connection, scope: Scope, subscription_id: str, seqs: Collection[int]
) -> dict[int, Delivery]:
    """The rows of these inbox rows, by number."""
    query = sa.select(deliveries).where(
        deliveries.c.subscription_id == subscription_id, deliveries.c.seq.in_(sorted(seqs))
    )
    return {one.seq: one for one in _read(connection, scoped(query, scope))}


def busy_lanes(
    connection: sa.Connection, scope: Scope, subscription_id: str, lanes: Collection[str]
) -> set[str]:
    """Those of the lanes in which something is pending."""
    query = sa.select(deliveries.c.lane).where(
        deliveries.c.subscription_id == subscription_id,
        deliveries.c.state == PENDING,
        deliveries.c.lane.in_(sorted(lanes)),
    )
    return {row[0] for row in connection.execute(scoped(query.distinct(), scope))}


def waiting(connection: sa.Connection, scope: Scope, subscription_id: str) -> int:
    """How many are pending."""
    found = _WAITING.execute(connection, scope, {"subscription": subscription_id})
    return int(found.scalar_one())


_WAITING: Final = Prepared(sa.select(sa.func.count(deliveries.c.seq)).where(_PENDING))


def newest(
    connection: sa.Connection,
    scope: Scope,
    subscription_id: str,
    *,
    state: str | None,
    before: int | None,
    limit: int,
) -> list[Delivery]:
    """The newest rows first, those below an inbox number when `before` gives it."""
    query = sa.select(deliveries).where(deliveries.c.subscription_id == subscription_id)
    if state is not None:
        query = query.where(deliveries.c.state == state)
    if before is not None:
        query = query.where(deliveries.c.seq < before)
    return _read(connection, scoped(query.order_by(deliveries.c.seq.desc()).limit(limit), scope))


def of_events(connection: sa.Connection, scope: Scope, event_ids: Sequence[str]) -> list[Delivery]:
    """What became of these events, for every subscription of the scope."""
    query = sa.select(deliveries).where(deliveries.c.event_id.in_(sorted(event_ids)))
    return _read(connection, scoped(query.order_by(deliveries.c.subscription_id), scope))


def attempts_of(
    connection: sa.Connection, scope: Scope, subscription_id: str, seq: int
) -> list[Attempt]:
    """The failed attempts of one delivery, in order."""
    query = (
        sa.select(attempts)
        .where(attempts.c.subscription_id == subscription_id, attempts.c.seq == seq)
        .order_by(attempts.c.number)
    )
    return [Attempt(*row) for row in connection.execute(scoped(query, scope))]


def write(
    connection: sa.Connection, rows: Sequence[Delivery], failed: Sequence[Attempt] = ()
) -> None:
    """Put these rows in the place of what is there of the same events."""
    bulk.insert(connection, deliveries, [astuple(one) for one in rows], replace_present=True)
    bulk.insert(connection, attempts, [astuple(one) for one in failed], skip_present=True)


def drop(
    connection: sa.Connection, scope: Scope, subscription_id: str, seqs: Sequence[int]
) -> None:
    """Forget these rows, as when their inbox rows were taken back."""
    query = sa.delete(deliveries).where(
        deliveries.c.subscription_id == subscription_id, deliveries.c.seq.in_(sorted(seqs))
    )
    connection.execute(scoped(query, scope))


def head(
    connection: sa.Connection,
    scope: Scope,
    subscription_id: str,
    lanes: Collection[str],
    now: int,
) -> None:
    """See to it that of each lane the first pending row, and only that, has its time."""
    here = sa.and_(
        deliveries.c.subscription_id == subscription_id,
        deliveries.c.state == PENDING,
        deliveries.c.lane.in_(sorted(lanes)),
    )
    query = sa.select(sa.func.min(deliveries.c.seq)).where(here).group_by(deliveries.c.lane)
    heads = [row[0] for row in connection.execute(scoped(query, scope))]
    others = sa.update(deliveries).where(here, deliveries.c.seq.not_in(heads))
    connection.execute(scoped(others.values(next_at=None), scope))
    timeless = sa.update(deliveries).where(
        here, deliveries.c.seq.in_(heads), deliveries.c.next_at.is_(None)
    )
    connection.execute(scoped(timeless.values(next_at=now), scope))


def hurry(connection: sa.Connection, scope: Scope, subscription_id: str, now: int) -> None:
    """Try everything that waits for its time now: the receiver is back."""
    query = sa.update(deliveries).where(
        deliveries.c.subscription_id == subscription_id,
        deliveries.c.state == PENDING,
        deliveries.c.next_at.is_not(None),
    )
    connection.execute(scoped(query.values(next_at=now), scope))


def next_time(connection: sa.Connection, scope: Scope, subscription_id: str) -> int | None:
    """When the next of them is tried, None when none is pending."""
    found: int | None = _NEXT.execute(connection, scope, {"subscription": subscription_id}).scalar()
    return found


_NEXT: Final = Prepared(sa.select(sa.func.min(deliveries.c.next_at)).where(_PENDING))


def abandon(connection: sa.Connection, scope: Scope, subscription_id: str, now: int) -> None:
    """Stop what was not delivered: its subscription goes.

    Without a row it would be taken for what was delivered long ago.
    """
    query = sa.update(deliveries).where(
        deliveries.c.subscription_id == subscription_id,
        deliveries.c.state.in_((PENDING, FAILED)),
    )
    connection.execute(scoped(query.values(state=STOPPED, next_at=None, ended_at=now), scope))


def forget(connection: sa.Connection, scope: Scope, *, before: int) -> int:
    """Remove what was delivered well before a time; how many rows that were.

    What was stopped keeps its row for as long as its event is in the inbox, unless it was
    delivered elsewhere: else nobody could tell it from what arrived. Dead letters keep theirs.
    """
    ours, old = deliveries.alias(), deliveries.c.ended_at < before
    same = sa.and_(
        ours.c.participant == deliveries.c.participant, ours.c.event_id == deliveries.c.event_id
    )
    elsewhere = sa.exists().where(same, ours.c.state == DELIVERED, ours.c.ended_at < before)
    is_in_inbox = sa.exists().where(
        inbox.c.participant == deliveries.c.participant, inbox.c.event_id == deliveries.c.event_id
    )
    is_over = sa.or_(elsewhere, sa.and_(old, ~is_in_inbox))
    stopped = sa.delete(deliveries).where(deliveries.c.state == STOPPED, is_over)
    delivered = sa.delete(deliveries).where(deliveries.c.state == DELIVERED, old)
    return (
        connection.execute(scoped(stopped, scope)).rowcount
        + connection.execute(scoped(delivered, scope)).rowcount
    )


def _pending(subscription_id: str) -> sa.Select[Any]:
    return scoped(
        sa.select(deliveries)
        .where(deliveries.c.subscription_id == subscription_id, deliveries.c.state == PENDING)
        .order_by(deliveries.c.seq),
        Scope(None),  # the callers limit it to theirs
    )


def _read(connection: sa.Connection, query: sa.Select[Any]) -> list[Delivery]:
    return [Delivery(*row) for row in connection.execute(query)]
