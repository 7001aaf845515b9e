"""What a published conversion makes of a running placement, and how many it would move."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from sqlalchemy import column as col
from sqlalchemy import insert, table

from gateway.exchange.conversion_survey import Moved, survey
from gateway.exchange.conversions import converted
from gateway.exchange.state import Assignment, Placement, Report
from gateway.exchange.state_rows import dumps
from schemas.catalogue import catalogue
from schemas.rule_publication import parse_publication
from schemas.validation import parse
from tests.gateway.exchange import cast
from tests.schemas.decree import decree
from tests.store_fixtures import engine_of, stores  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

(RULE,) = parse_publication(decree()).conversions
HOURS = {"2025-12": 4000, "2026-05": 3000, "2026-06": 2550, "2026-08": 100}


def running(**changes: Any) -> Placement:
    """A placement that began on 15 March."""
    return replace(cast.placement("active"), start_date="2026-03-15", **changes)


def test_hours_and_months_count_on() -> None:
    """Those before the day of the conversion: whole months, and hours to the hundredth."""
    found = converted(running(), [RULE], HOURS)

    assert found is not None
    assert (found.hours_carried, found.months_carried) == (9550, 3)
    assert found.data == {
        "from_programme": "wijk_werken",
        "to_programme": "samenlevingsjob",
        "effective": "2026-07-01",
        "hours_carried": "95.50",
        "months_carried": 3,
        "basis": "decree",
    }


def test_what_the_hub_would_send_is_a_whole_event() -> None:
    """The data pass the schema of `transition.placement_converted` as they are."""
    found = converted(running(), [RULE], HOURS)
    assert found is not None

    event = catalogue().event("transition.placement_converted")
    assert parse(event, found.data, environment="test") == found.data


@pytest.mark.parametrize(
    ("carried", "hours", "months"),
    [("all", 9550, 3), ("this_year", 5550, 3), ("none", 0, 3)],
)
def test_the_file_says_which_hours_count_on(carried: str, hours: int, months: int) -> None:
    """All of them, those of the calendar year, or none."""
    found = converted(running(), [changed(RULE, hours_carried=carried)], HOURS)

    assert found is not None
    assert (found.hours_carried, found.months_carried) == (hours, months)


def test_months_may_begin_anew() -> None:
    """And what has not started has no months to carry."""
    anew = converted(running(), [changed(RULE, months_carried="none")], {})
    planned = replace(cast.placement("planned"), start_date="2026-03-15")
    wide = changed(RULE, states=frozenset({"planned"}))
    not_begun = converted(planned, [wide], {})

    assert anew is not None
    assert anew.months_carried == 0
    assert not_begun is not None
    assert not_begun.months_carried == 0


@pytest.mark.parametrize(
    ("placement", "rule"),
    [
        (running(programme="stage"), RULE),
        (replace(cast.placement("planned"), start_date="2026-03-15"), RULE),
        (running(), changed(RULE, started_from=date(2026, 3, 16))),
        (running(), changed(RULE, started_until=date(2026, 3, 14))),
    ],
)
def test_others_stay_as_they_are(placement: Placement, rule: Any) -> None:
    """Another programme, another state, or begun outside the days that the file names."""
    assert converted(placement, [rule], HOURS) is None


def test_placements_are_counted_by_organiser_and_municipality(
    engine_of: Callable[..., Engine],  # noqa: F811 - the fixture's name
) -> None:
    """Counts and sums, over all pages, and nothing about anybody."""
    engine = engine_of("ledger")
    reports = {month: Report("e", hours) for month, hours in HOURS.items()}
    worked = {cast.ASSIGNMENT: Assignment(cast.ASSIGNMENT, reports=reports)}
    states = [
        replace(
            cast.case(placements={cast.PLACEMENT: running(programme=programme, **more)}),
            id=f"case-{number}",
        )
        for number, (programme, more) in enumerate(
            [("wijk_werken", {"assignments": worked}), ("wijk_werken", {}), ("stage", {})]
        )
    ]
    rows = table("trajectories", col("id"), col("subject_id"), col("state"))
    with engine.begin() as connection:
        for one in states:
            values = {"id": one.id, "subject_id": one.subject_id, "state": dumps(one)}
            connection.execute(insert(rows).values(**values))

    assert survey(engine_of("ledger", read_only=True), [RULE]) == (
        Moved("wijk_werken", "samenlevingsjob", cast.RELATED["W"], cast.NIS, 2, 9550, 6),
    )
