"""Guidance: what is expected of a placement, by which day, and again until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.business_days import start_of
from gateway.exchange.state import Outcome
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import day, days, is_due, noon, sent, the

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory


def placed(state: str = "active", case: dict[str, Any] | None = None, **changes: Any) -> Trajectory:
    """A case with one placement that began on Monday 5 January 2026."""
    given = {"start_date": "2026-01-05", "since": noon("2026-01-05"), "confirmed": True}
    given |= {"planned_end": None, **changes}
    placement = replace(cast.placement(state), **given)
    whole = cast.case(
        referrals={cast.REFERRAL: cast.referral("closed")},
        placements={cast.PLACEMENT: placement},
        tasks={},
    )
    return replace(whole, **{"holder_told_at": noon("2026-01-05"), **(case or {})})


@pytest.mark.parametrize(
    ("case", "what", "due", "overdue_days"),
    [
        (placed("planned"), "start_overdue", "2026-01-08", 3),
        (placed(confirmed=False, hosted=True), "start_unconfirmed", "2026-01-12", 7),
        (placed(planned_end="2026-07-04"), "planned_end_near", "2026-06-04", 0),
        (placed(planned_end="2026-07-04"), "planned_end_passed", "2026-07-05", 1),
        (placed(planned_end="2026-01-20"), "planned_end_near", "2026-01-05", 0),
        (placed("suspended", expected_until="2026-03-28"), "suspension_expired", "2026-03-29", 1),
        (placed("ended", ended_on="2026-03-20"), "outcome_missing", "2026-04-03", 14),
        (placed(), "contact_overdue", "2026-02-02", 0),
        (placed(), "counsellor_silent", "2026-03-02", 0),
        (placed(), "evaluation_due", "2026-07-05", 0),
    ],
)
def test_a_follow_up_is_due_on_its_day(
    case: Trajectory, what: str, due: str, overdue_days: int
) -> None:
    """Not the day before; it tells the organiser what, about what, and since when."""
    clock = the(case, what)
    alone = replace(case, reminded={})

    assert clock.due_at == start_of(day(due))
    assert not is_due(alone, what, clock.due_at - 1)
    assert clock.event == "guidance.follow_up_due"
    assert clock.acts_for == cast.RELATED["W"]
    assert (clock.data["what"], clock.data["concerns"]) == (what, cast.PLACEMENT)
    assert clock.data["overdue_days"] == overdue_days


def test_a_follow_up_may_be_sent_from_midnight_on() -> None:
    """On the day on which summer time begins as on any other."""
    case = placed("suspended", expected_until="2026-03-28")
    midnight = start_of(day("2026-03-29"))

    assert not is_due(case, "suspension_expired", midnight - 1)
    assert is_due(case, "suspension_expired", midnight)


def test_a_household_confirms_no_start() -> None:
    """Its own coach stands in for a host."""
    assert "start_unconfirmed" not in days(placed(confirmed=False, hosted=False))


def test_contact_and_news_begin_the_rhythm_anew() -> None:
    """Four weeks after the last contact, eight after the counsellor last heard something."""
    case = placed(case={"last_contact_on": "2026-01-31", "holder_told_at": noon("2026-02-10")})

    assert days(case)["contact_overdue"] == "2026-02-28"
    assert days(case)["counsellor_silent"] == "2026-04-07"


def test_what_stays_undone_is_recalled_in_its_rhythm() -> None:
    """Each time once, also over the end of summer time."""
    key = f"contact_overdue/{cast.PLACEMENT}"
    once = placed(case={"reminded": {key: sent("2026-02-02")}})
    late = placed(case={"reminded": {key: sent("2026-10-12")}})

    assert days(once)["contact_overdue"] == "2026-03-02"
    assert days(late)["contact_overdue"] == "2026-11-09"


def test_evaluations_come_every_six_months_and_end_with_the_month() -> None:
    """Counted from the start or the last evaluation; 31 August is followed by 28 February."""
    key = f"evaluation_due/{cast.PLACEMENT}"
    first = placed(start_date="2025-08-31", since=noon("2025-08-31"))
    again = replace(first, reminded={key: sent("2026-02-28")})
    done = replace(first, last_evaluation_on="2026-03-10")

    assert days(first)["evaluation_due"] == "2026-02-28"
    assert days(again)["evaluation_due"] == "2026-08-31"
    assert days(done)["evaluation_due"] == "2026-09-10"


def test_a_programme_without_evaluations_asks_none() -> None:
    """What its rules do not set is not checked."""
    assert "evaluation_due" not in days(placed(programme="vrijwilligerswerk"))


def test_a_rescheduled_placement_moves_its_clock() -> None:
    """Counted from the new date, and sent again when the first one was."""
    key = f"start_overdue/{cast.PLACEMENT}"
    moved = placed("planned", start_date="2026-02-02", case={"reminded": {key: sent("2026-01-08")}})

    assert days(moved)["start_overdue"] == "2026-02-05"


def test_a_suspension_pauses_contact_and_is_itself_asked_about() -> None:
    """Without an expected day after eight weeks, and then every eight weeks."""
    case = placed("suspended")
    key = f"suspension_expired/{cast.PLACEMENT}"

    assert days(case) == {"suspension_expired": "2026-03-03"}
    again = replace(case, reminded={key: sent("2026-03-03")})
    assert days(again) == {"suspension_expired": "2026-04-28"}


def test_an_outcome_is_missed_no_more_once_there_is_one() -> None:
    """A voided one is none."""
    ended = placed("ended", ended_on="2026-03-20")
    for state, missing in (("provisional", False), ("confirmed", False), ("voided", True)):
        outcome = Outcome(cast.OUTCOME, state, 1, cast.RELATED["W"], cast.PLACEMENT)
        case = replace(ended, outcomes={cast.OUTCOME: outcome})
        assert ("outcome_missing" in days(case)) is missing


@pytest.mark.parametrize("state", ["cancelled", "voided"])
def test_a_placement_that_is_over_has_no_clock(state: str) -> None:
    """Nothing is expected of it."""
    assert set(days(placed(state))) <= {"trajectory_inactive"}
