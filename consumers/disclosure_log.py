"""Reading the disclosure log; every function takes a scope first.

Lines come in the order in which they were written, page after page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from consumers.disclosures import Disclosure
from consumers.scope import Scope, scoped
from consumers.tables import disclosures

_LINE = disclosures.c
_ORDER = (_LINE.disclosed_at, _LINE.event_id, _LINE.participant, _LINE.door, _LINE.revision)


class Place(NamedTuple):
    """Where a line stands in the log."""

    disclosed_at: int
    event_id: str
    participant: str
    door: str
    revision: int


class Period(NamedTuple):
    """Microseconds UTC: from the first, up to but without the second."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Count:
    """How often one kind of event went from one participant to another, for one purpose.

    Attributes:
        events: different events, each counted once whatever doors it went through.
        copies: lines of the log.
    """

    producer: str
    participant: str
    event_name: str
    purpose: str | None
    events: int
    copies: int


def page(
    connection: sa.Connection,
    scope: Scope,
    period: Period,
    *,
    after: Place | None = None,
    limit: int = 100,
    persons_only: bool = False,
) -> list[Disclosure]:
    """Lines of a period, those after a place when one is given.

    Args:
        connection: of the consumers' store.
        scope: whose.
        period: when.
        after: the last line of the page before.
        limit: how many at most.
        persons_only: leave out lines about nobody, such as those of offers.
    """
    query = sa.select(disclosures).where(_within(period)).order_by(*_ORDER).limit(limit)
    if after is not None:
        query = query.where(sa.tuple_(*_ORDER) > sa.tuple_(*map(sa.literal, after)))
    if persons_only:
        query = query.where(_LINE.subject_id.is_not(None))
    return _lines(connection.execute(scoped(query, scope)))


def of_case(connection: sa.Connection, scope: Scope, trajectory_id: str) -> list[Disclosure]:
    """All lines about one case."""
    query = sa.select(disclosures).where(_LINE.trajectory_id == trajectory_id).order_by(*_ORDER)
    return _lines(connection.execute(scoped(query, scope)))


def counts(connection: sa.Connection, scope: Scope, period: Period) -> list[Count]:
    """What a period holds, added up, the most first."""
    group = (_LINE.producer, _LINE.participant, _LINE.event_name, _LINE.purpose)
    events = sa.func.count(sa.distinct(_LINE.event_id)).label("events")
    query = (
        sa.select(*group, events, sa.func.count())
        .where(_within(period))
        .group_by(*group)
        .order_by(events.desc(), *group)
    )
    return [Count(*row) for row in connection.execute(scoped(query, scope))]


def place_of(line: Disclosure) -> Place:
    """Where a line stands."""
    return Place(line.disclosed_at, line.event_id, line.participant, line.door, line.revision)


def _within(period: Period) -> sa.ColumnElement[bool]:
    return sa.and_(_LINE.disclosed_at >= period.since, _LINE.disclosed_at < period.until)


def _lines(rows: Iterable[sa.Row[Any]]) -> list[Disclosure]:
    return [Disclosure(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
