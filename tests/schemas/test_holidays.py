"""The legal public holidays of Belgium."""

from __future__ import annotations

from datetime import date

import pytest

from schemas.holidays import easter, holidays, is_holiday


def test_a_year_has_its_ten_holidays() -> None:
    """Those of 2026, as published."""
    days = [
        "01-01",
        "04-06",
        "05-01",
        "05-14",
        "05-25",
        "07-21",
        "08-15",
        "11-01",
        "11-11",
        "12-25",
    ]

    assert sorted(holidays(2026)) == [date.fromisoformat(f"2026-{one}") for one in days]
    assert is_holiday(date(2026, 7, 21))
    assert not is_holiday(date(2026, 7, 22))


@pytest.mark.parametrize(
    "sunday",
    ["1961-04-02", "2000-04-23", "2008-03-23", "2011-04-24", "2024-03-31", "2027-03-28",
     "2038-04-25", "2285-03-22"],
)  # fmt: skip
def test_easter(sunday: str) -> None:
    """Published dates, the earliest and latest possible ones among them."""
    expected = date.fromisoformat(sunday)

    assert easter(expected.year) == expected
