"""The clock of business time: rules, timers, validity and retry windows.

OAuth, TLS and telemetry always use real time and never come here.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

BRUSSELS = ZoneInfo("Europe/Brussels")
MICROSECONDS_PER_DAY = 86_400_000_000
_MICROSECONDS_PER_HOUR = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Tells business time."""

    def now_us(self) -> int:
        """Microseconds since 1970 in UTC. Never raises."""
        ...


class SystemClock:
    """The time of this machine."""

    def now_us(self) -> int:
        """Microseconds since 1970 in UTC."""
        return time.time_ns() // 1000


class FixedClock:
    """Stands still until it is moved; for tests."""

    def __init__(self, now_us: int = 1_772_000_000_000_000) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """The time it was set to."""
        return self._now_us

    def advance(self, seconds: float) -> None:
        """Move the time by this many seconds, backwards when negative."""
        self._now_us += int(seconds * 1_000_000)


class RowClock:
    """System time plus an offset kept in the one row of table `clock`; for test installations.

    The row is read at most every `refresh_seconds`; while the database is down the last offset
    known holds. What this clock itself moved counts at once.

    Args:
        engine: reads the row.
        refresh_seconds: how long an offset is believed.
        writer: writes the row; without one, `engine` does.
    """

    def __init__(
        self, engine: Engine, refresh_seconds: float = 0.2, *, writer: Engine | None = None
    ) -> None:
        self._engine = engine
        self._writer = writer or engine
        self._refresh_seconds = refresh_seconds
        self._offset_us = 0
        self._read_at = float("-inf")
        self._lock = threading.Lock()

    def now_us(self) -> int:
        """System time moved by the row's offset."""
        if time.monotonic() - self._read_at > self._refresh_seconds:
            self._read()
        return time.time_ns() // 1000 + self._offset_us

    def move(self, seconds: float) -> None:
        """Add to the offset for every process that reads this row."""
        change = {"us": int(seconds * 1_000_000)}
        with self._writer.begin() as connection:
            connection.execute(
                text(
                    "insert into clock (id, offset_us) values (1, :us) "
                    "on conflict (id) do update set offset_us = clock.offset_us + :us"
                ),
                change,
            )
        self._read_at = float("-inf")

    def _read(self) -> None:

        with self._lock:
            self._read_at = time.monotonic()
            try:
                with self._engine.connect() as connection:
                    row = connection.execute(text("select offset_us from clock where id = 1"))
                    self._offset_us = row.scalar() or 0
            except SQLAlchemyError:
                return


def datetime_of(us: int) -> datetime:
    """The aware UTC datetime of a time in microseconds, exact to the microsecond."""
    return _EPOCH + timedelta(microseconds=us)


def date_of(us: int) -> date:
    """The calendar date in Belgium at a time in microseconds."""
    # Belgium's days begin on a whole hour of UTC, so all of an hour has one date.
    return _date_of_hour(us // _MICROSECONDS_PER_HOUR)


@lru_cache(maxsize=10_000)
def _date_of_hour(hours: int) -> date:
    return datetime_of(hours * _MICROSECONDS_PER_HOUR).astimezone(BRUSSELS).date()
