"""The legal public holidays of Belgium, which are no working days."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


def is_holiday(day: date) -> bool:
    """Whether a day is a legal public holiday."""
    return day in holidays(day.year)


@cache
def holidays(year: int) -> frozenset[date]:
    """The legal public holidays of a year; none before the law of 1974."""
    first = date(year, 1, 1)
    periods = [one["days"] for one in _periods() if one["valid_from"] <= first]
    return frozenset(_day(row, year) for row in periods[-1]) if periods else frozenset()


def _day(row: dict[str, Any], year: int) -> date:
    if "after_easter" in row:
        return easter(year) + timedelta(days=row["after_easter"])
    return date(year, row["month"], row["day"])


def easter(year: int) -> date:
    """Easter Sunday in the Gregorian calendar, by the rule of Meeus, Jones and Butcher."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap_centuries, after_leap = divmod(century, 4)
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leap_centuries - correction + 15) % 30
    leap_years, after_leap_year = divmod(rest, 4)
    weekday = (32 + 2 * after_leap + 2 * leap_years - epact - after_leap_year) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@cache
def _periods() -> tuple[dict[str, Any], ...]:
    source = files("schemas").joinpath("data", "holidays.yaml")
    return tuple(yaml.safe_load(source.read_text(encoding="utf-8")))
