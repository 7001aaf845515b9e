"""The inbox: for each recipient of an event one row that points at it, without payload.

`seq` is drawn from a counter row a participant, locked in the transaction that inserts, so commit
order is sequence order and a reader that has seen `n` never misses a lower number. A row is
written once for each (event, participant): a replay writes nothing and burns no number.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from consumers import bulk
from consumers.scope import WHOLE_HUB, Scope, scoped
from consumers.tables import inbox, inbox_counters

Status = Literal["ready", "stopped"]

# Made once: making, scoping and looking up a statement costs more than a few rows do.
_PRESENT = scoped(
    sa.select(inbox.c.participant, inbox.c.event_id).where(
        inbox.c.event_id.in_(sa.bindparam("event_ids", expanding=True))
    ),
    WHOLE_HUB,
)
_COUNTERS = scoped(
    sa.select(inbox_counters.c.participant, inbox_counters.c.seq).where(
        inbox_counters.c.participant.in_(sa.bindparam("participants", expanding=True))
    ),
    WHOLE_HUB,
)
_LOCKED_COUNTERS = _COUNTERS.order_by(inbox_counters.c.participant).with_for_update()
_COUNTED = scoped(
    sa.update(inbox_counters)
    .where(inbox_counters.c.participant == sa.bindparam("who"))
    .values(seq=sa.bindparam("number")),
    WHOLE_HUB,
)


class InboxRow(Struct, frozen=True, gc=False):
    """What the route addresses to one participant.

    Attributes:
        relations: the recipient's relations to the trajectory when the event was accepted.
        programme: None when unknown, or when it would reveal something about health.
        backfill: an earlier event, given because the participant became a member later.
        recorded_at: microseconds UTC, when the ledger recorded the event.
        stopped_leg: what keeps it from being handed over already now; None when nothing does.
    """

    participant: str
    event_id: str
    event_name: str
    trajectory_id: str | None
    agreement_id: str | None
    relations: tuple[str, ...]
    nis: str
    programme: str | None
    backfill: bool
    recorded_at: int
    stopped_leg: str | None = None


def append(connection: sa.Connection, rows: Sequence[InboxRow], *, now: int) -> frozenset[str]:
    """Append the rows that are not there yet, in the order given; idempotent.

    Locks the counters of all participants named, in sorted order, until the transaction ends.

    Returns:
        The participants that got at least one new row: whom to wake after the commit.
    """
    if not rows:
        return frozenset()
    numbers = _lock_counters(connection, sorted({row.participant for row in rows}))
    present = present_rows(connection, {row.event_id for row in rows})
    values: list[tuple[object, ...]] = []
    touched: set[str] = set()
    for row in rows:
        key = (row.participant, row.event_id)
        if key in present:
            continue
        present.add(key)
        touched.add(row.participant)
        numbers[row.participant] += 1
        values.append(_values(row, numbers[row.participant], now))
    bulk.insert(connection, inbox, values)
    _store_counters(connection, {name: numbers[name] for name in touched})
    return frozenset(touched)


def present_rows(connection: sa.Connection, event_ids: Iterable[str]) -> set[tuple[str, str]]:
    """The (participant, event id) pairs that already have a row, for these events."""
    found = connection.execute(_PRESENT, {"event_ids": sorted(event_ids)})
    return {(row[0], row[1]) for row in found}


def withdraw_narrower(
    connection: sa.Connection, rows: Sequence[InboxRow], waiting: Sequence[InboxRow] = ()
) -> list[InboxRow]:
    """Take back rows whose recipient stands closer now, so that they can be appended anew.

    A participant that was offered a case and then holds it may see more of its history than it
    was given. Its earlier row goes, and the row to append has the relations of both; rows that
    would add no relation are left out, so that a replay changes nothing.

    Args:
        connection: of the transaction that appends.
        rows: the history, as the recipient may have it now.
        waiting: rows of this transaction that were not appended yet; they count as given, so that
            it does not matter how many events come in one transaction.

    Returns:
        The rows to append: what waited and was not taken back, then those that are new or were.
    """
    known = {_key(row): set(row.relations) for row in waiting} | _relations(connection, rows)
    fresh: list[InboxRow] = []
    for row in rows:
        had = known.get(_key(row))
        if had is None:
            fresh.append(row)
        elif not set(row.relations) <= had:
            fresh.append(replace(row, relations=tuple(sorted(had | set(row.relations)))))
    closer = {_key(row) for row in fresh if _key(row) in known}
    for participant in sorted({name for name, _ in closer}):
        ids = sorted(event_id for name, event_id in closer if name == participant)
        removal = sa.delete(inbox).where(inbox.c.event_id.in_(ids))
        connection.execute(scoped(removal, Scope(participant)))
    return [row for row in waiting if _key(row) not in closer] + fresh


def restore(connection: sa.Connection, rows: Sequence[InboxRow], *, now: int) -> frozenset[str]:
    """Give stopped rows again, at the end of their inboxes: a reader may have passed them by.

    Idempotent: what was restored meanwhile keeps its new number.

    Returns:
        The participants that got at least one row: whom to wake after the commit.
    """
    for participant in sorted({row.participant for row in rows}):
        ids = sorted(row.event_id for row in rows if row.participant == participant)
        removal = sa.delete(inbox).where(inbox.c.event_id.in_(ids), inbox.c.status == "stopped")
        connection.execute(scoped(removal, Scope(participant)))
    return append(connection, rows, now=now)


def _key(row: InboxRow) -> tuple[str, str]:
    return row.participant, row.event_id


def forget(connection: sa.Connection, *, before: int) -> int:
    """Remove the rows that came before a time, and note for each inbox how far that went.

    Returns:
        How many rows that were.
    """
    old = inbox.c.routed_at < before
    last = (
        sa.select(inbox.c.participant, sa.func.max(inbox.c.seq), sa.func.max(inbox.c.routed_at))
        .where(old)
        .group_by(inbox.c.participant)
        .order_by(inbox.c.participant)
    )
    for participant, seq, routed_at in connection.execute(scoped(last, WHOLE_HUB)).all():
        note = sa.update(inbox_counters).values(forgotten=seq, forgotten_at=routed_at)
        connection.execute(scoped(note, Scope(participant)))
    return connection.execute(scoped(sa.delete(inbox).where(old), WHOLE_HUB)).rowcount


def _relations(
    connection: sa.Connection, rows: Sequence[InboxRow]
) -> dict[tuple[str, str], set[str]]:
    query = sa.select(inbox.c.participant, inbox.c.event_id, inbox.c.relations).where(
        inbox.c.event_id.in_(sorted({row.event_id for row in rows}))
    )
    found = connection.execute(scoped(query, WHOLE_HUB))
    return {(row[0], row[1]): set(row[2].split(",")) - {""} for row in found}


def mark(
    connection: sa.Connection, participant: str, seqs: Iterable[int], stopped_leg: str | None
) -> None:
    """Mark rows as stopped at a leg, or as ready again when `stopped_leg` is None."""
    status: Status = "ready" if stopped_leg is None else "stopped"
    change = (
        sa.update(inbox)
        .where(inbox.c.seq.in_(sorted(seqs)))
        .values(status=status, stopped_leg=stopped_leg)
    )
    connection.execute(scoped(change, Scope(participant)))


def _values(row: InboxRow, seq: int, now: int) -> tuple[object, ...]:
    return (
        row.participant,
        seq,
        row.event_id,
        row.event_name,
        row.trajectory_id,
        row.agreement_id,
        ",".join(row.relations),
        row.nis,
        row.programme,
        row.backfill,
        "ready" if row.stopped_leg is None else "stopped",
        row.stopped_leg,
        row.recorded_at,
        now,
    )


def _lock_counters(connection: sa.Connection, participants: Sequence[str]) -> dict[str, int]:
    """The last number of each, locked; missing counters are made first, for only a row locks."""
    wanted = {"participants": participants}
    known = {row[0] for row in connection.execute(_COUNTERS, wanted)}
    missing = [(name, 0, 0, 0) for name in participants if name not in known]
    bulk.insert(connection, inbox_counters, missing, skip_present=True)
    return {row[0]: row[1] for row in connection.execute(_LOCKED_COUNTERS, wanted)}


def _store_counters(connection: sa.Connection, numbers: dict[str, int]) -> None:
    if not numbers:
        return
    connection.execute(
        _COUNTED, [{"who": name, "number": number} for name, number in sorted(numbers.items())]
    )
