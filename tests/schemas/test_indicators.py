"""Every indicator is whole: words in both languages, facts that exist, events that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.catalogue import catalogue
from schemas.errors import UnknownIndicator
from schemas.indicators import MEASURES, UNITS, indicator, indicators, reference
from schemas.lifecycle import lifecycles
from schemas.regions import region_of, regions
from schemas.roles import LABEL
from schemas.territory import municipalities

WANTED = {
    *("inflow", "days_to_answer", "days_to_start", "acceptance", "decline_reasons", "places"),
    *("guided", "evaluations_on_time", "duration", "early_ends", "exits", "rights"),
    *("sustained_3", "sustained_6", "sustained_12", "benefit_handovers", "inflow_forecast"),
    *("displacement", "warnings", "guidance_minutes", "mentor_minutes", "open_cases"),
    *("competence_growth", "rhythm", "corrections", "registration_delay"),
}


def test_everything_the_local_governments_ask_for_has_an_indicator() -> None:
    """`domain.md` §3.11, R12, R17 and R18, each at least once."""
    assert set(indicators()) >= WANTED


def test_indicators_are_whole() -> None:
    """Measure, unit, column and words fit together."""
    for code, one in indicators().items():
        assert one.measure in MEASURES, code
        assert one.unit in UNITS, code
        assert all((one.title.nl, one.title.en, one.counted.nl, one.counted.en)), code
        assert (one.column is None) is (
            one.measure in ("count", "share") or one.unit == "number"
        ), code
        assert (one.reason is None) is (not one.reasons), code
        assert one.measure != "share" or one.where, code


def test_every_event_of_an_indicator_is_in_the_catalogue() -> None:
    """The source that is named can be looked up."""
    known = {one.name for one in catalogue().all()}

    assert {name for one in indicators().values() for name in one.events} <= known


def test_codes_that_are_filtered_on_are_told_apart_too() -> None:
    """What an indicator leaves out or in is a code that its reasons explain."""
    for code, one in indicators().items():
        for name, codes in {**one.of, **one.where}.items():
            if name == one.reason:
                assert set(codes) <= set(one.reasons), code


def test_states_and_roles_that_are_counted_are_real() -> None:
    """A right's states are those of its table; holders are roles."""
    assert set(indicator("rights").reasons) == set(lifecycles()["right"].states)
    assert set(indicator("open_cases").reasons) - {"unassigned"} <= set(LABEL)


def test_an_unknown_indicator_names_those_there_are() -> None:
    """Whoever mistypes one reads the list."""
    with pytest.raises(UnknownIndicator, match="inflow"):
        indicator("instroom")


def test_every_municipality_of_today_lies_in_one_of_fifteen_regions() -> None:
    """Merged ones are where they are now; elsewhere is nowhere."""
    today = [one.nis for one in municipalities() if one.valid_to is None]

    assert len(regions()) == 15
    assert all(region_of(one) for one in today)
    assert region_of("11056") == region_of("46030")
    assert region_of("21004") is None


def test_the_reference_is_the_definitions() -> None:
    """`deploy/evidence.md` is what `schakel schemas indicators` prints, so they cannot differ."""
    page = Path(__file__).parents[2] / "deploy" / "evidence.md"

    assert page.read_text("utf-8") == reference()
