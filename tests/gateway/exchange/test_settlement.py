"""What a clock's event changes, and what an event settles: follow-ups and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from consumers.clock import date_of
from gateway.errors import ClockNotDue
from gateway.exchange.clock import Ground
from gateway.exchange.clocks import first_due
from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, DecidedEvent, Refused
from gateway.exchange.firing import for_clock
from gateway.exchange.state import Sent, Task
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import noon, sent

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

CONTACT = f"contact_overdue/{cast.PLACEMENT}"
TOMORROW = cast.NOW + cast.DAY


def at(now: int, case: Trajectory) -> Any:
    """What the ledger would bring at a time."""
    return replace(cast.context(case), now=now)


def fire(case: Trajectory, now: int) -> Accepted:
    """Send the clock that is due, as the worker does, and insist that it is accepted."""
    clock = first_due(case, Ground(cast.registry(), date_of(now)), now)
    assert clock is not None
    outcome = decide(for_clock(case.id, clock, now).submission, at(now, case))
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return outcome


def send(
    name: str, sender: str, data: dict[str, Any], case: Trajectory, **given: Any
) -> list[DecidedEvent]:
    """Decide one event and insist that it is accepted."""
    sent_by = cast.submission(name, sender, data, trajectory_id=case.id, **given)
    outcome = decide(sent_by, cast.context(case))
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return list(outcome.events)


def after(outcome: Accepted) -> Trajectory:
    """The case as it is left."""
    assert outcome.trajectory is not None
    return outcome.trajectory


def names(events: list[DecidedEvent]) -> list[str]:
    """The names of events."""
    return [one.event.name for one in events]


def silent(state: str = "sent") -> Trajectory:
    """A referral that is sent now and will not be answered."""
    referral = replace(cast.referral(state), since=cast.NOW)
    return cast.case(referrals={cast.REFERRAL: referral}, tasks={}, active_at=cast.NOW)


def guided() -> Trajectory:
    """An active placement whose organiser was told that contact is overdue."""
    placement = replace(
        cast.placement("active"), start_date="2026-04-01", since=noon("2026-04-01"), confirmed=True
    )
    return cast.case(
        referrals={cast.REFERRAL: cast.referral("closed")},
        placements={cast.PLACEMENT: placement},
        tasks={},
        reminded={CONTACT: sent("2026-04-29")},
        holder_told_at=cast.NOW,
    )


def test_a_silent_target_is_reminded_then_escalated_then_expired() -> None:
    """Each step is remembered, and the last leaves the case holder a task (R4)."""
    case, now, found = silent(), cast.NOW, []
    for _ in range(3):
        now += 15 * cast.DAY
        outcome = fire(case, now)
        case = after(outcome)
        found.append([one.event.name for one in outcome.events])

    assert found == [
        ["trajectory.reminder_due"],
        ["trajectory.task_raised"],
        ["referral.expired", "trajectory.task_raised", "trajectory.task_answered"],
    ]
    assert case.referrals[cast.REFERRAL].state == "expired"
    assert [(one.what, one.answered) for one in case.tasks.values()] == [
        ("unanswered_referral", "done"),
        ("expired_referral", None),
    ]


def test_a_reminder_reaches_whoever_has_to_act_and_the_case_holder() -> None:
    """The silent target gets it, and nobody who is not concerned."""
    event = fire(silent(), cast.NOW + 7 * cast.DAY).events[0]
    reached = {one.participant for one in event.recipients if one.excluded is None}

    assert reached == {cast.RELATED["W"], cast.RELATED["V"]}


def test_an_organiser_of_another_placement_is_not_told() -> None:
    """Responsible is who has to act on this referral, not everybody with a placement."""
    case = silent()
    other = replace(
        cast.placement("active"), organiser=cast.STRANGERS["W"], since=cast.NOW, confirmed=True
    )
    case = replace(case, placements={cast.PLACEMENT: other}, holder_told_at=cast.NOW)
    event = fire(case, cast.NOW + 7 * cast.DAY).events[0]
    entitled = {one.participant for one in event.recipients if one.excluded is None}

    assert cast.STRANGERS["W"] not in entitled
    assert cast.RELATED["W"] in entitled


def test_a_clock_that_an_event_overtook_is_refused() -> None:
    """The target answered between the worker's look and the ledger's lock."""
    now = cast.NOW + 7 * cast.DAY
    clock = first_due(silent(), Ground(cast.registry(), date_of(now)), now)
    assert clock is not None
    answered = replace(silent(), referrals={cast.REFERRAL: cast.referral("declined")})
    outcome = decide(for_clock(cast.TRAJECTORY, clock, now).submission, at(now, answered))

    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, ClockNotDue)


def test_a_clock_is_refused_before_its_time() -> None:
    """Whatever a worker with a wrong clock submits."""
    now = cast.NOW + 7 * cast.DAY
    clock = first_due(silent(), Ground(cast.registry(), date_of(now)), now)
    assert clock is not None
    outcome = decide(for_clock(cast.TRAJECTORY, clock, now).submission, at(TOMORROW, silent()))

    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, ClockNotDue)


def test_an_answer_ends_the_task_about_it() -> None:
    """The case holder need not answer what is no longer asked."""
    case = after(fire(after(fire(silent(), cast.NOW + 7 * cast.DAY)), cast.NOW + 15 * cast.DAY))
    events = send("referral.accepted", cast.RELATED["W"], {}, case, subject=cast.REFERRAL)

    assert "trajectory.task_answered" in names(events)
    assert events[-1].data["answer"] == "done"


def task(what: str = "declined_referral", **changes: Any) -> Task:
    """An open task of the OCMW about the referral."""
    made = Task(cast.TASK, what, cast.RELATED["O"], "2026-06-10", concerns=cast.REFERRAL)
    return replace(made, **changes)


def left_behind() -> Trajectory:
    """A case with a task about a referral that was declined."""
    declined = {cast.REFERRAL: cast.referral("declined")}
    return cast.case(referrals=declined, tasks={cast.TASK: task()})


def test_a_new_referral_that_names_its_predecessor_answers_the_task() -> None:
    """One that names none, or another, leaves it open."""
    data = {"programme": "wijk_werken", "reason_codes": ["work_rhythm"]}
    named = {**data, "predecessor_referral_id": cast.REFERRAL}
    answered = send("referral.created", cast.RELATED["V"], named, left_behind())
    unanswered = send("referral.created", cast.RELATED["V"], data, left_behind())

    (answer,) = [one for one in answered if one.event.name == "trajectory.task_answered"]
    assert answer.data == {"task_id": cast.TASK, "answer": "new_referral"}
    assert "trajectory.task_answered" not in names(unanswered)


@pytest.mark.parametrize(
    ("reason", "answer"),
    [("no_further_step_agreed", "no_further_step_agreed"), ("moved", "done")],
)
def test_closing_the_case_answers_its_tasks(reason: str, answer: str) -> None:
    """With the reason of the closure, when that is what was agreed with the person."""
    events = send("trajectory.closed", cast.RELATED["V"], {"reason": reason}, left_behind())

    assert names(events) == ["trajectory.closed", "trajectory.task_answered"]
    assert events[1].data["answer"] == answer


def test_a_case_holder_ends_the_search_for_one() -> None:
    """Who takes the case answers the task to do so."""
    searching = cast.case("unassigned", tasks={cast.TASK: task("assign_case_holder")})
    data = {"holder": cast.urn_of(cast.RELATED["O"]), "contact": {"name": "Testers"}}
    events = send("trajectory.case_holder_assigned", cast.RELATED["O"], data, searching)

    assert names(events)[-1] == "trajectory.task_answered"


def test_a_case_without_holder_is_offered_to_the_other_with_its_history() -> None:
    """VDAB joins, gets what came before, and is proposed with a new date."""
    case = cast.case(
        "unassigned",
        tasks={},
        holder_due="2026-06-11",
        members={cast.RELATED["O"]: "O"},
        active_at=cast.NOW,
    )
    case = replace(case, referrals={cast.REFERRAL: cast.referral("closed")})
    outcome = fire(case, noon("2026-06-11"))

    left = after(outcome)
    assert left.proposed_holder == cast.RELATED["V"]
    assert left.holder_due == "2026-06-18"
    assert cast.RELATED["V"] in outcome.events[0].joined
    (raised,) = left.tasks.values()
    assert (raised.what, raised.addressee) == ("assign_case_holder", cast.RELATED["V"])
    again = after(fire(left, noon("2026-06-18")))
    assert again.proposed_holder == cast.RELATED["O"]
    assert [one.answered for one in again.tasks.values()] == ["done", None]


def test_what_was_due_and_happened_is_said_to_be_done() -> None:
    """A contact settles the reminder about contact, for the organiser and the case holder."""
    data = {"kind": "phone", "on": "2026-05-27"}
    events = send("guidance.contact_recorded", cast.RELATED["W"], data, guided())

    assert names(events) == ["guidance.contact_recorded", "guidance.follow_up_done"]
    assert events[1].data == {
        "what": "contact_overdue",
        "due": "2026-04-29",
        "on": "2026-05-28",
        "concerns": cast.PLACEMENT,
    }
    assert {one.participant for one in events[1].recipients if one.excluded is None} >= {
        cast.RELATED["W"],
        cast.RELATED["V"],
    }


def test_what_was_said_to_be_done_is_not_said_again() -> None:
    """And a late report that still leaves the rhythm broken settles nothing."""
    settled = replace(guided(), reminded={CONTACT: replace(sent("2026-04-29"), settled=True)})
    data = {"kind": "phone", "on": "2026-05-27"}
    old = {"kind": "phone", "on": "2026-04-01"}

    assert names(send("guidance.contact_recorded", cast.RELATED["W"], data, settled)) == [
        "guidance.contact_recorded"
    ]
    assert names(send("guidance.contact_recorded", cast.RELATED["W"], old, guided())) == [
        "guidance.contact_recorded"
    ]


def test_a_start_and_an_end_settle_what_waited_for_them() -> None:
    """A placement that ends has no contact to wait for either."""
    events = send(
        "placement.ended",
        cast.RELATED["W"],
        {"end_date": "2026-05-28", "reason": "goal_reached"},
        guided(),
        subject=cast.PLACEMENT,
    )

    assert names(events) == ["placement.ended", "guidance.follow_up_done"]


def test_an_accepted_referral_without_a_start_ends_as_somebodys_task() -> None:
    """What was planned is cancelled, and the case holder decides how to go on."""
    planned = replace(cast.placement("planned"), start_date="2026-05-01", since=cast.NOW)
    referral = replace(cast.referral("accepted"), since=noon("2026-01-01"))
    reminded = {
        f"no_start/{cast.REFERRAL}": sent("2026-09-28"),
        f"start_overdue/{cast.PLACEMENT}": sent("2026-10-27"),
    }
    case = cast.case(
        referrals={cast.REFERRAL: referral},
        placements={cast.PLACEMENT: planned},
        tasks={},
        reminded=reminded,
    )
    outcome = fire(case, noon("2026-10-28"))

    assert [one.event.name for one in outcome.events] == [
        "referral.closed",
        "placement.cancelled",
        "trajectory.task_raised",
        "guidance.follow_up_done",
    ]
    assert [one.answered for one in after(outcome).tasks.values()] == [None]


def test_the_hubs_own_events_are_no_sign_of_life() -> None:
    """A reminder does not put off the end of a quiet case, nor is it news to the counsellor."""
    case = replace(silent(), holder_told_at=cast.NOW)
    reminded = after(fire(case, cast.NOW + 7 * cast.DAY))

    assert (reminded.active_at, reminded.holder_told_at) == (cast.NOW, cast.NOW)
    assert reminded.reminded[f"referral_half_time/{cast.REFERRAL}"] == Sent(
        due=first_half(), at=cast.NOW + 7 * cast.DAY, told="2026-06-11"
    )


def first_half() -> int:
    """Midnight of the seventh day."""
    clock = first_due(silent(), Ground(cast.registry(), date_of(TOMORROW)), TOMORROW * 2)
    assert clock is not None
    return clock.due_at


def test_news_of_others_reaches_the_counsellor() -> None:
    """An event of the organiser that it may read counts; what it sends itself does not."""
    case = replace(guided(), holder_told_at=1)
    data = {"kind": "phone", "on": "2026-05-27"}

    def told(sender: str) -> int:
        sent_by = cast.submission("guidance.contact_recorded", sender, data, trajectory_id=case.id)
        outcome = decide(sent_by, cast.context(case))
        assert isinstance(outcome, Accepted)
        return after(outcome).holder_told_at

    assert told(cast.RELATED["W"]) == cast.NOW
    assert told(cast.RELATED["V"]) == 1


def start(case: Trajectory) -> Accepted | Refused:
    """The organiser starts the planned placement."""
    data = {"insured": True, "declaration": {"declared": True}}
    given = cast.submission(
        "placement.started",
        cast.RELATED["W"],
        data,
        trajectory_id=case.id,
        subject=cast.PLACEMENT,
    )
    return decide(given, cast.context(case))


def test_nothing_starts_while_nobody_holds_the_case() -> None:
    """And the proposed holder is named as the one to act; the clock goes on."""
    parts: dict[str, Any] = {"placements": {cast.PLACEMENT: cast.placement("planned")}}
    outcome = start(cast.case("unassigned", **parts))

    assert isinstance(outcome, Refused)
    assert outcome.error.facts["rule"] == "no_case_holder"


def test_the_old_holder_stays_responsible_until_the_new_one_has_taken_over() -> None:
    """Work goes on during a hand-over, and what is due then is the old holder's."""
    parts: dict[str, Any] = {
        "placements": {cast.PLACEMENT: cast.placement("planned")},
        "tasks": {},
        "since": cast.NOW,
    }
    case = cast.case("handing_over", **parts)
    started = start(case)
    assert isinstance(started, Accepted), started.error.detail.en
    assert after(started).holder == cast.RELATED["V"]

    silent_offer = replace(silent(), state="handing_over", offered_holder=cast.OFFERED)
    silent_offer = replace(silent_offer, since=cast.NOW)
    names_of = []
    now = cast.NOW
    for _ in range(4):
        now += 7 * cast.DAY
        clock = first_due(silent_offer, Ground(cast.registry(), date_of(now)), now)
        if clock is not None:
            silent_offer = after(fire(silent_offer, now))
            names_of.append((clock.kind, clock.acts_for))
    assert ("handover_expires", cast.RELATED["V"]) in names_of
    assert (silent_offer.state, silent_offer.holder) == ("held", cast.RELATED["V"])
    assert silent_offer.offered_holder is None


def test_whoever_takes_a_case_over_takes_its_tasks_over() -> None:
    """The former holder could not answer them any more; tasks of others stay theirs."""
    own, others = task(addressee=cast.RELATED["V"]), task(id=cast.FRESH)
    case = replace(left_behind(), state="handing_over", offered_holder=cast.OFFERED)
    case = replace(case, tasks={cast.TASK: own, cast.FRESH: others})
    data = {"from": cast.urn_of(cast.RELATED["V"]), "to": cast.urn_of(cast.OFFERED)}
    given = cast.submission(
        "trajectory.case_holder_changed", cast.OFFERED, data, trajectory_id=case.id
    )
    outcome = decide(given, cast.context(case))

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    addressees = [one.addressee for one in after(outcome).tasks.values()]
    assert addressees == [cast.OFFERED, cast.RELATED["O"]]


def test_a_task_about_a_person_waits_for_its_own_answer() -> None:
    """That a referral goes on says nothing about whether two people are one."""
    case = silent()
    case = replace(case, tasks={cast.TASK: task("possible_same_person")})
    events = send("referral.accepted", cast.RELATED["W"], {}, case, subject=cast.REFERRAL)

    assert names(events) == ["referral.accepted"]


def test_a_case_that_nobody_takes_is_offered_on_and_closed_after_a_year() -> None:
    """OCMW and VDAB are asked by turns; one task is open, one kept answered, and then it ends."""
    case = cast.case(
        "unassigned",
        tasks={},
        holder_due="2026-06-11",
        members={cast.RELATED["O"]: "O"},
        active_at=cast.NOW,
        referrals={cast.REFERRAL: cast.referral("closed")},
    )
    now, asked, most = cast.NOW, [], 0
    while case.state != "closed":
        now += cast.DAY
        assert now < cast.NOW + 400 * cast.DAY
        while (clock := first_due(case, Ground(cast.registry(), date_of(now)), now)) is not None:
            asked.append(clock.acts_for)
            case = after(fire(case, now))
            most = max(most, len(case.tasks))

    assert date_of(now).isoformat() == "2027-05-28"
    assert asked[:4] == [cast.RELATED[role] for role in "VOVO"]
    assert most == 2
    assert all(one.answered for one in case.tasks.values())
