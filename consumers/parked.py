"""Records of the log that the route could not place: set aside and counted, never skipped.

A parked row holds no payload; it names the place in the log and, when known, the event.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consumers import bulk
from consumers.tables import parked


@dataclass(frozen=True, slots=True)
class Parked:
    """One record set aside.

    Attributes:
        code: `undecodable`, `ledger_row_missing` or `route_failed`.
        attempts: how often the route tried before it gave up.
        parked_at: microseconds UTC.
    """

    topic: str
    partition: int
    offset: int
    event_id: str | None
    code: str
    attempts: int
    parked_at: int


def park(connection: sa.Connection, records: Sequence[Parked]) -> None:
    """Set records aside; one that is parked already stays as it was."""
    rows = [
        (
            record.topic,
            record.partition,
            record.offset,
            record.event_id,
            record.code,
            record.attempts,
            record.parked_at,
            None,
        )
        for record in records
    ]
    bulk.insert(connection, parked, rows, skip_present=True)


def unresolved(connection: sa.Connection, limit: int = 100) -> list[Parked]:
    """The oldest records that are still set aside."""
    query = (
        sa.select(
            parked.c.topic,
            parked.c.partition,
            parked.c.record_offset,
            parked.c.event_id,
            parked.c.code,
            parked.c.attempts,
            parked.c.parked_at,
        )
        .where(parked.c.resolved_at.is_(None))
        .order_by(parked.c.parked_at)
        .limit(limit)
    )
    return [Parked(*row) for row in connection.execute(query)]


def count_unresolved(connection: sa.Connection) -> int:
    """How many records are set aside: anything above zero is an alarm."""
    query = sa.select(sa.func.count()).select_from(parked).where(parked.c.resolved_at.is_(None))
    return int(connection.execute(query).scalar_one())


def resolve(connection: sa.Connection, event_id: str, *, now: int) -> None:
    """Note that the parked records of this event have been placed after all."""
    change = (
        sa.update(parked)
        .where(parked.c.event_id == event_id, parked.c.resolved_at.is_(None))
        .values(resolved_at=now)
    )
    connection.execute(change)
