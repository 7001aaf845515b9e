"""No table lets a small cell be found: neither shown, nor left over when others are subtracted."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers import rollup
from consumers.rollup import Group, K, Place, division, place_tree, rounded, year_tree

TOWNS = {f"2410{number}": f"Dorp {number}" for number in range(8)}
REGIONS = {nis: ("east", "Oost") if nis < "24105" else ("west", "West") for nis in TOWNS}
AREAS = dict.fromkeys(("24100", "24101", "24102"), ("w-1", "Gebied 1"))
AREAS |= dict.fromkeys(("24103", "24104", "24105"), ("w-2", "Gebied 2"))
MONTHS = tuple(f"2026-{number:02d}" for number in range(1, 13))
Base = dict[tuple[str, str], int]

counts = st.dictionaries(
    st.tuples(st.sampled_from(sorted(TOWNS)), st.sampled_from(MONTHS)),
    st.integers(0, 40) | st.sampled_from([0, 1, 9, 10, 11]),
    max_size=60,
)
levels = st.tuples(st.sampled_from(rollup.PLACES), st.sampled_from(rollup.TIMES))


def table(base: Base, place: str, time: str, k: int = K, until: str = "2026-12") -> list[Group]:
    """The division of one year."""
    year = year_tree(2026, until, time)
    assert year is not None

    def count(places: tuple[str, ...], months: tuple[str, ...]) -> int:
        return sum(base.get(one, 0) for one in product(places, months))

    return division(place_tree(TOWNS, REGIONS, AREAS, place), year, count, k)


def held(group: Group) -> set[tuple[str, str]]:
    """The municipalities and months of one cell."""
    return set(product(group.place.nis, group.period.months))


def size(base: Base, group: Group) -> int:
    """How many there are in one cell."""
    return sum(base.get(one, 0) for one in held(group))


def can_be_computed(published: list[set[tuple[str, str]]], wanted: set[tuple[str, str]]) -> bool:
    """Whether adding and subtracting published cells, however often, gives the wanted one."""
    columns = sorted(set().union(wanted, *published))
    rows = [[Fraction(one in group) for one in columns] for group in published]
    target = [Fraction(one in wanted) for one in columns]
    for place in range(len(columns)):
        pivot = next((row for row in rows if row[place] and not any(row[:place])), None)
        if pivot is None:
            continue
        rows = [row if row is pivot else _less(row, pivot, place) for row in rows]
        target = _less(target, pivot, place)
    return not any(target)


def _less(row: list[Fraction], pivot: list[Fraction], place: int) -> list[Fraction]:
    if not row[place]:
        return row
    times = row[place] / pivot[place]
    return [one - times * other for one, other in zip(row, pivot, strict=True)]


@given(counts, levels)
@settings(max_examples=200, deadline=None)
def test_every_published_cell_is_large_enough_and_all_are_disjoint(
    base: Base, level: tuple[str, str]
) -> None:
    """K people at least in each, and nobody in two."""
    groups = table(base, *level)
    seen: set[tuple[str, str]] = set()
    for group in groups:
        assert group.suppressed or size(base, group) >= K
        assert not seen & held(group)
        seen |= held(group)

    assert all(one in seen for one, many in base.items() if many)


@given(counts, levels)
@settings(max_examples=60, deadline=None)
def test_no_small_cell_can_be_computed_from_the_published_ones(
    base: Base, level: tuple[str, str]
) -> None:
    """Neither a municipality's month, nor its year, nor what was suppressed."""
    groups = table(base, *level)
    published = [held(one) for one in groups if not one.suppressed]
    months = [{one} for one in base]
    years = [{(nis, month) for month in MONTHS} for nis in TOWNS]
    hidden = [held(one) for one in groups if one.suppressed]
    for wanted in (*months, *years, *hidden):
        if 0 < sum(base.get(one, 0) for one in wanted) < K:
            assert not can_be_computed(published, wanted)


@given(counts)
@settings(max_examples=60, deadline=None)
def test_a_coarser_table_of_places_or_of_periods_is_made_of_the_finer_ones_cells(
    base: Base,
) -> None:
    """Two tables of one indicator, laid side by side by the year, leave nothing small over."""
    yearly = [rollup.AREA, rollup.REGION]
    tables = [table(base, level, rollup.YEAR) for level in yearly]
    fine = table(base, rollup.MUNICIPALITY, rollup.YEAR)
    pairs = [*((coarse, fine) for coarse in tables)]
    pairs.append((fine, table(base, rollup.MUNICIPALITY, rollup.MONTH)))
    for coarse, finer in pairs:
        for group in coarse:
            inside = [one for one in finer if held(one) <= held(group)]
            assert sum(size(base, one) for one in inside) == size(base, group)


def test_can_be_computed_finds_a_difference() -> None:
    """The check itself is able to fail."""
    one, other = ("24100", "2026-01"), ("24101", "2026-01")

    assert can_be_computed([{one, other}, {other}], {one})
    assert not can_be_computed([{one, other}], {one})


def test_a_small_month_rolls_up_to_its_quarter_and_a_small_quarter_to_the_year() -> None:
    """The other quarters keep their months; the cell's period says which it is."""
    base = {("24100", month): 12 for month in MONTHS} | {("24100", "2026-02"): 3}
    periods = [one.period for one in table(base, rollup.MUNICIPALITY, rollup.MONTH)]
    base |= {("24100", month): 1 for month in ("2026-01", "2026-02", "2026-03")}
    years = [one.period for one in table(base, rollup.MUNICIPALITY, rollup.MONTH)]

    assert [(one.level, one.months[0]) for one in periods][:2] == [
        ("quarter", "2026-01"),
        ("month", "2026-04"),
    ]
    assert len(periods) == 10
    assert [one.level for one in years] == ["year"]


def test_a_small_municipality_goes_with_its_neighbours_in_the_area() -> None:
    """Two small ones that are large together; the large one stands on its own."""
    base = {("24100", "2026-01"): 30, ("24101", "2026-01"): 6, ("24102", "2026-01"): 7}
    groups = table(base, rollup.MUNICIPALITY, rollup.YEAR)

    assert [(one.place.level, one.place.nis, one.place.rest) for one in groups] == [
        ("municipality", ("24100",), False),
        ("area", ("24101", "24102"), True),
    ]


def test_what_would_be_left_over_takes_the_smallest_neighbour_along() -> None:
    """One small municipality alone would be found by subtraction from the area."""
    base = {("24100", "2026-01"): 30, ("24101", "2026-01"): 12, ("24102", "2026-01"): 4}
    groups = table(base, rollup.MUNICIPALITY, rollup.YEAR)

    assert [one.place.nis for one in groups] == [("24100",), ("24101", "24102")]


def test_a_whole_small_area_goes_to_the_region() -> None:
    """An area without a large municipality is published with others of its region."""
    base = {("24100", "2026-01"): 20, ("24103", "2026-01"): 3, ("24104", "2026-01"): 2}
    (group,) = table(base, rollup.MUNICIPALITY, rollup.YEAR)

    assert (group.place.level, group.place.code, group.suppressed) == ("region", "east", False)


def test_too_few_in_all_of_flanders_are_suppressed() -> None:
    """There is nothing to roll up into."""
    (group,) = table({("24100", "2026-01"): 9}, rollup.MUNICIPALITY, rollup.MONTH)

    assert (group.suppressed, group.place.level) == (True, "flanders")


def test_own_cases_are_counted_as_they_are() -> None:
    """With k = 0 every month of every municipality stands alone, empty ones left out."""
    groups = table(
        {("24100", "2026-01"): 1, ("24105", "2026-03"): 2}, rollup.MUNICIPALITY, rollup.MONTH, k=0
    )

    assert [(one.place.nis, one.period.months) for one in groups] == [
        (("24100",), ("2026-01",)),
        (("24105",), ("2026-03",)),
    ]


def test_a_year_goes_as_far_as_it_has_begun() -> None:
    """Months that have not begun belong to no cell, and a year that has not to no table."""
    year = year_tree(2026, "2026-05", rollup.MONTH)

    assert year is not None
    assert [one.months for one in year.children] == [MONTHS[:3], MONTHS[3:5]]
    assert year_tree(2027, "2026-05", rollup.MONTH) is None


@given(st.integers(0, 10_000))
def test_numbers_are_rounded_to_five(number: int) -> None:
    """Never further than two away, and never below k once at it."""
    assert rounded(number) % 5 == 0
    assert abs(rounded(number) - number) <= 2
    assert number < K or rounded(number) >= K


def test_every_municipality_lies_in_one_place_of_each_level() -> None:
    """The tree divides Flanders at every level, served by somebody or not."""
    for level in rollup.PLACES:
        found = sorted(
            nis for leaf in _leaves(place_tree(TOWNS, REGIONS, AREAS, level)) for nis in leaf.nis
        )
        assert found == sorted(TOWNS)


def _leaves(place: Place) -> list[Place]:
    if not place.children:
        return [place]
    return [leaf for one in place.children for leaf in _leaves(one)]
