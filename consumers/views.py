"""What may be read about inboxes and disclosures; every function takes a scope first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from msgspec import Struct

from consumers.scope import WHOLE_HUB, Prepared, Scope, scoped
from consumers.tables import disclosures, inbox, inbox_counters


class InboxEntry(Struct, frozen=True):
    """One row of an inbox, as read. Times are microseconds UTC."""

    participant: str
    seq: int
    event_id: str
    event_name: str
    trajectory_id: str | None
    agreement_id: str | None
    relations: tuple[str, ...]
    nis: str
    programme: str | None
    backfill: bool
    status: str
    stopped_leg: str | None
    recorded_at: int
    routed_at: int


@dataclass(frozen=True, slots=True)
class HandOver:
    """That one event was handed to one participant through one door.

    Attributes:
        disclosed_at: of the first copy.
        withheld: field paths that no copy has held.
        revision: of the newest copy; one more for each that held more than those before it.
    """

    event_id: str
    participant: str
    door: str
    disclosed_at: int
    withheld: tuple[str, ...]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """Where an inbox begins and ends.

    Attributes:
        oldest: the lowest number it keeps, 0 while it keeps none.
        newest: the highest number it has given, 0 before the first.
        forgotten: the highest number that retention removed, 0 when it removed none.
        forgotten_at: when that one had come.
    """

    oldest: int
    newest: int
    forgotten: int = 0
    forgotten_at: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows of an inbox a reader asks for; a condition that is empty holds for all.

    Attributes:
        event_names: such as `referral.created`.
        programmes: rows whose programme is unknown or withheld are not among them.
        codes: NIS codes as events carry them.
    """

    event_names: frozenset[str] = frozenset()
    programmes: frozenset[str] = frozenset()
    codes: frozenset[str] = frozenset()


EVERYTHING = Wanted()
FEW: Final = 8
"""Up to so many events are asked for in a query of their own, as they come while little happens."""


def feed_page(
    connection: sa.Connection,
    scope: Scope,
    *,
    after: int,
    limit: int,
    wanted: Wanted = EVERYTHING,
) -> list[InboxEntry]:
    """The scope's inbox after a sequence number, in order, at most `limit` rows."""
    if wanted == EVERYTHING:
        found = _PAGE.execute(connection, scope, {"after": after, "most": limit})
        return [_entry(row) for row in found]
    query = sa.select(inbox).where(inbox.c.seq > after).order_by(inbox.c.seq).limit(limit)
    for column, values in (
        (inbox.c.event_name, wanted.event_names),
        (inbox.c.programme, wanted.programmes),
        (inbox.c.nis, wanted.codes),
    ):
        if values:
            query = query.where(column.in_(sorted(values)))
    return [_entry(row) for row in connection.execute(scoped(query, scope))]


_PAGE: Final = Prepared(
    sa.select(inbox)
    .where(inbox.c.seq > sa.bindparam("after"))
    .order_by(inbox.c.seq)
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def newest_first(
    connection: sa.Connection, scope: Scope, *, before: int | None, limit: int
) -> list[InboxEntry]:
    """The scope's inbox from its end, before a sequence number when one is given."""
    query = sa.select(inbox).order_by(inbox.c.seq.desc()).limit(limit)
    if before is not None:
        query = query.where(inbox.c.seq < before)
    return [_entry(row) for row in connection.execute(scoped(query, scope))]


def stopped(
    connection: sa.Connection,
    scope: Scope,
    *,
    after: tuple[str, int],
    limit: int,
    leg: str | None = None,
) -> list[InboxEntry]:
    """The scope's rows that are stopped, by participant and number, after one of them.

    A row that left through a door before it was stopped is among them; `hand_overs_of` tells.
    """
    place = sa.tuple_(inbox.c.participant, inbox.c.seq)
    query = sa.select(inbox).where(inbox.c.status == "stopped", place > sa.tuple_(*after))
    query = query.order_by(inbox.c.participant, inbox.c.seq).limit(limit)
    if leg is not None:
        query = query.where(inbox.c.stopped_leg == leg)
    return [_entry(row) for row in connection.execute(scoped(query, scope))]


def position(connection: sa.Connection, scope: Scope) -> Position:
    """Where one participant's inbox begins and ends."""
    lowest = scoped(sa.select(sa.func.min(inbox.c.seq)).select_from(inbox), scope)
    counter = inbox_counters.c
    given = scoped(sa.select(counter.seq, counter.forgotten, counter.forgotten_at), scope)
    oldest = connection.execute(lowest).scalar() or 0
    found = connection.execute(given).first()
    return Position(oldest, *found) if found is not None else Position(oldest, 0)


def newest(connection: sa.Connection, scope: Scope) -> int:
    """The newest number that an inbox has given, 0 while it is empty."""
    query = scoped(sa.select(sa.func.max(inbox_counters.c.seq)), scope)
    return connection.execute(query).scalar() or 0


def newest_of(connection: sa.Connection, participants: Iterable[str]) -> dict[str, int]:
    """The newest number of each of these inboxes, in one query; for the hub's own waiting."""
    counter = inbox_counters.c
    query = sa.select(counter.participant, counter.seq).where(
        counter.participant.in_(sorted(participants))
    )
    return {row[0]: row[1] for row in connection.execute(scoped(query, WHOLE_HUB))}


def seq_before(connection: sa.Connection, scope: Scope, routed_at: int) -> int:
    """The cursor after which lies everything that reached one inbox at or after a time.

    Searches by halves: within an inbox the time of routing grows with the number.
    """
    bounds = position(connection, scope)
    low, high = bounds.oldest - 1, bounds.newest
    while low < high:
        middle = (low + high + 1) // 2
        query = sa.select(inbox.c.routed_at).where(inbox.c.seq <= middle)
        query = query.order_by(inbox.c.seq.desc()).limit(1)
        found = connection.execute(scoped(query, scope)).scalar()
        if found is None or found < routed_at:
            low = middle
        else:
            high = middle - 1
    return max(low, 0)


def entries_of(
    connection: sa.Connection, scope: Scope, event_ids: Sequence[str]
) -> list[InboxEntry]:
    """The inbox rows of these events, by participant."""
    query = (
        sa.select(inbox)
        .where(inbox.c.event_id.in_(event_ids))
        .order_by(inbox.c.participant, inbox.c.seq)
    )
    return [_entry(row) for row in connection.execute(scoped(query, scope))]


def entries_at(connection: sa.Connection, scope: Scope, seqs: Sequence[int]) -> list[InboxEntry]:
    """The inbox rows with these numbers, of one participant; those taken back are missing."""
    if not seqs:
        return []
    query = sa.select(inbox).where(inbox.c.seq.in_(seqs)).order_by(inbox.c.seq)
    return [_entry(row) for row in connection.execute(scoped(query, scope))]


def hand_overs_of(
    connection: sa.Connection, scope: Scope, event_ids: Sequence[str]
) -> list[HandOver]:
    """Through which doors these events have left, oldest first."""
    if len(event_ids) <= FEW:
        given = {f"id_{place}": one for place, one in enumerate(event_ids)}
        rows = _hand_overs(len(event_ids)).execute(connection, scope, given)
    else:
        query = sa.select(*_LINE).where(disclosures.c.event_id.in_(event_ids))
        rows = connection.execute(scoped(query.order_by(*_IN_TIME), scope))
    found: dict[tuple[str, str, str], HandOver] = {}
    for one, participant, door, at, withheld, revision in rows:
        key = (one, participant, door)
        first = found[key].disclosed_at if key in found else at
        found[key] = HandOver(*key, first, _split(withheld), revision)
    return list(found.values())


_LINE: Final = (
    disclosures.c.event_id,
    disclosures.c.participant,
    disclosures.c.door,
    disclosures.c.disclosed_at,
    disclosures.c.withheld,
    disclosures.c.revision,
)
_IN_TIME: Final = (disclosures.c.disclosed_at, disclosures.c.revision)


@cache
def _hand_overs(many: int) -> Prepared[sa.Select[Any]]:
    """The lines of so many events."""
    ids = [sa.bindparam(f"id_{place}", type_=sa.String) for place in range(many)]
    one_of = sa.or_(sa.false(), *(disclosures.c.event_id == one for one in ids))
    return Prepared(sa.select(*_LINE).where(one_of).order_by(*_IN_TIME))


def trajectories_of(connection: sa.Connection, scope: Scope, limit: int = 100) -> list[str]:
    """Trajectories of which the scope's participant has been sent something, newest first."""
    query = (
        sa.select(inbox.c.trajectory_id, sa.func.max(inbox.c.seq).label("last"))
        .where(inbox.c.trajectory_id.is_not(None))
        .group_by(inbox.c.trajectory_id)
        .order_by(sa.desc("last"))
        .limit(limit)
    )
    return [row[0] for row in connection.execute(scoped(query, scope))]


def _entry(row: sa.Row[Any]) -> InboxEntry:
    values: list[Any] = list(row)
    values[6] = _split(values[6])
    values[9] = bool(values[9])
    return InboxEntry(*values)


def _split(joined: str) -> tuple[str, ...]:
    return tuple(joined.split(",")) if joined else ()


def received_from(
    connection: sa.Connection, scope: Scope, producer_org: str, trajectory_ids: Sequence[str]
) -> list[tuple[str, str, str]]:
    """Who was handed something of an organisation's: participant, case and door, each once."""
    query = (
        sa.select(disclosures.c.participant, disclosures.c.trajectory_id, disclosures.c.door)
        .where(
            disclosures.c.producer_org == producer_org,
            disclosures.c.trajectory_id.in_(sorted(trajectory_ids)),
            disclosures.c.event_name != "subject.erased",
        )
        .distinct()
        .order_by(disclosures.c.participant, disclosures.c.trajectory_id)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(scoped(query, scope))]
