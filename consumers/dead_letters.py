"""Dead letters: events given up on for one subscription, without payload.

A row points at the inbox row, from which a redrive renders the event anew, under its own id and
for the subscription that failed and no other.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from msgspec.structs import replace

from consumers import bulk, deliveries, subscriptions
from consumers.scope import Scope, scoped
from consumers.tables import dead_letters, inbox
from consumers.tables import deliveries as delivery_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.deliveries import Delivery

OPEN: Final = "open"
REDRIVEN: Final = "redriven"
DISCARDED: Final = "discarded"
HUB, REPLAYED = "hub", "replay"
"""Who ended a dead letter whose event a replay sent again, and why."""
STATES: Final = (OPEN, REDRIVEN, DISCARDED)
MOST_AT_ONCE: Final = 10_000
SLICE: Final = 500


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One row, in the order of the table's columns.

    Attributes:
        dataschema: path of the schema of what was sent.
        code: what the last attempt came to, such as `http_422`.
        excerpt: the beginning of the answer, when nothing personal was in it.
        ended_by, why: who redrove or discarded it, and the reason.
    """

    id: str
    participant: str
    subscription_id: str
    seq: int
    event_id: str
    event_name: str
    trajectory_id: str | None
    dataschema: str | None
    code: str
    tries: int
    excerpt: str | None
    dead_at: int
    state: str = OPEN
    ended_at: int | None = None
    ended_by: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which dead letters of one subscription; what is None does not choose.

    Attributes:
        since, until: bounds of the time it was given up on, microseconds, `until` excluded.
    """

    ids: tuple[str, ...] | None = None
    code: str | None = None
    event_name: str | None = None
    trajectory_id: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many are chosen, of how many the event is kept, and how many events would be sent."""

    chosen: int
    kept: int
    failed: int


Place = tuple[int, str]
"""Inbox number and id of a dead letter: where it stands among the oldest."""


def add(connection: sa.Connection, letters: Sequence[DeadLetter]) -> None:
    """Write new rows."""
    bulk.insert(connection, dead_letters, [astuple(one) for one in letters])


def find(
    connection: sa.Connection,
    scope: Scope,
    subscription_id: str,
    choice: Choice,
    *,
    state: str | None = OPEN,
    limit: int = MOST_AT_ONCE,
    before: str | None = None,
) -> list[DeadLetter]:
    """The chosen ones, the newest first; those before an id when `before` gives it."""
    query = sa.select(dead_letters).where(
        dead_letters.c.subscription_id == subscription_id, *_conditions(choice)
    )
    if state is not None:
        query = query.where(dead_letters.c.state == state)
    if before is not None:
        query = query.where(dead_letters.c.id < before)
    query = query.order_by(dead_letters.c.id.desc()).limit(limit)
    return [DeadLetter(*row) for row in connection.execute(scoped(query, scope))]


def oldest(
    connection: sa.Connection,
    scope: Scope,
    subscription_id: str,
    choice: Choice,
    *,
    after: Place | None,
    limit: int,
) -> list[DeadLetter]:
    """Open ones that are chosen, in the order of their events; those after a place if given.

    A case's first event comes first, so that whoever does a part of them turns no order around.
    """
    query = sa.select(dead_letters).where(*_open(subscription_id, choice))
    if after is not None:
        place = sa.tuple_(dead_letters.c.seq, dead_letters.c.id)
        query = query.where(place > sa.tuple_(*after))
    query = query.order_by(dead_letters.c.seq, dead_letters.c.id).limit(limit)
    return [DeadLetter(*row) for row in connection.execute(scoped(query, scope))]


def place_of(letter: DeadLetter) -> Place:
    """Where it stands among the oldest."""
    return (letter.seq, letter.id)


def counted(
    connection: sa.Connection, scope: Scope, subscription_id: str, choice: Choice
) -> Counted:
    """How many open ones are chosen, however many; `kept` and `failed` count as those do."""
    table, rows = dead_letters.c, delivery_rows.c
    chosen = sa.select(sa.func.count(table.id)).where(*_open(subscription_id, choice))
    kept = chosen.where(inbox.c.participant == table.participant, inbox.c.seq == table.seq)
    failed = kept.with_only_columns(sa.func.count(sa.distinct(table.seq))).where(
        rows.subscription_id == table.subscription_id,
        rows.seq == table.seq,
        rows.state == deliveries.FAILED,
    )
    found = [connection.execute(scoped(one, scope)).scalar_one() for one in (chosen, kept, failed)]
    return Counted(*found)


def counts(connection: sa.Connection, scope: Scope) -> dict[str, int]:
    """How many are open, by subscription."""
    query = (
        sa.select(dead_letters.c.subscription_id, sa.func.count())
        .where(dead_letters.c.state == OPEN)
        .group_by(dead_letters.c.subscription_id)
    )
    return {row[0]: row[1] for row in connection.execute(scoped(query, scope))}


def kept(connection: sa.Connection, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Those whose inbox row is still there, so that they can be sent again."""
    found: list[DeadLetter] = []
    for start in range(0, len(letters), SLICE):
        part = letters[start : start + SLICE]
        query = sa.select(inbox.c.seq).where(inbox.c.seq.in_([one.seq for one in part]))
        scope = Scope(part[0].participant)
        there = {row[0] for row in connection.execute(scoped(query, scope))}
        found += [one for one in part if one.seq in there]
    return found


def failed(connection: sa.Connection, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Those whose event is still given up on, one for each event: what a redrive would send.

    A replay may have sent it since, or be about to.
    """
    found: dict[int, DeadLetter] = {}
    for start in range(0, len(letters), SLICE):
        part = letters[start : start + SLICE]
        rows = _failed(connection, part)
        found |= {one.seq: one for one in part if one.seq in rows}
    return list(found.values())


def redrive(
    connection: sa.Connection, letters: Sequence[DeadLetter], *, by: str, why: str, now: int
) -> list[DeadLetter]:
    """Make each of them the next of its lane, with a window of its own; what is sent again.

    All are of one subscription. Its breaker and its state stay as they are. One whose event is
    not given up on any more ends too, and sends nothing.
    """
    if not letters:
        return []
    scope, subscription_id = Scope(letters[0].participant), letters[0].subscription_id
    sent: list[DeadLetter] = []
    lanes: set[str] = set()
    for start in range(0, len(letters), SLICE):
        part = letters[start : start + SLICE]
        rows = _failed(connection, part)
        again = [
            replace(one, state=deliveries.PENDING, first_at=None, next_at=None, ended_at=None)
            for one in rows.values()
        ]
        deliveries.write(connection, again)
        lanes |= {one.lane for one in again}
        sent += {one.seq: one for one in part if one.seq in rows}.values()
    for lane in sorted(lanes):
        deliveries.head(connection, scope, subscription_id, [lane], now)
    subscriptions.change(connection, scope, subscription_id, due_at=now)
    _end(connection, letters, {"state": REDRIVEN, "ended_at": now, "ended_by": by, "why": why})
    return sent


def end_replayed(
    connection: sa.Connection, scope: Scope, subscription_id: str, seqs: Sequence[int], now: int
) -> None:
    """End the open ones of events that a replay sent again: what is wrong now, a new one tells."""
    query = (
        sa.update(dead_letters)
        .where(
            dead_letters.c.subscription_id == subscription_id,
            dead_letters.c.state == OPEN,
            dead_letters.c.seq.in_(seqs),
        )
        .values(state=REDRIVEN, ended_at=now, ended_by=HUB, why=REPLAYED)
    )
    connection.execute(scoped(query, scope))


def discard(
    connection: sa.Connection, letters: Sequence[DeadLetter], *, by: str, why: str, now: int
) -> None:
    """Give them up for good; the rows and the reason stay."""
    _end(connection, letters, {"state": DISCARDED, "ended_at": now, "ended_by": by, "why": why})


def _failed(connection: sa.Connection, part: Sequence[DeadLetter]) -> dict[int, Delivery]:
    """The deliveries of these that are given up on, by inbox number."""
    scope, seqs = Scope(part[0].participant), {one.seq for one in part}
    rows = deliveries.known(connection, scope, part[0].subscription_id, seqs)
    return {seq: row for seq, row in rows.items() if row.state == deliveries.FAILED}


def _end(connection: sa.Connection, letters: Sequence[DeadLetter], values: dict[str, Any]) -> None:
    for start in range(0, len(letters), SLICE):
        part = letters[start : start + SLICE]
        query = (
            sa.update(dead_letters)
            .where(dead_letters.c.id.in_([one.id for one in part]))
            .values(**values)
        )
        connection.execute(scoped(query, Scope(part[0].participant)))


def _open(subscription_id: str, choice: Choice) -> list[sa.ColumnElement[bool]]:
    here = dead_letters.c.subscription_id == subscription_id
    return [here, dead_letters.c.state == OPEN, *_conditions(choice)]


def _conditions(choice: Choice) -> list[sa.ColumnElement[bool]]:
    table = dead_letters.c
    found: list[sa.ColumnElement[bool]] = []
    if choice.ids is not None:
        found.append(table.id.in_(choice.ids))
    wanted: dict[Any, str | None] = {
        table.code: choice.code,
        table.event_name: choice.event_name,
        table.trajectory_id: choice.trajectory_id,
    }
    found += [column == value for column, value in wanted.items() if value is not None]
    if choice.since is not None:
        found.append(table.dead_at >= choice.since)
    if choice.until is not None:
        found.append(table.dead_at < choice.until)
    return found
