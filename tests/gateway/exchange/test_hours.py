"""Hours of a month: once, corrected, compared, capped; facts are recorded and flagged."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.exchange.decision import Accepted, Refused
from gateway.exchange.hours import by_month
from gateway.exchange.state import Right
from gateway.exchange.subject_state import Subject, Work
from tests.gateway.exchange import cast
from tests.gateway.exchange.placing import H, Placing, V, hours_of, raised, warned

REPORT = "placement.hours_reported"


def test_a_report_is_counted_once() -> None:
    """A second report of a month names the one it replaces, and replaces it."""
    placing = Placing()
    first = placing.report("2026-04", "12.50").events[0].event_id

    assert placing.refused(REPORT, hours_of("2026-04", "10.00")) == (
        "already_reported",
        "correction_of",
    )
    wrong = hours_of("2026-04", "10.00", correction_of=cast.FRESH)
    assert placing.refused(REPORT, wrong)[0] == "already_reported"
    placing.report("2026-04", "10.25", correction_of=first)
    assert by_month(placing.case.placements[cast.PLACEMENT]) == {"2026-04": 1025}
    assert placing.person.work[cast.PLACEMENT].hours == {"2026-04": 1025}


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (hours_of("2026-06", "5.00"), "period_in_future", "period"),
        (hours_of("2026-03", "5.00"), "period_before_start", "period"),
        (hours_of("2026-04", "721.00"), "hours_impossible", "hours"),
        (
            hours_of("2026-04", "1.00", correction_of=cast.FRESH),
            "nothing_to_correct",
            "correction_of",
        ),
        (
            {**hours_of("2026-04", "5.00"), "assignment_id": cast.FRESH},
            "unknown_assignment",
            "assignment_id",
        ),
    ],
)
def test_a_report_that_cannot_be(data: dict[str, Any], code: str, field: str) -> None:
    """The refusal names the field and what to do."""
    assert Placing().refused(REPORT, data) == (code, field)


def test_hours_come_late_but_not_for_ever() -> None:
    """Twelve months after the month a report is taken, thirteen not; nor after the end."""
    placing = Placing()
    placing.send("placement.ended", {"end_date": "2026-05-20", "reason": "goal_reached"})
    placing.now += 337 * cast.DAY  # 30 April 2027

    assert isinstance(placing.judge(REPORT, hours_of("2026-04", "5.00")), Accepted)
    assert placing.refused(REPORT, hours_of("2026-06", "5.00"))[0] == "period_after_end"
    placing.now += cast.DAY
    assert placing.refused(REPORT, hours_of("2026-04", "5.00"))[0] == "period_too_old"


def test_what_the_host_states_stands_beside() -> None:
    """A difference over ten per cent is said to whoever sends; VDAB is told nothing."""
    placing = Placing()
    placing.report("2026-04", "40.00")
    near = placing.judge("placement.hours_stated", {"period": "2026-04", "hours": "36.00"}, H)
    far = placing.send("placement.hours_stated", {"period": "2026-04", "hours": "35.00"}, H)
    last = placing.case.placements[cast.PLACEMENT].assignments[cast.ASSIGNMENT].reports["2026-04"]
    again = placing.report("2026-04", "41.00", correction_of=last.event_id)

    assert isinstance(near, Accepted)
    assert warned(near) == []
    assert warned(far) == ["hours_differ"]
    assert warned(again) == ["hours_differ"]
    assert raised(far) == raised(again) == []
    assert by_month(placing.case.placements[cast.PLACEMENT]) == {"2026-04": 4100}


def test_too_many_hours_are_recorded_and_flagged() -> None:
    """Over the cap of a month: accepted, the sender warned, the case holder told."""
    placing = Placing()
    at_cap = placing.report("2026-04", "60.00")
    over = placing.report("2026-05", "60.01")

    assert warned(at_cap) == []
    assert warned(over) == ["hours_per_month_max"]
    assert raised(over) == [("hours_cap", "hours_per_month_max")]
    told = next(one for one in over.events if one.event.name == "trajectory.warning_raised")
    assert V in [one.participant for one in told.recipients if one.excluded is None]


def test_a_year_has_a_cap_of_its_own_unless_a_right_lifts_it() -> None:
    """630 hours a year over all of the person; a verified right from before lifts that one."""
    done = Work("other", "t-2", "wijk_werken", "w-2", "ended", {"2026-01": 60000})
    bound = Placing(person=Subject("subject-1", 0, work={"other": done}))
    case = replace(bound.case, rights={cast.RIGHT: Right(cast.RIGHT, "active", 1, "w")})
    free = Placing(case=case, person=bound.person)

    assert warned(bound.report("2026-04", "30.00")) == []
    assert warned(bound.report("2026-05", "0.50")) == ["hours_per_year_max"]
    free.report("2026-04", "30.00")
    assert warned(free.report("2026-05", "0.50")) == []


def test_the_cap_says_how_far_it_looked() -> None:
    """Over one trajectory, or over cases that were confirmed to be of the same person."""
    work = Work("other", "t-2", "wijk_werken", "w-2", "active", {"2026-05": 5900})
    linked = Placing(linked=(Subject("subject-2", 0, work={"other": work}),))
    alone = Placing()

    over = linked.report("2026-05", "2.00")
    assert warned(over) == ["hours_per_month_max"]
    assert "confirmed" in over.warnings[0].detail.en
    assert warned(alone.report("2026-05", "2.00")) == []
    assert "one trajectory" in alone.report("2026-04", "61.00").warnings[0].detail.en


def test_two_capped_programmes_are_told_to_the_holder_alone() -> None:
    """Journey E: gemeenschapsdienst elsewhere, wijk-werken here: a warning, never a block."""
    other = Work("other", "t-2", "gemeenschapsdienst", "w-2", "active", {"2026-05": 6400})
    placing = Placing(
        case=cast.case_with("placement", "planned"),
        person=Subject("subject-1", 0, work={"other": other}),
    )
    begun = placing.send("placement.started", START)

    assert ("overlap", "gemeenschapsdienst") in raised(begun)
    told = next(one for one in begun.events if one.data.get("kind") == "overlap")
    assert [one.participant for one in told.recipients] == [V]
    assert warned(begun) == []


START = {
    "programme": "wijk_werken",
    "assignments": [
        {
            "assignment_id": cast.ASSIGNMENT,
            "host_org": cast.urn_of(H),
            "mentor": {"name": "M"},
            "from": "2026-05-28",
        }
    ],
    "start_date": "2026-05-28",
    "planned_end": "2026-11-20",
    "hours_per_week": 12,
    "insured": True,
    "declaration": {"declared": True},
}

reports = st.lists(
    st.tuples(
        st.sampled_from(["2026-04", "2026-05"]),
        st.sampled_from([cast.ASSIGNMENT, cast.SECOND_ASSIGNMENT]),
        st.integers(0, 9999),
        st.booleans(),
    ),
    max_size=12,
)


@given(reports)
def test_sums_equal_the_valid_reports(sent: list[tuple[str, str, int, bool]]) -> None:
    """Whatever is reported, repeated and corrected: the sums are those of the valid reports."""
    placing = Placing()
    valid: dict[tuple[str, str], tuple[str, Decimal]] = {}
    for period, assignment, hundredths, corrects in sent:
        known = valid.get((period, assignment))
        hours = f"{Decimal(hundredths) / 100:.2f}"
        data = {**hours_of(period, hours), "assignment_id": assignment}
        if corrects and known is not None:
            data["correction_of"] = known[0]
        decided = placing.judge(REPORT, data)
        fits = known is None or corrects
        assert isinstance(decided, Accepted if fits else Refused)
        if fits:
            event_id = placing.send(REPORT, data).events[0].event_id
            valid[period, assignment] = (event_id, Decimal(hours))
    sums: dict[str, int] = {}
    for (period, _), (_, worked) in valid.items():
        sums[period] = sums.get(period, 0) + int(worked * 100)

    assert by_month(placing.case.placements[cast.PLACEMENT]) == sums
