"""Nobody falls out: what a referral without an answer, or without a start, leads to and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.business_days import start_of
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import day, days, is_due, noon, sent, the

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

HALF, FULL, EXPIRES = "referral_half_time", "unanswered_referral", "referral_expires"


def waiting(state: str = "sent", since: str = "2026-03-20", **changes: Any) -> Trajectory:
    """A case whose referral came into its state on a day."""
    reminded = changes.pop("reminded", {})
    referral = replace(cast.referral(state), since=noon(since), **changes)
    keys = {f"{kind}/{cast.REFERRAL}": one for kind, one in reminded.items()}
    return cast.case(referrals={cast.REFERRAL: referral}, reminded=keys, tasks={})


@pytest.mark.parametrize(
    ("state", "responsible"),
    [
        ("pending_endorsement", cast.RELATED["O"]),
        ("open", cast.RELATED["V"]),
        ("sent", cast.RELATED["W"]),
        ("acknowledged", cast.RELATED["W"]),
        ("waiting_info", cast.RELATED["P"]),
    ],
)
def test_half_time_reminds_whoever_has_the_next_step(state: str, responsible: str) -> None:
    """After seven days, whatever the wait is for; an open one reminds the case holder."""
    case = waiting(state)

    assert days(case)[HALF] == "2026-03-27"
    assert the(case, HALF).acts_for == responsible
    assert the(case, HALF).data == {
        "what": "referral_half_time",
        "due": "2026-04-03",
        "concerns": cast.REFERRAL,
    }


def test_half_time_begins_at_midnight_in_brussels() -> None:
    """Not a microsecond before, also when summer time begins in between."""
    case = waiting(since="2026-03-24")
    midnight = start_of(day("2026-03-31"))

    assert not is_due(case, HALF, midnight - 1)
    assert is_due(case, HALF, midnight)


def test_nothing_escalates_before_the_reminder_was_sent() -> None:
    """The task at full time waits for the reminder, however late it is."""
    assert FULL not in days(waiting())
    reminded = waiting(reminded={HALF: sent("2026-03-27")})
    assert days(reminded)[FULL] == "2026-04-03"
    assert not is_due(reminded, FULL, start_of(day("2026-04-03")) - 1)
    assert is_due(reminded, FULL, start_of(day("2026-04-03")))


def test_the_task_goes_to_the_case_holder_and_has_fourteen_days() -> None:
    """Counted from the day on which it is really sent."""
    case = waiting(reminded={HALF: sent("2026-03-27")})

    task = the(case, FULL, today="2026-04-10")
    assert task.event == "trajectory.task_raised"
    assert task.acts_for == cast.RELATED["V"]
    assert task.data["addressee"] == cast.urn_of(cast.RELATED["V"])
    assert task.data["due"] == "2026-04-24"
    assert task.data["task_id"] == the(case, FULL).data["task_id"]


def test_it_expires_fourteen_days_after_the_task_and_not_before_both() -> None:
    """A hub that was away raised the task late: the target still gets its fourteen days."""
    in_time = {HALF: sent("2026-03-27"), FULL: sent("2026-04-03")}
    late = {HALF: sent("2026-03-27", "2026-05-01"), FULL: sent("2026-04-03", "2026-05-01")}

    assert EXPIRES not in days(waiting(reminded={FULL: sent("2026-04-03")}))
    assert EXPIRES not in days(waiting(reminded={HALF: sent("2026-03-27")}))
    assert days(waiting(reminded=in_time)) == {EXPIRES: "2026-04-17"}
    assert days(waiting(reminded=late)) == {EXPIRES: "2026-05-15"}


@pytest.mark.parametrize(
    ("state", "reason"),
    [("pending_endorsement", "no_endorsement"), ("open", "no_claim"), ("sent", "no_answer")],
)
def test_an_expiry_says_what_was_missing(state: str, reason: str) -> None:
    """The reason follows from the state, and the referrer is told."""
    case = waiting(state, reminded={HALF: sent("2026-03-27"), FULL: sent("2026-04-03")})

    expires = the(case, EXPIRES)
    assert (expires.event, expires.data["reason"]) == ("referral.expired", reason)
    assert (expires.acts_for, expires.subject) == (cast.RELATED["P"], cast.REFERRAL)


def test_a_step_begins_the_wait_anew() -> None:
    """What was sent for an earlier wait says nothing about this one."""
    reminded = {HALF: sent("2026-03-27"), FULL: sent("2026-04-03")}
    case = waiting("acknowledged", since="2026-04-04", reminded=reminded)

    assert days(case) == {HALF: "2026-04-11"}


def test_an_end_that_the_referrer_set_comes_sooner() -> None:
    """Half and full time shrink with it, and the expiry says so."""
    case = waiting(expires_on="2026-03-26", reminded={HALF: sent("2026-03-23")})
    both = {HALF: sent("2026-03-23"), FULL: sent("2026-03-26")}

    assert days(waiting(expires_on="2026-03-26"))[HALF] == "2026-03-23"
    assert days(case)[FULL] == "2026-03-26"
    expiring = waiting(expires_on="2026-03-26", reminded=both)
    assert days(expiring) == {EXPIRES: "2026-04-09"}
    assert the(expiring, EXPIRES).data["reason"] == "expiry_date_passed"


def test_accepted_without_a_start_is_recalled_every_thirty_days_and_closed_after_180() -> None:
    """Five reminders, and on the 180th day the end instead of a sixth."""
    case = waiting("accepted", since="2026-01-01")
    found = []
    while (due := days(case)).get("no_start") is not None:
        found.append(due["no_start"])
        case = replace(case, reminded={f"no_start/{cast.REFERRAL}": sent(due["no_start"])})

    assert found == ["2026-01-31", "2026-03-02", "2026-04-01", "2026-05-01", "2026-05-31"]
    assert days(case) == {"no_start_closes": "2026-06-30"}
    assert the(case, "no_start_closes").data == {"result": "not_placed", "reason": "no_start"}


def test_a_planned_start_suspends_the_wait() -> None:
    """Both are counted from the day on which it is to start; a cancelled one counts no more."""
    planned = replace(cast.placement("planned"), start_date="2026-09-01")
    case = replace(waiting("accepted", since="2026-01-01"), placements={cast.PLACEMENT: planned})

    assert days(case)["no_start"] == "2026-10-01"
    assert days(case)["no_start_closes"] == "2027-02-28"
    cancelled = replace(case, placements={cast.PLACEMENT: cast.placement("cancelled")})
    assert days(cancelled)["no_start"] == "2026-01-31"


@pytest.mark.parametrize("state", ["declined", "redirected", "withdrawn", "expired", "voided"])
def test_a_final_referral_has_no_clock(state: str) -> None:
    """Nothing of it is waited for; the task that it left has a clock of its own."""
    assert not {HALF, FULL, EXPIRES, "no_start"} & set(days(waiting(state)))
