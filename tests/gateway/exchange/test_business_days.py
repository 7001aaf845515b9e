"""Days as the rules count them: in Brussels, across seasons, month ends and holidays."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.exchange.business_days import months_after, start_of, working_days_after
from schemas.moments import to_rfc3339


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        ("2026-01-15", "2026-01-14T23:00:00Z"),
        ("2026-03-29", "2026-03-28T23:00:00Z"),
        ("2026-03-30", "2026-03-29T22:00:00Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z"),
        ("2026-10-26", "2026-10-25T23:00:00Z"),
    ],
)
def test_a_day_begins_at_midnight_in_brussels(day: str, instant: str) -> None:
    """Also on the days on which summer time begins and ends."""
    assert to_rfc3339(start_of(date.fromisoformat(day))) == instant


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-12-15", 12, "2027-12-15"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-10", -1, "2025-12-10"),
    ],
)
def test_months_end_with_the_month(start: str, months: int, end: str) -> None:
    """The same day, or the last one of a shorter month."""
    assert months_after(date.fromisoformat(start), months).isoformat() == end


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-05-28", 10, "2026-06-11"),
        ("2026-05-22", 1, "2026-05-26"),
        ("2026-12-24", 1, "2026-12-28"),
        ("2026-12-31", 5, "2027-01-08"),
        ("2026-04-03", 2, "2026-04-08"),
        ("2026-06-06", 1, "2026-06-08"),
    ],
)
def test_working_days_skip_weekends_and_holidays(start: str, days: int, end: str) -> None:
    """Whit Monday, Christmas, New Year and Easter Monday are none."""
    assert working_days_after(date.fromisoformat(start), days).isoformat() == end
