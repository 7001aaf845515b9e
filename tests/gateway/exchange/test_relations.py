"""When membership of a case begins and ends, and who may still add what."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.api.next_events import Viewer, next_events
from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Refused
from gateway.exchange.relations import involved, members, parties
from gateway.exchange.state import Left, Outcome, Right, Trajectory
from tests.gateway.exchange import cast

V, O, W, P = (cast.RELATED[one] for one in "VOWP")  # noqa: E741 - the role's letter
H, S = cast.RELATED["H"], cast.RELATED["S"]


def case(**parts: Any) -> Trajectory:
    """A case held by VDAB, with nobody looking along and no tasks."""
    return replace(cast.case(**parts), viewers=(), tasks={})


@pytest.mark.parametrize("state", ["sent", "acknowledged", "waiting_info", "accepted"])
def test_a_referral_makes_members_while_it_runs(state: str) -> None:
    """The referrer, the target that handles it, and the desk that endorsed it."""
    found = members(case(referrals={cast.REFERRAL: cast.referral(state)}))

    assert set(found) == {V, P, W, O}


@pytest.mark.parametrize("state", ["pending_endorsement", "open"])
def test_nobody_learns_of_a_hidden_referral(state: str) -> None:
    """Only the referrer and the desk; a target before it is sent to it is none."""
    assert set(members(case(referrals={cast.REFERRAL: cast.referral(state)}))) == {V, P, O}


@pytest.mark.parametrize("state", ["declined", "redirected", "expired", "closed"])
def test_a_referrer_hears_what_came_of_it_and_nobody_else(state: str) -> None:
    """Whoever declined, or let it expire, sees nothing more of the person."""
    found = case(referrals={cast.REFERRAL: cast.referral(state)})

    assert set(members(found)) == {V, P}
    assert W in involved(found), "it still finds what it once answered"
    assert W not in parties(found), "and adds nothing to the case"


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("placement.started", "planned"),
        ("placement.hours_reported", "active"),
        ("placement.ended", "active"),
        ("placement.voided", "ended"),
    ],
)
def test_whom_the_referral_names_does_nothing_about_the_placement_of_another(
    name: str, state: str
) -> None:
    """Its organiser is whoever planned it: another that the handler named looks at it only."""
    named = replace(cast.referral("accepted"), organiser=S)
    found = case(
        referrals={cast.REFERRAL: named}, placements={cast.PLACEMENT: cast.placement(state)}
    )
    sent = cast.submission(name, S, {}, trajectory_id=cast.TRAJECTORY, subject=cast.PLACEMENT)

    outcome = decide(sent, cast.context(found))

    assert isinstance(outcome, Refused)
    assert outcome.error.facts["leg"] == "lifecycle"
    assert S in members(found)
    assert name not in offered(found, S)
    assert name in offered(found, W)


def offered(found: Trajectory, participant: str) -> set[str]:
    """What that participant is told that it may send about the placement."""
    known = cast.registry().participant(participant)
    assert known is not None
    viewer = Viewer(known, cast.registry(), cast.TODAY)
    (one,) = (one for one in next_events(found, viewer) if one.aggregate_id == cast.PLACEMENT)
    return set(one.events)


def test_a_withdrawn_referral_is_nobodys_business() -> None:
    """Also not its referrer's, who may send it again all the same."""
    found = case(referrals={cast.REFERRAL: cast.referral("withdrawn")})

    assert set(members(found)) == {V}
    assert P in parties(found)


def test_old_referrers_hear_nothing_of_a_case_that_was_reopened() -> None:
    """What begins years later is not the loop of the first referrer."""
    old = {cast.REFERRAL: replace(cast.referral("closed"), since=cast.NOW)}

    assert P in members(case(referrals=old))
    assert P not in members(case(referrals=old, reopened_at=cast.NOW + 1))


@pytest.mark.parametrize("state", ["active", "suspended"])
def test_a_placement_keeps_all_of_its_referral(state: str) -> None:
    """Organiser and work floor, and whoever led to it, while the person works there."""
    closed = {cast.REFERRAL: cast.referral("closed")}
    found = case(referrals=closed, placements={cast.PLACEMENT: cast.placement(state)})

    assert set(members(found)) == {V, P, W, O, H}


def test_after_a_placement_its_organiser_still_reports() -> None:
    """Late hours, the outcome, after-care: it may send them, and is given nothing else."""
    closed = {cast.REFERRAL: cast.referral("closed")}
    found = case(referrals=closed, placements={cast.PLACEMENT: cast.placement("ended")})

    assert set(members(found)) == {V, P}
    assert {W, H} <= set(parties(found))
    outcome = {"type": "dropped_out", "on": "2026-05-27", "placement_id": cast.PLACEMENT}
    sent = cast.submission("outcome.recorded", W, outcome, trajectory_id=found.id)
    assert isinstance(decide(sent, cast.context(found)), Accepted)


def test_an_outcome_and_a_right_make_members_while_they_are_open() -> None:
    """A recorder until it is confirmed; a registrant and VDAB until the right is over."""

    def with_states(outcome: str, right: str) -> set[str]:
        outcomes = {cast.OUTCOME: Outcome(cast.OUTCOME, outcome, 1, S)}
        rights = {cast.RIGHT: Right(cast.RIGHT, right, 1, W, service=cast.STRANGERS["V"])}
        return set(members(case(referrals={}, outcomes=outcomes, rights=rights)))

    assert with_states("provisional", "active") == {V, S, W, cast.STRANGERS["V"]}
    assert with_states("confirmed", "lapsed") == {V}


def test_who_declined_may_add_nothing_to_the_case() -> None:
    """A target that said no records no contact: for it the case does not exist."""
    found = case(referrals={cast.REFERRAL: cast.referral("declined")})
    data = {"kind": "phone", "on": "2026-05-27"}
    sent = cast.submission("guidance.contact_recorded", W, data, trajectory_id=found.id)
    refused = decide(sent, cast.context(found))

    assert isinstance(refused, Refused)
    assert (refused.error.status, refused.error.facts["leg"]) == (404, "membership")


def recipients(found: Trajectory, name: str, data: dict[str, Any], who: str = V) -> set[str]:
    """Who is entitled to the first event that follows from this one."""
    sent = cast.submission(name, who, data, trajectory_id=found.id)
    outcome = decide(sent, cast.context(found))
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return {one.participant for one in outcome.events[0].recipients if one.excluded is None}


def test_a_former_member_hears_that_the_case_closed_and_nothing_else() -> None:
    """For thirty days after its role ended."""
    closed = {cast.REFERRAL: cast.referral("declined")}
    end = {"reason": "person_request"}
    talk = {"kind": "phone", "on": "2026-05-27"}

    def left(days: int) -> Trajectory:
        role = Left(cast.NOW - days * cast.DAY, ("handler", "target"))
        return case(referrals=closed, left={W: role})

    assert W in recipients(left(30), "trajectory.closed", end)
    assert W not in recipients(left(31), "trajectory.closed", end)
    assert W not in recipients(left(1), "guidance.contact_recorded", talk)


def test_leaving_and_coming_back_is_remembered() -> None:
    """Whoever is a member no more is noted with what it was, until it is one again."""
    sent = cast.submission(
        "trajectory.handover_declined", V, {"reason": "withdrawn"}, trajectory_id=cast.TRAJECTORY
    )
    offered = case(state="handing_over")
    declined = decide(sent, cast.context(offered))
    assert isinstance(declined, Accepted)
    assert declined.trajectory is not None
    by = declined.events[0].event_id
    assert declined.trajectory.left == {cast.OFFERED: Left(cast.NOW, ("offered_holder",), by)}
    told = {one.participant for one in declined.events[0].recipients if one.excluded is None}
    assert cast.OFFERED in told, "it hears that the offer is gone"

    data = {"to": cast.urn_of(cast.OFFERED), "reason": "moved", "effective": "2026-06-01"}
    again = cast.submission("trajectory.handover_offered", V, data, trajectory_id=cast.TRAJECTORY)
    offered_again = decide(again, cast.context(declined.trajectory))
    assert isinstance(offered_again, Accepted)
    assert offered_again.trajectory is not None
    assert offered_again.trajectory.left == {}
    assert offered_again.events[0].joined == (cast.OFFERED,)
