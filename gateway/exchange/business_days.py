"""Days as the rules count them: business days in Brussels, months that end, working days.

Pure. A due date begins at midnight in Brussels, whatever the season.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from consumers.clock import BRUSSELS
from schemas.holidays import is_holiday

SATURDAY = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=10_000)
def start_of(day: date) -> int:
    """The first instant of a day in Brussels, in microseconds since the epoch."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=BRUSSELS)
    return (midnight.astimezone(UTC) - _EPOCH) // _MICROSECOND


def days_after(start: date, days: int) -> date:
    """The date so many calendar days after `start`."""
    return start + timedelta(days=days)


def months_after(start: date, months: int) -> date:
    """The same day so many months on, before `start` when negative; the last one if shorter."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return date(year, month + 1, min(start.day, last))


def last_day(month: str) -> date:
    """The last day of a month written YYYY-MM."""
    first = date.fromisoformat(f"{month}-01")
    return months_after(first, 1) - timedelta(days=1)


def working_days_after(start: date, days: int) -> date:
    """The date so many working days after `start`: Monday to Friday, but no public holiday."""
    found = start
    while days > 0:
        found += timedelta(days=1)
        days -= found.weekday() < SATURDAY and not is_holiday(found)
    return found
