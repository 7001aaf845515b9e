"""Acquired rights: verified in thirty days, asleep after a year, never by another's silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted
from gateway.exchange.state import Right
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import days, noon, sent, the

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

RAN = tuple(f"{year}-{month:02}" for year in (2025, 2026) for month in range(1, 13))


def entitled(state: str, reported: tuple[str, ...] = RAN, **changes: Any) -> Trajectory:
    """A case with a right that was registered on 31 January 2026, and a long placement."""
    given = {
        "since": noon("2026-01-31"),
        "claimed_activity": "2025-03",
        "last_activity": "2025-03",
        **changes,
    }
    right = replace(Right(cast.RIGHT, state, 1, cast.RELATED["W"]), **given)
    placement = replace(cast.placement("ended"), start_date="2025-01-15", reported=reported)
    return cast.case(
        referrals={cast.REFERRAL: cast.referral("closed")},
        placements={cast.PLACEMENT: placement},
        rights={cast.RIGHT: right},
        tasks={},
    )


def test_a_claimed_right_is_recalled_to_vdab_every_thirty_days() -> None:
    """From the thirtieth day on, until it is verified or refused."""
    case = entitled("claimed")
    again = replace(case, reminded={f"right_unverified/{cast.RIGHT}": sent("2026-03-02")})

    assert days(case)["right_unverified"] == "2026-03-02"
    assert the(case, "right_unverified").acts_for == cast.RELATED["V"]
    assert the(case, "right_unverified").data["concerns"] == cast.RIGHT
    assert days(again)["right_unverified"] == "2026-04-01"


def test_a_year_of_whole_months_without_hours_puts_a_right_to_sleep() -> None:
    """Last active in March 2025: on 1 April 2026, with thirty days' notice."""
    clock = the(entitled("active"), "right_inactive", today="2026-04-01")

    assert days(entitled("active"))["right_inactive"] == "2026-04-01"
    assert (clock.event, clock.subject) == ("transition.right_dormant", cast.RIGHT)
    assert clock.data == {"last_activity_month": "2025-03", "lapses_on": "2026-05-01"}


@pytest.mark.parametrize("missing", ["2025-04", "2025-11"])
def test_a_month_without_a_report_warns_instead(missing: str) -> None:
    """The organiser is told which month; it is looked at again a month later."""
    reported = tuple(one for one in RAN if one != missing)
    case = entitled("active", reported)
    again = replace(case, reminded={f"right_inactive/{cast.RIGHT}": sent("2026-04-01")})
    clock = the(case, "right_inactive")

    assert clock.event == "trajectory.warning_raised"
    assert clock.data == {"kind": "hours_missing", "detail_code": missing}
    assert clock.acts_for == cast.RELATED["W"]
    assert days(again)["right_inactive"] == "2026-05-01"
    reported_late = replace(
        again, placements={cast.PLACEMENT: entitled("active").placements[cast.PLACEMENT]}
    )
    assert the(reported_late, "right_inactive").event == "transition.right_dormant"


def test_an_organiser_that_erased_is_asked_for_no_hours() -> None:
    """Whoever registered the right is told instead; it keeps its data as long as the right."""
    organiser, registrant = cast.RELATED["W"], cast.RELATED["O"]
    case = entitled("active", tuple(one for one in RAN if one != "2025-11"))
    right = replace(case.rights[cast.RIGHT], registrant=registrant)
    case = replace(case, rights={cast.RIGHT: right}, state="closed", holder=None)
    clock = the(replace(case, erased=(organiser,)), "right_inactive")

    assert the(case, "right_inactive").acts_for == organiser
    assert clock.acts_for == registrant
    assert clock.data == {"kind": "hours_missing", "detail_code": "2025-11"}


def test_the_last_month_may_still_be_reported_in_the_next() -> None:
    """No warning on the first day after it; once it is reported the right sleeps at once."""
    case = entitled("active", tuple(one for one in RAN if one < "2026-03"))
    reported = entitled("active", tuple(one for one in RAN if one < "2026-04"))

    assert days(case)["right_inactive"] == "2026-05-01"
    assert the(case, "right_inactive").event == "trajectory.warning_raised"
    assert days(reported)["right_inactive"] == "2026-04-01"


def test_months_in_which_nothing_ran_need_no_report() -> None:
    """A placement that ended in June 2025 is asked about until June."""
    ended = replace(
        entitled("active", ("2025-04", "2025-05", "2025-06")).placements[cast.PLACEMENT],
        ended_on="2025-06-30",
    )
    case = replace(entitled("active"), placements={cast.PLACEMENT: ended})

    assert the(case, "right_inactive").event == "transition.right_dormant"
    none = replace(case, placements={})
    assert the(none, "right_inactive").event == "transition.right_dormant"


def test_a_dormant_right_is_put_before_vdab_at_its_date() -> None:
    """And again while it decides nothing."""
    case = entitled("dormant", lapses_on="2026-05-01")
    again = replace(case, reminded={f"right_lapses/{cast.RIGHT}": sent("2026-05-01")})

    assert days(case)["right_lapses"] == "2026-05-01"
    assert the(case, "right_lapses").acts_for == cast.RELATED["V"]
    assert days(again)["right_lapses"] == "2026-05-31"


@pytest.mark.parametrize("state", ["refused", "lapsed", "closed"])
def test_a_right_that_is_over_has_no_clock(state: str) -> None:
    """Nothing is decided on any more."""
    assert not [one for one in days(entitled(state)) if one.startswith("right_")]


def test_a_right_outlives_its_closed_case() -> None:
    """An active right does not hold a case open, and still falls asleep."""
    case = replace(entitled("active"), state="closed", closed_at=noon("2026-02-01"))

    assert days(case)["right_inactive"] == "2026-04-01"


@pytest.mark.parametrize(("hours", "month"), [("12.50", "2026-04"), ("0.00", "2025-03")])
def test_hours_that_were_worked_keep_a_right_awake(hours: str, month: str) -> None:
    """A report of no hours is a report all the same, but no activity."""
    case = entitled("active", ())
    data = {"assignment_id": cast.ASSIGNMENT, "period": "2026-04", "hours": hours}
    given = cast.submission(
        "placement.hours_reported",
        cast.RELATED["W"],
        data,
        trajectory_id=case.id,
        subject=cast.PLACEMENT,
    )
    outcome = decide(given, cast.context(case))

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    assert outcome.trajectory is not None
    assert outcome.trajectory.rights[cast.RIGHT].last_activity == month
    assert outcome.trajectory.placements[cast.PLACEMENT].reported == ("2026-04",)
