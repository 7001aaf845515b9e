"""Business time: where it comes from, and how it is moved in a test installation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers.clock import MICROSECONDS_PER_DAY, RowClock

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

NEVER_AGAIN = 3600.0
DAY_SECONDS = 86_400


def test_a_move_counts_at_once(engine_of: Callable[..., sa.Engine]) -> None:
    """Whoever moves the clock reads the new time, though the row is not due to be read again."""
    reader = engine_of("ledger", read_only=True)
    clock = RowClock(reader, NEVER_AGAIN, writer=engine_of("ledger"))
    before = clock.now_us()

    clock.move(DAY_SECONDS)

    assert clock.now_us() - before >= MICROSECONDS_PER_DAY


def test_a_move_reaches_other_processes(engine_of: Callable[..., sa.Engine]) -> None:
    """Another clock on the same row takes the move over once its own reading has aged."""
    writer = RowClock(engine_of("ledger"))
    other = RowClock(engine_of("ledger", read_only=True), refresh_seconds=0.0)

    writer.move(-DAY_SECONDS)

    assert abs(other.now_us() - writer.now_us()) < MICROSECONDS_PER_DAY // 1000
