"""Records that cannot be placed are kept, counted and resolved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from consumers import parked
from consumers.parked import Parked

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

RECORD = Parked("activation.trajectory.v1", 3, 41, "e-1", "ledger_row_missing", 5, 100)


def test_parking_is_idempotent_and_counted(engine_of: Callable[..., Engine]) -> None:
    """The same place in the log is parked once."""
    engine = engine_of("consumers")
    for _ in range(2):
        with engine.begin() as connection:
            parked.park(connection, [RECORD, replace(RECORD, offset=42, event_id=None)])
    with engine.connect() as connection:
        assert parked.count_unresolved(connection) == 2
        assert RECORD in parked.unresolved(connection)


def test_a_resolved_record_no_longer_counts(engine_of: Callable[..., Engine]) -> None:
    """Placing an event after all resolves its parked record and no other."""
    engine = engine_of("consumers")
    with engine.begin() as connection:
        parked.park(connection, [RECORD, replace(RECORD, offset=42, event_id="e-2")])
        parked.resolve(connection, "e-1", now=200)
        left = parked.unresolved(connection)

    assert [record.event_id for record in left] == ["e-2"]
