"""The life of an acquired right: who may do what to it, when, and what that makes follow (R10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange import rights
from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Refused
from gateway.exchange.state import Report, Right
from gateway.exchange.subject_state import HeldRight, Subject, Work
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import day

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

TODAY = cast.TODAY.isoformat()
V, W = cast.RELATED["V"], cast.RELATED["W"]
CLAIM = {
    "basis": "pwa_agreement_2017_09_30",
    "source_org": cast.urn_of(W),
    "last_activity_month": "2026-04",
    "hours_cap_month": 60,
}
DECISION = {"on": TODAY, "appeal_info": "Beroep bij de arbeidsrechtbank."}


def entitled(state: str, state_of_case: str = "held", **fields: Any) -> Trajectory:
    """A case with a right, an active placement, and nothing else to do."""
    given = {"basis": CLAIM["basis"], "service": V, "hours_cap_month": 60, **fields}
    right = replace(Right(cast.RIGHT, state, 1, W), **given)
    return cast.case(
        state_of_case,
        referrals={cast.REFERRAL: cast.referral("closed")},
        placements={cast.PLACEMENT: replace(cast.placement("active"), start_date="2025-01-15")},
        rights={cast.RIGHT: right},
        tasks={},
    )


def asleep(**fields: Any) -> Trajectory:
    """A right without work since March 2025, asleep since the first of April."""
    activity = {"claimed_activity": "2025-03", "last_activity": "2025-03"}
    since = {"since": cast.NOW - 57 * cast.DAY, "lapses_on": "2026-05-01"}
    return entitled("dormant", verified=True, **{**activity, **since, **fields})


def attempt(
    name: str,
    case: Trajectory,
    data: dict[str, Any],
    sender: str = V,
    person: Subject | None = None,
    **given: Any,
) -> Accepted | Refused:
    """Decide one event about the right."""
    given.setdefault("subject", cast.RIGHT)
    sent = cast.submission(name, sender, data, trajectory_id=case.id, **given)
    return decide(sent, replace(cast.context(case), subject=person))


def send(name: str, case: Trajectory, data: dict[str, Any], *args: Any, **given: Any) -> Accepted:
    """Decide one event and insist that it is accepted."""
    outcome = attempt(name, case, data, *args, **given)
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return outcome


def rule_of(outcome: Accepted | Refused) -> str:
    """The rule that refused; empty when none did."""
    return str(outcome.error.facts["rule"]) if isinstance(outcome, Refused) else ""


def right_after(outcome: Accepted) -> Right:
    """The right as it is left."""
    assert outcome.trajectory is not None
    (right,) = outcome.trajectory.rights.values()
    return right


def names(outcome: Accepted) -> list[str]:
    """The names of the events."""
    return [one.event.name for one in outcome.events]


def open_tasks(outcome: Accepted) -> list[tuple[str, str]]:
    """What is left to do, and for whom."""
    assert outcome.trajectory is not None
    tasks = outcome.trajectory.tasks.values()
    return [(one.what, one.addressee) for one in tasks if one.answered is None]


@pytest.mark.parametrize("sender", [W, cast.RELATED["O"], V])
def test_organiser_ocmw_and_vdab_register_a_right(sender: str) -> None:
    """The state keeps what the rules read, and VDAB is a member who verifies."""
    outcome = send(
        "transition.right_registered",
        cast.case(holder=cast.RELATED["O"]),
        CLAIM,
        sender,
        subject=None,
    )
    right = right_after(outcome)

    assert (right.state, right.registrant, right.service) == ("claimed", sender, V)
    assert (right.basis, right.last_activity) == (CLAIM["basis"], "2026-04")
    assert right.hours_cap_month == 60
    assert outcome.trajectory is not None
    assert outcome.trajectory.members[V] == "V"
    assert outcome.trajectory.viewers == (cast.RELATED["T"],)
    assert outcome.subject is not None
    assert outcome.subject.rights == {right.id: HeldRight(cast.TRAJECTORY, right)}


def test_vdab_joins_by_a_registered_right_and_gets_the_history() -> None:
    """It has to verify, so it has to know."""
    case = cast.case(holder=cast.RELATED["O"], viewers=(), tasks={})
    outcome = send("transition.right_registered", case, CLAIM, W, subject=None)

    assert outcome.events[0].joined == (V,)
    reached = {one.participant for one in outcome.events[0].recipients if one.excluded is None}
    assert V in reached


def test_a_right_is_registered_once() -> None:
    """A second one of the same basis would count as claimed although VDAB refused the first."""
    again = attempt("transition.right_registered", entitled("refused"), CLAIM, W, subject=None)
    future = {**CLAIM, "last_activity_month": "2026-06"}
    ahead = attempt("transition.right_registered", cast.case(), future, W, subject=None)

    assert rule_of(again) == "right_exists"
    assert rule_of(ahead) == "month_in_future"


def test_vdab_verifies() -> None:
    """From then on the right counts as what it is."""
    data = {"on": TODAY, "evidence": "pwa_agreement"}
    right = right_after(send("transition.right_verified", entitled("claimed"), data))

    assert (right.state, right.verified) == ("active", True)


def test_vdab_refuses_with_the_way_to_appeal() -> None:
    """It never was one."""
    data = {**DECISION, "ground": "no_agreement_found"}
    right = right_after(send("transition.right_refused", entitled("claimed"), data))

    assert (right.state, right.ends_on) == ("refused", TODAY)


@pytest.mark.parametrize(
    ("name", "state", "ground"),
    [
        ("transition.right_refused", "claimed", "other"),
        ("transition.right_lapsed", "active", "no_activity_12m"),
        ("transition.right_closed", "active", "pension"),
        ("transition.right_revived", "dormant", "activity_resumed"),
        ("transition.right_reinstated", "lapsed", "error"),
    ],
)
def test_a_decision_is_not_of_tomorrow(name: str, state: str, ground: str) -> None:
    """And not even VDAB may take one of them back before it took it."""
    data = {**DECISION, "ground": ground, "on": "2026-05-29"}

    assert rule_of(attempt(name, entitled(state), data)) == "decision_in_future"


def test_a_dormant_right_is_told_to_the_person_by_its_case_holder() -> None:
    """The task says which right, and VDAB reads the event as well."""
    data = {"last_activity_month": "2025-04", "lapses_on": "2026-06-27"}
    case = replace(
        entitled("active", claimed_activity="2025-04", last_activity="2025-04"),
        holder=cast.RELATED["O"],
    )
    outcome = send("transition.right_dormant", case, data, HUB)

    assert right_after(outcome).lapses_on == "2026-06-27"
    assert names(outcome) == ["transition.right_dormant", "trajectory.task_raised"]
    assert outcome.events[1].data["concerns"] == cast.RIGHT
    assert open_tasks(outcome) == [("right_dormant", cast.RELATED["O"])]
    reached = {one.participant for one in outcome.events[0].recipients if one.excluded is None}
    assert {V, cast.RELATED["O"], W} <= reached


def test_a_right_that_sleeps_in_a_closed_case_is_recalled_to_vdab() -> None:
    """A closed case takes no task."""
    data = {"last_activity_month": "2025-04", "lapses_on": "2026-06-27"}
    outcome = send("transition.right_dormant", entitled("active", "closed"), data, HUB)

    assert names(outcome) == ["transition.right_dormant", "trajectory.reminder_due"]
    assert outcome.events[1].data["what"] == "right_lapses"
    assert V in {one.participant for one in outcome.events[1].recipients if one.excluded is None}


def test_hours_of_another_case_wake_a_right_at_once() -> None:
    """What the hub knows of the person counts, wherever it was reported."""
    work = Work(cast.FRESH, "another", "wijk_werken", W, "active", {"2026-02": 1000})
    person = Subject("subject-1", 0, work={cast.FRESH: work})
    data = {"last_activity_month": "2025-04", "lapses_on": "2026-06-27"}
    outcome = send("transition.right_dormant", entitled("active"), data, HUB, person)

    assert names(outcome) == ["transition.right_dormant", "transition.right_revived"]
    right = right_after(outcome)
    assert (right.state, right.last_activity, right.lapses_on) == ("active", "2026-02", None)
    assert open_tasks(outcome) == []


def report(case: Trajectory, period: str, hours: str = "12.00", **given: Any) -> Accepted:
    """The organiser reports a month."""
    data = {"assignment_id": cast.ASSIGNMENT, "period": period, "hours": hours}
    return send("placement.hours_reported", case, {**data, **given}, W, subject=cast.PLACEMENT)


@pytest.mark.parametrize(
    ("period", "ground"), [("2026-04", "activity_resumed"), ("2026-02", "hours_reported_late")]
)
def test_hours_revive_a_dormant_right(period: str, ground: str) -> None:
    """Worked since, or reported late: the person no longer has to be told."""
    outcome = report(asleep(), period)
    (revived,) = [one for one in outcome.events if one.event.name == "transition.right_revived"]

    assert revived.data == {"on": TODAY, "ground": ground}
    assert right_after(outcome).state == "active"
    assert right_after(outcome).last_activity == period


def test_a_report_of_no_hours_wakes_nothing() -> None:
    """It says that the person did not work."""
    assert right_after(report(asleep(), "2026-04", "0.00")).state == "dormant"


def test_hours_answer_the_task_to_tell_the_person() -> None:
    """Nobody is told of a right that is awake again."""
    data = {"last_activity_month": "2025-03", "lapses_on": "2026-06-27"}
    active = entitled("active", claimed_activity="2025-03", last_activity="2025-03")
    slept = send("transition.right_dormant", active, data, HUB).trajectory
    assert slept is not None
    outcome = report(slept, "2026-04")

    assert names(outcome)[-1] == "trajectory.task_answered"
    assert open_tasks(outcome) == []


def test_hours_that_are_taken_back_were_no_activity() -> None:
    """A correction to nothing leaves the month that was registered."""
    case = entitled("active", claimed_activity="2025-09", last_activity="2026-04")
    placement = case.placements[cast.PLACEMENT]
    assignment = placement.assignments[cast.ASSIGNMENT]
    reports = {"2026-04": Report(cast.FRESH, 1200)}
    held = {cast.ASSIGNMENT: replace(assignment, reports=reports)}
    case = replace(case, placements={cast.PLACEMENT: replace(placement, assignments=held)})
    outcome = report(case, "2026-04", "0.00", correction_of=cast.FRESH)

    assert right_after(outcome).last_activity == "2025-09"


def test_hours_on_another_case_wake_a_dormant_right_by_an_errand() -> None:
    """The case with the right is under another lock: the hub goes there next."""
    held = HeldRight("elsewhere", replace(asleep().rights[cast.RIGHT], id=cast.FRESH))
    person = Subject("subject-1", 0, rights={cast.FRESH: held})
    case = replace(entitled("active"), rights={})
    data = {"assignment_id": cast.ASSIGNMENT, "period": "2026-04", "hours": "12.00"}
    outcome = send("placement.hours_reported", case, data, W, person, subject=cast.PLACEMENT)
    (errand,) = outcome.errands

    assert (errand.name, errand.target_id) == ("transition.right_revived", "elsewhere")
    assert errand.aggregate_id == cast.FRESH
    assert errand.data == {"on": TODAY, "ground": "activity_resumed"}


def test_a_lapse_takes_effect_after_its_notice() -> None:
    """Thirty days from the day on which the hub hears of it, whatever day the decision bears."""
    data = {**DECISION, "ground": "no_activity_12m", "on": "2026-03-01"}
    right = right_after(send("transition.right_lapsed", asleep(), data))
    rules = cast.registry().rules.rule_set("wijk_werken", cast.TODAY)

    assert (right.state, right.ends_on) == ("lapsed", "2026-06-27")
    assert rights.standing([right], rules, day("2026-06-26")) == "verified"
    assert rights.standing([right], rules, day("2026-06-27")) == "none"


@pytest.mark.parametrize(
    ("case", "ground", "rule"),
    [
        (asleep(), "pension", "not_a_lapse"),
        (asleep(lapses_on="2026-05-29"), "no_activity_12m", "lapse_too_early"),
        (entitled("active", last_activity="2025-05"), "no_activity_12m", "still_active"),
        (
            entitled("active", last_activity="2025-03", kept_from="2026-01"),
            "no_activity_12m",
            "still_active",
        ),
    ],
)
def test_a_lapse_has_one_ground_and_its_time(case: Trajectory, ground: str, rule: str) -> None:
    """Want of activity for as many months as the rules say, after the person could be told."""
    data = {**DECISION, "ground": ground}

    assert rule_of(attempt("transition.right_lapsed", case, data)) == rule


def test_a_lapse_over_missing_hours_warns_vdab() -> None:
    """Silence of an organiser is no inactivity of the person."""
    data = {**DECISION, "ground": "no_activity_12m"}
    outcome = send("transition.right_lapsed", asleep(), data)

    assert [one.code for one in outcome.warnings] == ["hours_missing"]


@pytest.mark.parametrize("state", ["claimed", "active", "dormant"])
@pytest.mark.parametrize("ground", ["pension", "regular_work", "moved", "deceased", "renounced"])
def test_a_right_is_closed_on_every_other_ground(state: str, ground: str) -> None:
    """From the day that VDAB names."""
    data = {**DECISION, "ground": ground, "on": "2026-05-20"}
    right = right_after(send("transition.right_closed", entitled(state), data))

    assert (right.state, right.ends_on) == ("closed", "2026-05-20")


def test_want_of_activity_closes_no_right() -> None:
    """It lapses, with notice."""
    data = {**DECISION, "ground": "no_activity_12m"}

    assert rule_of(attempt("transition.right_closed", entitled("active"), data)) == "is_a_lapse"


@pytest.mark.parametrize("state", ["refused", "lapsed", "closed"])
@pytest.mark.parametrize("ground", ["error", "appeal"])
def test_vdab_reinstates_what_was_wrong(state: str, ground: str) -> None:
    """As if it had never ended, and a year counts anew."""
    case = entitled(state, ends_on="2026-05-01", last_activity="2025-03")
    data = {"on": TODAY, "ground": ground}
    right = right_after(send("transition.right_reinstated", case, data))
    rules = cast.registry().rules.rule_set("wijk_werken", cast.TODAY)

    assert (right.state, right.ends_on, right.kept_from) == ("active", None, "2026-05")
    assert rights.standing([right], rules, day("2026-05-10")) == "verified"


def test_reinstating_has_its_grounds() -> None:
    """Work that was resumed is no reason: it would be a new right."""
    data = {"on": TODAY, "ground": "activity_resumed"}
    outcome = attempt("transition.right_reinstated", entitled("lapsed"), data)

    assert rule_of(outcome) == "not_a_reinstatement"


def test_late_hours_put_a_lapse_in_doubt() -> None:
    """VDAB gets a task; reinstating answers it."""
    case = asleep()
    lapsed = replace(case.rights[cast.RIGHT], state="lapsed", ends_on="2026-06-01")
    outcome = report(replace(case, rights={cast.RIGHT: lapsed}), "2026-01")
    assert open_tasks(outcome) == [("right_lapse_in_doubt", V)]

    left = outcome.trajectory
    assert left is not None
    data = {"on": TODAY, "ground": "error"}
    reinstated = send("transition.right_reinstated", left, data, person=outcome.subject)
    assert names(reinstated) == ["transition.right_reinstated", "trajectory.task_answered"]
    assert open_tasks(reinstated) == []
    assert right_after(reinstated).last_activity == "2026-01"


def test_an_active_right_does_not_hold_a_case_open() -> None:
    """The case closes, and the right goes on."""
    case = entitled("active")
    case = replace(case, placements={cast.PLACEMENT: cast.placement("ended")})
    outcome = send("trajectory.closed", case, {"reason": "goal_reached"}, subject=None)

    assert outcome.trajectory is not None
    assert outcome.trajectory.state == "closed"
    assert right_after(outcome).state == "active"


def test_the_cap_of_a_right_that_counts_is_the_persons_own() -> None:
    """Registered with 45 hours a month, 50 are flagged although the programme allows 60."""
    case = entitled("active", hours_cap_month=45)
    outcome = report(case, "2026-04", "50.00")

    assert "rule_breach" in [one.code for one in outcome.warnings]
    assert "rule_breach" not in [
        one.code for one in report(entitled("active"), "2026-04", "50.00").warnings
    ]


def test_an_unlimited_right_is_extended_again_and_again() -> None:
    """A third extension is refused to others, and no end is asked of the planning."""
    data = {"new_end": "2027-12-31", "motive": "other", "extension_no": 3}
    given = {"planned_end": "2026-06-30", "extensions": 2}
    with_right, lapsed = entitled("active"), entitled("lapsed", verified=True, ends_on="2024-12-01")
    results = []
    for case in (with_right, lapsed):
        placement = replace(case.placements[cast.PLACEMENT], **given)
        known = replace(case, placements={cast.PLACEMENT: placement})
        results.append(
            rule_of(attempt("placement.extended", known, data, W, subject=cast.PLACEMENT))
        )

    assert results == ["", "extended_too_often"]
