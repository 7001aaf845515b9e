"""A case always has somebody, and a next date: holder, hand-over, tasks and end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange.state import Outcome, Task, Viewing
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import days, noon, sent, the

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory


def quiet(state: str = "held", **changes: Any) -> Trajectory:
    """A case in which nothing is open and nothing happened since 31 August 2025."""
    given = {
        "referrals": {cast.REFERRAL: cast.referral("closed")},
        "tasks": {},
        "active_at": noon("2025-08-31"),
        "since": noon("2025-08-31"),
        "members": {cast.RELATED["O"]: "O", cast.RELATED["V"]: "V"},
        **changes,
    }
    return replace(cast.case(state), **given)


def test_a_case_without_holder_goes_to_the_other_at_its_date() -> None:
    """From the OCMW to VDAB, with five working days, and back again; never to nobody."""
    first = quiet("unassigned", holder_due="2026-05-20")
    clock = the(first, "case_holder_missing", today="2026-05-20")

    assert days(first)["case_holder_missing"] == "2026-05-20"
    assert clock.event == "trajectory.task_raised"
    assert clock.acts_for == cast.RELATED["V"]
    assert clock.data["what"] == "assign_case_holder"
    assert clock.data["due"] == "2026-05-28"
    second = replace(first, proposed_holder=cast.RELATED["V"], holder_due="2026-05-28")
    assert the(second, "case_holder_missing").acts_for == cast.RELATED["O"]


def test_a_case_without_holder_goes_to_nobody_who_had_its_data_erased() -> None:
    """VDAB knows the person no more, so it stays the OCMW's turn."""
    case = quiet("unassigned", holder_due="2026-05-20", erased=(cast.RELATED["V"],))
    clock = the(case, "case_holder_missing", today="2026-05-20")

    assert clock.acts_for == cast.RELATED["O"]
    assert (
        clock.data["addressee"]
        == the(quiet("unassigned", proposed_holder=cast.RELATED["V"]), "case_holder_missing").data[
            "addressee"
        ]
    )


def test_a_viewing_right_that_went_with_the_data_ends_no_more() -> None:
    """Its clock would be refused for ever: nobody has that right."""
    viewing = {cast.RELATED["V"]: Viewing("agreement", "2026-06-01")}
    case = quiet(viewers=(cast.RELATED["V"],), viewing=viewing)

    assert "viewing_ends" in days(case)
    assert "viewing_ends" not in days(replace(case, viewers=()))


def test_a_date_that_nobody_wrote_is_ten_working_days_on() -> None:
    """Counted from when the case came to be without a holder; 1 January is none."""
    case = quiet("unassigned", since=noon("2025-12-24"))

    assert days(case)["case_holder_missing"] == "2026-01-09"


def test_an_unanswered_hand_over_ends_after_ten_working_days() -> None:
    """The offered holder is reminded at half time; the old one keeps the case."""
    case = quiet("handing_over", since=noon("2026-04-02"))

    assert days(case) == {"handover_unanswered": "2026-04-10", "handover_expires": "2026-04-17"}
    assert the(case, "handover_unanswered").acts_for == cast.OFFERED
    expires = the(case, "handover_expires")
    assert (expires.event, expires.data) == (
        "trajectory.handover_declined",
        {"reason": "no_answer"},
    )
    assert expires.acts_for == cast.RELATED["V"]


def test_a_quiet_case_is_recalled_a_month_before_it_closes() -> None:
    """After 17 months a reminder, after 18 the end; unassigned after 11 and 12."""
    assert days(quiet()) == {"trajectory_inactive": "2027-01-31"}
    reminded = quiet(reminded={f"trajectory_inactive/{cast.TRAJECTORY}": sent("2027-01-31")})
    assert days(reminded) == {"trajectory_closes": "2027-02-28"}
    assert the(reminded, "trajectory_closes").data == {"reason": "inactive"}
    unassigned = days(quiet("unassigned"))
    assert unassigned["trajectory_inactive"] == "2026-07-31"


def test_a_late_reminder_still_leaves_a_month() -> None:
    """A hub that was away does not close a case on the day of its reminder."""
    key = f"trajectory_inactive/{cast.TRAJECTORY}"
    case = quiet(reminded={key: sent("2027-01-31", "2027-03-10")})

    assert days(case) == {"trajectory_closes": "2027-04-10"}


def test_something_happening_begins_the_time_anew() -> None:
    """An event after the reminder, and the case goes on for another 18 months."""
    key = f"trajectory_inactive/{cast.TRAJECTORY}"
    case = quiet(reminded={key: sent("2027-01-31")}, active_at=noon("2027-02-10"))

    assert days(case) == {"trajectory_inactive": "2028-07-10"}


def test_what_is_open_keeps_a_case_from_closing() -> None:
    """A referral, a placement and a provisional outcome do; a task that nobody answers does not."""
    outcome = Outcome(cast.OUTCOME, "provisional", 1, cast.RELATED["W"])
    task = Task(cast.TASK, "declined_referral", cast.RELATED["O"], "2026-06-10")
    for case in (
        quiet(referrals={cast.REFERRAL: cast.referral("sent")}),
        quiet(placements={cast.PLACEMENT: cast.placement("planned")}),
        quiet(outcomes={cast.OUTCOME: outcome}),
    ):
        assert "trajectory_inactive" not in days(case)
    assert "trajectory_inactive" in days(quiet(tasks={cast.TASK: task}))


def test_a_task_is_recalled_after_its_date_until_it_is_answered() -> None:
    """On the day after, and every fourteen days; its addressee is told about what."""
    task = Task(
        cast.TASK, "declined_referral", cast.RELATED["O"], "2026-06-10", None, cast.REFERRAL
    )
    case = quiet(tasks={cast.TASK: task})
    again = replace(case, reminded={f"task_overdue/{cast.TASK}": sent("2026-06-11")})

    assert days(case)["task_overdue"] == "2026-06-11"
    assert the(case, "task_overdue").acts_for == cast.RELATED["O"]
    assert the(case, "task_overdue").data["concerns"] == cast.REFERRAL
    assert days(again)["task_overdue"] == "2026-06-25"
    answered = quiet(tasks={cast.TASK: replace(task, answered="done")})
    assert "task_overdue" not in days(answered)


def test_a_closed_or_joined_case_has_no_clock_of_its_own() -> None:
    """Nothing is expected of anybody any more."""
    assert days(quiet("closed", closed_at=noon("2026-01-01"))) == {}
    assert days(quiet("joined")) == {}
