"""Counts what a published conversion would move: placements by organiser and municipality.

Reads every case's state and nothing that is sealed; gives counts and sums, and names nobody.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.exchange.conversions import converted
from gateway.exchange.hours import by_month
from gateway.exchange.state_rows import loads_trajectory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Engine

    from gateway.exchange.conversions import Converted
    from gateway.exchange.state import Trajectory
    from schemas.conversion import Conversion

PAGE = 500
_CASES = text("select id, state from trajectories where id > :after order by id limit :page")


@dataclass(frozen=True, slots=True)
class Moved:
    """Placements of one organiser in one municipality that one conversion would move.

    Attributes:
        hours: hundredths of an hour that count on, together.
        months: months that count on, together.
    """

    from_programme: str
    to_programme: str
    organiser: str
    nis: str
    placements: int
    hours: int
    months: int


def survey(engine: Engine, conversions: Sequence[Conversion]) -> tuple[Moved, ...]:
    """What these conversions would move now. Blocks on the ledger's store, a page at a time."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    hours: Counter[tuple[str, str, str, str]] = Counter()
    months: Counter[tuple[str, str, str, str]] = Counter()
    for case in _cases(engine):
        for organiser, moved in _of(case, conversions):
            key = (moved.from_programme, moved.to_programme, organiser, case.territory_nis)
            counts[key] += 1
            hours[key] += moved.hours_carried
            months[key] += moved.months_carried
    return tuple(Moved(*key, counts[key], hours[key], months[key]) for key in sorted(counts))


def _of(case: Trajectory, conversions: Sequence[Conversion]) -> Iterator[tuple[str, Converted]]:
    for placement in case.placements.values():
        found = converted(placement, conversions, by_month(placement))
        if found is not None:
            yield placement.organiser, found


def _cases(engine: Engine) -> Iterator[Trajectory]:
    after = ""
    while True:
        with engine.connect() as connection:
            rows = connection.execute(_CASES, {"after": after, "page": PAGE}).all()
        if not rows:
            return
        yield from (loads_trajectory(row.state) for row in rows)
        after = rows[-1].id
