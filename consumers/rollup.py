"""Which cells of a table are published together, so that none of them is small (`domain.md` §3.11).

A table's cells are parts of one division: every municipality and month lies in exactly one of
them, and no total is published beside them. So there is nothing to subtract from anything.
A cell under k rolls up month, quarter, year; then small municipalities go together within the
area an organiser serves, then areas within a reference region, then regions. Where what goes
together would itself be small, the smallest larger neighbour goes with it.
Pure: counts come in as a function, divisions go out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

K = 10
"""The smallest number of people that a published cell may hold."""
ROUNDING = 5

FLANDERS, REGION, AREA, MUNICIPALITY = "flanders", "region", "area", "municipality"
PLACES = (FLANDERS, REGION, AREA, MUNICIPALITY)
YEAR, QUARTER, MONTH = "year", "quarter", "month"
TIMES = (YEAR, QUARTER, MONTH)

Counts = Callable[[tuple[str, ...], tuple[str, ...]], int]
"""How many there are in these municipalities and months together."""


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality, or several with what holds them together.

    Attributes:
        nis: the municipalities of today in it.
        rest: whether it is only what was too small within the place it is named for.
    """

    level: str
    code: str
    name: str
    nis: tuple[str, ...]
    children: tuple[Place, ...] = ()
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """A month, or the months of a quarter or year that have begun."""

    level: str
    months: tuple[str, ...]
    children: tuple[Period, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """What is published as one cell; a suppressed one without its number."""

    place: Place
    period: Period
    suppressed: bool = False


def division(place: Place, year: Period, count: Counts, k: int) -> list[Group]:
    """The cells of one year in a place; none when there is nothing at all.

    With k = 0 nothing is rolled up, which is for counts of one's own cases.
    """
    size = count(place.nis, year.months)
    if size <= 0:
        return []
    if size < k:
        return [Group(replace(place, children=()), year, suppressed=True)]
    return [one for one in _in_places(place, year, count, k) if _is_filled(one, count)]


def _is_filled(group: Group, count: Counts) -> bool:
    return count(group.place.nis, group.period.months) > 0


def _in_places(place: Place, year: Period, count: Counts, k: int) -> list[Group]:
    """The place's parts, those that are too small together; the place itself when all are."""
    if not place.children:
        return _in_time(place, year, count, k)
    sizes = {one.code: count(one.nis, year.months) for one in place.children}
    small = [one for one in place.children if sizes[one.code] < k]
    large = sorted(
        (one for one in place.children if sizes[one.code] >= k),
        key=lambda one: (sizes[one.code], one.code),
    )
    hidden = sum(sizes[one.code] for one in small)
    while 0 < hidden < k and large:
        neighbour = large.pop(0)
        small.append(neighbour)
        hidden += sizes[neighbour.code]
    if not large:
        return _in_time(replace(place, children=()), year, count, k)
    found = [group for one in large for group in _in_places(one, year, count, k)]
    if hidden > 0:
        nis = tuple(sorted(code for one in small for code in one.nis))
        rest = Place(place.level, place.code, place.name, nis, rest=True)
        found += _in_time(rest, year, count, k)
    return found


def _in_time(place: Place, period: Period, count: Counts, k: int) -> list[Group]:
    """The period's parts when none of them is small, else the period."""
    if period.children and all(count(place.nis, one.months) >= k for one in period.children):
        return [group for one in period.children for group in _in_time(place, one, count, k)]
    return [Group(place, period)]


def rounded(number: int) -> int:
    """To the nearest five."""
    return (2 * number + ROUNDING) // (2 * ROUNDING) * ROUNDING


def place_tree(
    municipalities: Mapping[str, str],
    regions: Mapping[str, tuple[str, str]],
    areas: Mapping[str, tuple[str, str]],
    finest: str,
) -> Place:
    """Flanders down to a level.

    Args:
        municipalities: names by NIS code.
        regions: code and name by NIS code.
        areas: code and name of the area it is served in, by NIS code; may be missing.
        finest: the lowest level, one of `PLACES`.
    """
    depth = PLACES.index(finest)
    of_region = _grouped(municipalities, lambda nis: regions.get(nis, ("other", "")))
    children = [
        _region(region, nis, municipalities, areas, depth) for region, nis in of_region.items()
    ]
    whole = Place(FLANDERS, "02000", "Vlaanderen", tuple(sorted(municipalities)))
    return whole if depth == 0 else replace(whole, children=tuple(children))


def _region(
    region: tuple[str, str],
    nis: list[str],
    names: Mapping[str, str],
    areas: Mapping[str, tuple[str, str]],
    depth: int,
) -> Place:
    code, name = region
    place = Place(REGION, code, name, tuple(nis))
    if depth == 1:
        return place
    # An area may lie in several regions: what counts is the part of it in each.
    children = [
        _area(code, area, inside, names, depth)
        for area, inside in _grouped(nis, lambda one: areas.get(one, ("", ""))).items()
    ]
    return replace(place, children=tuple(children))


def _area(
    region: str, area: tuple[str, str], nis: list[str], names: Mapping[str, str], depth: int
) -> Place:
    code, name = area
    place = Place(AREA, f"{code or 'other'}/{region}", name, tuple(nis))
    if depth == 2:  # noqa: PLR2004 - the place of AREA in PLACES
        return place
    towns = tuple(Place(MUNICIPALITY, one, names[one], (one,)) for one in nis)
    return replace(place, children=towns)


def _grouped(
    codes: Iterable[str], key: Callable[[str], tuple[str, str]]
) -> dict[tuple[str, str], list[str]]:
    ordered = sorted(codes, key=lambda one: (key(one), one))
    return {found: list(inside) for found, inside in groupby(ordered, key=key)}


def year_tree(year: int, until: str, finest: str) -> Period | None:
    """A calendar year down to a level, as far as it has begun; None when it has not.

    Always whole years, whatever was asked: so two tables never divide one year differently.
    """
    months = [month for number in range(1, 13) if (month := f"{year}-{number:02d}") <= until]
    if not months:
        return None
    quarters = [tuple(months[at : at + 3]) for at in range(0, len(months), 3)]
    if finest == YEAR:
        return Period(YEAR, tuple(months))
    parts = tuple(_quarter(one, finest) for one in quarters)
    return Period(YEAR, tuple(months), parts)


def _quarter(months: tuple[str, ...], finest: str) -> Period:
    if finest == QUARTER:
        return Period(QUARTER, months)
    return Period(QUARTER, months, tuple(Period(MONTH, (one,)) for one in months))
