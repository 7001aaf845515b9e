"""Municipalities by date, and the mergers of 2019 and 2025 (`domain.md` §6)."""

from datetime import date

import pytest

from schemas import territory
from schemas.errors import UnknownMunicipality

LAST_DAY = date(2024, 12, 31)
FIRST_DAY = date(2025, 1, 1)

FUSIONS = [
    (("37012", "37018"), "37021"),
    (("46003", "46013", "11056"), "46030"),
    (("23023", "23024", "23032"), "23106"),
    (("44040", "44043"), "44088"),
    (("73009", "73083"), "73111"),
    (("71022", "73040"), "71072"),
]


def test_there_are_285_municipalities_of_today() -> None:
    """Neither more nor fewer, on the first day of 2025 and now."""
    today = [place for place in territory.municipalities() if place.valid_to is None]

    assert len(today) == 285
    assert sum(place.is_valid_on(FIRST_DAY) for place in territory.municipalities()) == 285
    assert sum(place.is_valid_on(LAST_DAY) for place in territory.municipalities()) == 300


def test_every_merged_municipality_leads_to_one_of_today() -> None:
    """Successors exist, start the day after at the latest, and end the chain."""
    for place in territory.municipalities():
        assert (place.valid_to is None) == (place.successor is None)
        assert territory.municipality(territory.current(place.nis)).valid_to is None


def test_a_municipality_has_a_name_and_postal_codes() -> None:
    """Tienen, as everybody knows it."""
    tienen = territory.municipality("24107")

    assert (tienen.name, tienen.ovo[:3]) == ("Tienen", "OVO")
    assert "3300" in tienen.postal_codes


def test_an_unknown_code_is_refused_by_name_and_never_valid() -> None:
    """Asking about it by date is no error: the answer is no."""
    assert not territory.valid_on("99999", FIRST_DAY)
    with pytest.raises(UnknownMunicipality):
        territory.municipality("99999")
    with pytest.raises(UnknownMunicipality):
        territory.current("99999")


def test_hasselt_changed_its_code_with_the_merger() -> None:
    """An event of November 2024 with 71022 is valid, one of February 2025 is not."""
    assert territory.valid_on("71022", date(2024, 11, 15))
    assert not territory.valid_on("71022", date(2025, 2, 15))
    assert not territory.valid_on("71072", date(2024, 11, 15))
    assert territory.valid_on("71072", date(2025, 2, 15))


@pytest.mark.parametrize(("origins", "merged"), FUSIONS)
def test_codes_end_and_start_around_new_year(origins: tuple[str, ...], merged: str) -> None:
    """The last day of the old codes is the day before the first of the new one."""
    for origin in origins:
        assert territory.valid_on(origin, LAST_DAY)
        assert not territory.valid_on(origin, FIRST_DAY)
        assert territory.current(origin) == merged
        assert territory.current_on(origin, LAST_DAY) == origin
        assert territory.current_on(origin, FIRST_DAY) == merged
    assert not territory.valid_on(merged, LAST_DAY)
    assert territory.valid_on(merged, FIRST_DAY)


@pytest.mark.parametrize(("origins", "merged"), FUSIONS)
def test_a_territory_on_old_codes_maps_forward(origins: tuple[str, ...], merged: str) -> None:
    """A grant written before the merger goes on after it, and held its own place before."""
    for origin in origins:
        written = frozenset({origin})
        assert territory.covers(written, merged, FIRST_DAY)
        assert territory.covers(written, origin, LAST_DAY)
        for other in set(origins) - {origin}:
            assert not territory.covers(written, other, LAST_DAY)


@pytest.mark.parametrize(("origins", "merged"), FUSIONS)
def test_a_territory_on_the_new_code_covers_earlier_events(
    origins: tuple[str, ...], merged: str
) -> None:
    """A case that started under an old code is not lost to a grant written later."""
    for origin in origins:
        assert territory.covers(frozenset({merged}), origin, LAST_DAY)
        assert territory.covers(frozenset({merged}), origin, FIRST_DAY)


def test_a_code_that_stayed_grows_only_on_the_day_of_the_merger() -> None:
    """Antwerpen kept its code when Borsbeek joined: before, it did not hold Borsbeek."""
    antwerpen, borsbeek = frozenset({"11002"}), "11007"

    assert not territory.covers(antwerpen, borsbeek, LAST_DAY)
    assert territory.covers(antwerpen, borsbeek, FIRST_DAY)
    assert territory.covers(frozenset({borsbeek}), "11002", FIRST_DAY)
    assert not territory.covers(frozenset({borsbeek}), "11002", LAST_DAY)


def test_a_territory_covers_nothing_else() -> None:
    """Other and unknown places, and an empty territory."""
    assert not territory.covers(frozenset({"24062"}), "24107", FIRST_DAY)
    assert not territory.covers(frozenset({"24062"}), "99999", FIRST_DAY)
    assert not territory.covers(frozenset(), "24062", FIRST_DAY)


def test_a_postal_code_can_span_two_municipalities() -> None:
    """1804 lies in Vilvoorde and in Zemst."""
    found = territory.by_postcode("1804", date(2026, 3, 2))

    assert {place.name for place in found} == {"Vilvoorde", "Zemst"}


def test_an_ordinary_postal_code_names_one_municipality() -> None:
    """3300 is Tienen; a code of nowhere names none."""
    assert [place.nis for place in territory.by_postcode("3300", FIRST_DAY)] == ["24107"]
    assert territory.by_postcode("0000", FIRST_DAY) == ()


def test_a_postal_code_before_a_merger_names_what_merged() -> None:
    """3500 was Hasselt or Kortessem as far as today's codes tell."""
    assert [place.nis for place in territory.by_postcode("3500", FIRST_DAY)] == ["71072"]
    before = {place.nis for place in territory.by_postcode("3500", LAST_DAY)}
    assert before == {"71022", "73040"}


def test_a_code_leads_back_to_what_merged_into_it() -> None:
    """What stands under an earlier code is found under the code of today."""
    assert set(territory.earlier_codes("71072")) == {"71072", "71022", "73040"}
    assert territory.earlier_codes("24107") == ("24107",)
    assert "44029" in territory.earlier_codes("44084")


def test_codes_within_a_municipality_are_those_of_all_that_merged_into_it() -> None:
    """Named by its code of today or by an earlier one."""
    merged = ["37012", "37018", "37021"]

    assert territory.codes_within(["37021"]) == merged
    assert territory.codes_within(["37012"]) == merged
