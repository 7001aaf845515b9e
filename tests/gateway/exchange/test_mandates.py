"""A territory goes to another organiser: what is proposed, accepted and done on each file (R11)."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange import registry_moves, rounds
from gateway.exchange.business_days import start_of
from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Context, Refused
from gateway.exchange.registry import Registry
from gateway.exchange.relations import members
from gateway.exchange.state import Former, Outcome, Right, Task
from gateway.exchange.succession import concerns, succeeded
from gateway.exchange.territory_moves import Move
from schemas.codec import encode
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.mandate import Mandate
    from gateway.exchange.state import Trajectory

CHANGED = "transition.organiser_mandate_changed"
ACCEPTED = "transition.organiser_mandate_accepted"
V, G, OLD, NEW = cast.RELATED["V"], cast.RELATED["G"], cast.RELATED["W"], cast.STRANGERS["W"]
EFFECTIVE = "2026-06-01"
PROPOSAL = {
    "from_org": cast.urn_of(OLD),
    "to_org": cast.urn_of(NEW),
    "nis": [cast.NIS],
    "effective": EFFECTIVE,
}


def attempt(
    name: str,
    sender: str,
    data: dict[str, Any],
    known: Mandate | None = None,
    **context: Any,
) -> Accepted | Refused:
    """Decide one event about a mandate."""
    sent = cast.submission(name, sender, data, subject=None if known is None else known.id)
    return decide(sent, replace(cast.context(), mandate=known, **context))


def accept(*args: Any, **context: Any) -> Accepted:
    """Decide one event and insist that it is accepted."""
    outcome = attempt(*args, **context)
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return outcome


def rule_of(outcome: Accepted | Refused) -> str:
    """The rule or leg that refused; empty when none did."""
    if isinstance(outcome, Accepted):
        return ""
    return str(outcome.error.facts.get("rule", outcome.error.facts["leg"]))


@pytest.mark.parametrize("mover", [V, G])
def test_vdab_or_the_municipality_proposes(mover: str) -> None:
    """The hub says how many files would go over, and both organisers hear of it."""
    outcome = accept(CHANGED, mover, PROPOSAL, open_files=lambda giver, nis: len(giver) + len(nis))
    (event,) = outcome.events

    assert event.data == {**PROPOSAL, "open_trajectories": len(OLD) + 1}
    assert encode(event.event, event.data)
    assert outcome.mandate is not None
    assert (outcome.mandate.giver, outcome.mandate.receiver) == (OLD, NEW)
    reached = {one.participant for one in event.recipients if one.excluded is None}
    assert {OLD, NEW} <= reached
    assert not reached & {cast.RELATED["P"], cast.RELATED["H"], mover}
    assert outcome.rounds == ()
    assert event.territory_nis == cast.NIS


def test_several_municipalities_are_of_the_region() -> None:
    """An envelope names one place."""
    gained = Move(date(2026, 1, 1), frozenset({"24062"}), gained=True, other=NEW)
    known = with_moves({V: (gained,), OLD: (gained,)})
    outcome = accept(CHANGED, V, {**PROPOSAL, "nis": [cast.NIS, "24062"]}, registry=known)

    assert outcome.events[0].territory_nis == "02000"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"nis": ["11001"]}, "territory"),
        ({"to_org": cast.urn_of(OLD)}, "same_organiser"),
        ({"to_org": cast.urn_of(V)}, "no_organiser"),
        ({"from_org": "urn:schakel:org:nobody"}, "no_organiser"),
        ({"effective": "2026-05-27"}, "effective_in_past"),
    ],
)
def test_a_proposal_has_to_make_sense(changes: dict[str, Any], rule: str) -> None:
    """Two organisers, a territory of the mover, from today at the earliest."""
    assert rule_of(attempt(CHANGED, V, {**PROPOSAL, **changes})) == rule


def test_only_an_organiser_of_the_territory_can_give_it() -> None:
    """What went to another cannot be given again."""
    gone = registry_moves.moves([cast.mandate("accepted")])
    outcome = attempt(CHANGED, V, PROPOSAL, registry=with_moves(gone))

    assert rule_of(outcome) == "not_the_organiser"
    before = {**PROPOSAL, "effective": "2026-05-31"}
    assert rule_of(attempt(CHANGED, V, before, registry=with_moves(gone))) == ""


def with_moves(moves: dict[str, tuple[Move, ...]]) -> Registry:
    """The registry of the cast after changes of mandate."""
    known = cast.registry()
    participants = [
        changed(one, moves=moves.get(one.id, ())) for one in known.participants.values()
    ]
    return Registry.build(
        version=2,
        environment="test",
        organisations=known.organisations.values(),
        participants=participants,
        agreements=known.agreements.values(),
    )


def test_the_receiver_accepts_and_the_files_go_over_on_the_first_day() -> None:
    """One round for the files, for which the receiver is told; one for the offers."""
    outcome = accept(ACCEPTED, NEW, {"effective": EFFECTIVE}, cast.mandate("proposed"))
    files, offers = outcome.rounds

    assert outcome.mandate is not None
    assert (outcome.mandate.state, outcome.mandate.version) == ("accepted", 2)
    assert (files.kind, files.acts_for, files.due_at) == (
        "files",
        NEW,
        start_of(date(2026, 6, 1)),
    )
    assert (offers.kind, offers.acts_for) == ("offers", OLD)
    assert files.nis == (cast.NIS,)


def test_a_late_acceptance_takes_effect_on_its_day() -> None:
    """The first day has passed: the receiver begins today, not in retrospect."""
    late = replace(cast.mandate("proposed"), effective="2026-05-01")
    outcome = accept(ACCEPTED, NEW, {}, late)

    assert outcome.mandate is not None
    assert outcome.mandate.effective == "2026-05-28"
    assert outcome.rounds[0].due_at == cast.NOW
    assert outcome.rounds[0].data["effective"] == "2026-05-28"


def test_nobody_else_accepts_and_no_other_day() -> None:
    """The receiving organiser, as it was proposed."""
    proposed = cast.mandate("proposed")
    stranger = attempt(ACCEPTED, OLD, {}, proposed)
    other_day = attempt(ACCEPTED, NEW, {"effective": "2026-07-01"}, proposed)

    assert isinstance(stranger, Refused)
    assert stranger.error.facts["leg"] == "lifecycle"
    assert rule_of(other_day) == "effective_differs"


def test_a_refusal_changes_nothing() -> None:
    """It has a reason, and no file moves."""
    data = {"reason": "no_capacity"}
    refused = accept("transition.organiser_mandate_refused", NEW, data, cast.mandate("proposed"))

    assert refused.mandate is not None
    assert refused.mandate.state == "refused"
    assert refused.rounds == ()


def test_an_accepted_mandate_changes_who_serves_what() -> None:
    """From its first day, and only there."""
    moves = registry_moves.moves(
        [
            cast.mandate("accepted"),
            replace(
                cast.mandate("accepted"),
                id=cast.FRESH,
                giver=NEW,
                receiver=OLD,
                effective="2026-09-01",
            ),
        ]
    )
    known = with_moves(moves).participants
    days = [date(2026, 5, 31), date(2026, 6, 1), date(2026, 9, 1)]

    assert [known[OLD].serves(cast.NIS, day) for day in days] == [True, False, True]
    assert [known[NEW].serves(cast.NIS, day) for day in days] == [True, True, False]
    assert known[NEW].serves("24062", days[2])


def running(**parts: Any) -> Trajectory:
    """A case in which the old organiser has a part in everything."""
    return cast.case(
        referrals={cast.REFERRAL: replace(cast.referral("closed"), placement_id=cast.PLACEMENT)},
        placements={cast.PLACEMENT: replace(cast.placement("active"), start_date="2026-01-05")},
        outcomes={cast.OUTCOME: Outcome(cast.OUTCOME, "provisional", 1, OLD, cast.PLACEMENT)},
        rights={cast.RIGHT: Right(cast.RIGHT, "active", 1, OLD, service=V)},
        tasks={cast.TASK: Task(cast.TASK, "offer_withdrawn", OLD, "2026-06-10")},
        **parts,
    )


def move(case: Trajectory, **context: Any) -> Accepted:
    """The errand of one file, as the worker submits it."""
    data = {"from": cast.urn_of(OLD), "to": cast.urn_of(NEW), "effective": EFFECTIVE}
    sent = cast.submission(
        "trajectory.organiser_changed", HUB, data, trajectory_id=case.id, on_behalf_of=NEW
    )
    outcome = decide(sent, replace(cast.context(case), now=start_of(date(2026, 6, 1)), **context))
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return outcome


def after(outcome: Accepted) -> Trajectory:
    """The case as it is left."""
    assert outcome.trajectory is not None
    return outcome.trajectory


def test_the_successor_plays_every_part_of_the_former_organiser() -> None:
    """Creator, recorder, organiser and addressee, under the same ids; the person's record too."""
    outcome = move(running())
    case = after(outcome)

    assert case.referrals[cast.REFERRAL].handler == NEW
    assert case.placements[cast.PLACEMENT].organiser == NEW
    assert case.placements[cast.PLACEMENT].former == (Former(OLD, EFFECTIVE),)
    assert case.outcomes[cast.OUTCOME].recorder == NEW
    assert case.rights[cast.RIGHT].registrant == NEW
    assert case.tasks[cast.TASK].addressee == NEW
    assert case.version == running().version + 1
    assert OLD not in parties(case)
    assert outcome.subject is not None
    assert outcome.subject.work[cast.PLACEMENT].organiser == NEW
    assert outcome.subject.rights[cast.RIGHT].right.registrant == NEW


def parties(case: Trajectory) -> set[str]:
    """Who has a part in a case."""
    return set(members(case))


def test_the_successor_gets_the_history_and_the_old_organiser_the_news() -> None:
    """The one joins by this event; the other hears of it as the last one."""
    (event,) = move(running()).events
    reached = {one.participant for one in event.recipients if one.excluded is None}

    assert event.joined == (NEW,)
    assert {NEW, OLD, V, cast.RELATED["H"]} <= reached
    assert event.caused_by == NEW
    following = report(after(move(running())), NEW, "2026-06")
    assert OLD not in {one.participant for one in following.events[0].recipients}


def test_what_ended_without_a_placement_stays_where_it_was() -> None:
    """Whoever declined hands nothing on: the successor has no business with that person."""
    declined = cast.case(referrals={cast.REFERRAL: cast.referral("declined")}, tasks={})
    cancelled = replace(declined, placements={cast.PLACEMENT: replace(cast.placement("cancelled"))})

    assert not concerns(declined, OLD)
    assert not concerns(cancelled, OLD)
    assert succeeded(declined, OLD, NEW, EFFECTIVE) is declined
    assert concerns(running(), OLD)
    assert not concerns(running(), cast.RELATED["S"])
    assert not concerns(replace(running(), state="closed"), OLD)


def test_a_file_that_has_nothing_left_is_refused() -> None:
    """It changed between the round and its errand."""
    data = {"from": cast.urn_of(OLD), "to": cast.urn_of(NEW), "effective": EFFECTIVE}
    sent = cast.submission(
        "trajectory.organiser_changed", HUB, data, trajectory_id=cast.TRAJECTORY, on_behalf_of=NEW
    )
    case = after(move(running()))

    assert rule_of(decide(sent, cast.context(case))) == "nothing_to_take_over"


def try_report(
    case: Trajectory, sender: str, period: str, today: str = "2026-06-15"
) -> Accepted | Refused:
    """A month's hours, on some day."""
    data = {"assignment_id": cast.ASSIGNMENT, "period": period, "hours": "12.00"}
    sent = cast.submission(
        "placement.hours_reported", sender, data, trajectory_id=case.id, subject=cast.PLACEMENT
    )
    context: Context = replace(cast.context(case), now=start_of(date.fromisoformat(today)))
    return decide(replace(sent, occurred_at=context.now), context)


def report(case: Trajectory, sender: str, period: str, today: str = "2026-06-15") -> Accepted:
    """A month's hours, accepted."""
    outcome = try_report(case, sender, period, today)
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return outcome


@pytest.mark.parametrize(
    ("period", "today", "rule"),
    [
        ("2026-05", "2026-06-15", ""),
        ("2026-05", "2026-08-31", ""),
        ("2026-05", "2026-09-01", "late_hours_over"),
        ("2026-06", "2026-06-15", "after_the_mandate"),
    ],
)
def test_the_old_organiser_reports_its_own_months_for_three_more(
    period: str, today: str, rule: str
) -> None:
    """The last day and the day after; never a month of its successor."""
    case = after(move(running()))

    assert rule_of(try_report(case, OLD, period, today)) == rule


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("placement.suspended", {"reason": "holiday"}),
        ("placement.ended", {"reason": "goal_reached", "end_date": "2026-06-02"}),
        ("placement.corrected", {"planned_end": "2026-07-01"}),
        ("placement.voided", {"reason": "duplicate"}),
    ],
)
def test_the_old_organiser_sends_nothing_else(name: str, data: dict[str, Any]) -> None:
    """The table says no, and names what it may send still."""
    case = after(move(running()))
    sent = cast.submission(name, OLD, data, trajectory_id=case.id, subject=cast.PLACEMENT)
    outcome = decide(sent, cast.context(case))

    assert isinstance(outcome, Refused)
    assert outcome.error.facts["leg"] == "lifecycle"
    assert outcome.error.facts["allowed"] == ["placement.hours_reported"]


def test_the_old_organiser_is_a_stranger_to_the_rest_of_the_case() -> None:
    """It records no outcome and no contact, and registers no right."""
    case = after(move(running()))
    for name in ("outcome.recorded", "guidance.contact_recorded", "transition.right_registered"):
        outcome = decide(cast.submission(name, OLD, {}, trajectory_id=case.id), cast.context(case))
        assert isinstance(outcome, Refused)
        assert outcome.error.facts["leg"] == "membership"


def test_the_successor_acts_as_the_old_organiser_did() -> None:
    """It corrects, records and ends what the other began, with the versions going on."""
    case = after(move(running()))
    data = {"reason": "goal_reached", "end_date": "2026-05-28"}
    sent = cast.submission(
        "placement.ended", NEW, data, trajectory_id=case.id, subject=cast.PLACEMENT
    )
    outcome = decide(sent, cast.context(case))

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    assert outcome.events[0].aggregate_version == cast.placement("active").version + 1


def test_a_round_leaves_an_errand_for_what_it_concerns() -> None:
    """Files of the old organiser and its offers; nobody else's."""
    files, offers = rounds.of_mandate(
        cast.mandate("accepted"), cast.NOW, (cast.urn_of(OLD), cast.urn_of(NEW))
    )
    stranger = replace(cast.case(tasks={}, referrals={}), id=cast.FRESH)
    (errand,) = rounds.errands(files, [running(), stranger], cast.registry(), cast.NOW)
    foreign = replace(cast.offer("published"), id=cast.FRESH, owner=NEW)
    (lapse,) = rounds.errands(offers, [cast.offer("published"), foreign], cast.registry(), cast.NOW)

    assert (errand.target_id, errand.acts_for) == (cast.TRAJECTORY, NEW)
    assert errand.data == {
        "from": cast.urn_of(OLD),
        "to": cast.urn_of(NEW),
        "effective": EFFECTIVE,
    }
    assert (lapse.name, lapse.target_id, lapse.acts_for) == ("offer.lapsed", cast.OFFER, OLD)


def test_a_case_that_is_reopened_goes_on_with_the_organiser_of_today() -> None:
    """It was closed when its files went over; nobody is left with an organiser that is none."""
    closed = replace(running(), state="closed", closed_at=cast.NOW)
    moves = registry_moves.moves([replace(cast.mandate("accepted"), effective="2026-05-01")])
    sent = cast.submission(
        "trajectory.reopened", V, {"reason": "new_information"}, trajectory_id=closed.id
    )
    moved = decide(sent, cast.context(closed, known=with_moves(moves)))
    unmoved = decide(sent, cast.context(closed))

    assert isinstance(moved, Accepted), moved.error.detail.en
    assert [one.event.name for one in moved.events] == [
        "trajectory.reopened",
        "trajectory.organiser_changed",
    ]
    assert after(moved).placements[cast.PLACEMENT].organiser == NEW
    assert moved.events[0].joined == (NEW,)
    assert isinstance(unmoved, Accepted)
    assert [one.event.name for one in unmoved.events] == ["trajectory.reopened"]


def test_a_participant_shows_what_it_serves_on_a_day() -> None:
    """What was taken is gone, what was given is there, from the first day on."""
    known = with_moves(registry_moves.moves([cast.mandate("accepted")])).participants

    assert known[OLD].territory_on(date(2026, 5, 31)) == frozenset({cast.NIS})
    assert known[OLD].territory_on(date(2026, 6, 1)) == frozenset()
    assert known[NEW].territory_on(date(2026, 6, 1)) == frozenset({cast.NIS, "24062"})
