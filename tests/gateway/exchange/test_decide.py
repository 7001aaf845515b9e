"""What a decision makes follow, whom it reaches, and what it keeps from whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, DecidedEvent, Refused
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

REFERRAL = {
    "programme": "wijk_werken",
    "reason_codes": ["work_rhythm"],
    "person": {"given_name": "Amina", "family_name": "Testers", "postcode": "3300"},
}


def send(
    name: str, sender: str, data: dict[str, Any], case: Trajectory | None = None, **changes: Any
) -> Accepted:
    """Decide one event and insist that it is accepted."""
    if case is not None:
        changes.setdefault("trajectory_id", case.id)
    outcome = decide(cast.submission(name, sender, data, **changes), cast.context(case))
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return outcome


def refuse(
    name: str, sender: str, data: dict[str, Any], case: Trajectory | None = None, **changes: Any
) -> Refused:
    """Decide one event and insist that it is refused."""
    if case is not None:
        changes.setdefault("trajectory_id", case.id)
    outcome = decide(cast.submission(name, sender, data, **changes), cast.context(case))
    assert isinstance(outcome, Refused)
    return outcome


def state_after(outcome: Accepted) -> Trajectory:
    """The case as it is left."""
    assert outcome.trajectory is not None
    return outcome.trajectory


def reached(event: DecidedEvent) -> set[str]:
    """The participants entitled to an event."""
    return {one.participant for one in event.recipients if one.excluded is None}


def test_directed_referral_of_an_ocmw_opens_a_case_that_it_holds() -> None:
    """The sender holds the case, and the target gets the referral under its agreement."""
    target = cast.RELATED["W"]
    outcome = send(
        "referral.created", cast.RELATED["O"], {**REFERRAL, "target_org": cast.urn_of(target)}
    )

    created, opened = outcome.events
    case = state_after(outcome)
    assert (created.event.name, opened.event.name) == ("referral.created", "trajectory.opened")
    assert case.holder == cast.RELATED["O"]
    assert reached(created) == {target}
    assert created.agreement_id == "prot-2026-001"
    assert created.territory_nis == cast.NIS
    assert [event.aggregate_version for event in outcome.events] == [1, 1]


def test_partner_referral_waits_for_the_desk_and_shows_the_target_nothing() -> None:
    """Endorsement is asked by the programme's data; only the endorser learns who it is (R4)."""
    target = cast.urn_of(cast.RELATED["W"])
    outcome = send("referral.created", cast.RELATED["P"], {**REFERRAL, "target_org": target})

    created, opened = outcome.events
    case = state_after(outcome)
    assert next(iter(case.referrals.values())).state == "pending_endorsement"
    assert reached(created) == {cast.RELATED["O"]}
    assert case.state == "unassigned"
    assert case.proposed_holder == cast.RELATED["O"]
    assert opened.data["due"] == "2026-06-11"


def test_endorsing_brings_the_target_in_with_its_history() -> None:
    """The target becomes a member by the endorsement and is to be given what came before."""
    case = cast.case(referrals={cast.REFERRAL: replace(cast.referral("pending_endorsement"))})
    outcome = send("referral.endorsed", cast.RELATED["O"], {}, case, subject=cast.REFERRAL)

    assert state_after(outcome).referrals[cast.REFERRAL].state == "sent"
    assert outcome.events[0].joined == (cast.RELATED["W"],)
    assert cast.RELATED["W"] in reached(outcome.events[0])


def test_open_referral_shows_no_person() -> None:
    """Nobody gets the referral itself; candidates get an advertisement without the person (R1)."""
    outcome = send("referral.created", cast.RELATED["V"], dict(REFERRAL))

    created = outcome.events[0]
    advertised = next(one for one in outcome.events if one.event.name == "referral.advertised")
    assert reached(created) == set()
    assert cast.RELATED["O"] in reached(advertised)
    assert "person" not in advertised.data


def test_claimant_gets_the_person_as_history() -> None:
    """Claiming makes a candidate the handler, and the history goes with it."""
    case = cast.case(referrals={cast.REFERRAL: cast.referral("open")})
    outcome = send("referral.claimed", cast.RELATED["S"], {}, case, subject=cast.REFERRAL)

    assert state_after(outcome).referrals[cast.REFERRAL].handler == cast.RELATED["S"]
    assert cast.RELATED["S"] in outcome.events[0].joined


def test_declined_referral_becomes_a_task_for_the_case_holder() -> None:
    """Nobody falls out: a refusal is somebody's next step."""
    case = cast.case(referrals={cast.REFERRAL: cast.referral("sent")})
    outcome = send(
        "referral.declined",
        cast.RELATED["W"],
        {"reason": "no_capacity"},
        case,
        subject=cast.REFERRAL,
    )

    raised = outcome.events[1]
    assert raised.event.name == "trajectory.task_raised"
    assert raised.data["addressee"] == cast.urn_of(cast.RELATED["V"])
    assert raised.actor_role == "HUB"


def test_start_closes_the_referral_as_placed_and_brings_the_host_in() -> None:
    """The hub closes the referral in the same transaction; the host becomes a member."""
    case = cast.case_with("placement", "planned")
    data = {"programme": "wijk_werken", "insured": True, "declaration": {"declared": True}}
    outcome = send("placement.started", cast.RELATED["W"], data, case, subject=cast.PLACEMENT)

    after = state_after(outcome)
    assert [one.event.name for one in outcome.events] == ["placement.started", "referral.closed"]
    assert after.referrals[cast.REFERRAL].state == "closed"
    assert cast.RELATED["H"] in outcome.events[0].joined
    assert outcome.facts[0].indicator == "placement_start"


@pytest.mark.parametrize(
    ("missing", "rule"),
    [("insured", "not_insured"), ("declaration", "declaration_missing")],
)
def test_start_needs_insurance_and_declaration(missing: str, rule: str) -> None:
    """A start without one of them names the field and the fix."""
    data = {"insured": True, "declaration": {"declared": True}}
    del data[missing]
    outcome = refuse(
        "placement.started",
        cast.RELATED["W"],
        data,
        cast.case_with("placement", "planned"),
        subject=cast.PLACEMENT,
    )

    assert outcome.step == "rules"
    assert outcome.error.facts["rule"] == rule
    assert outcome.error.invalid[0].name == missing


def test_start_needs_a_case_holder() -> None:
    """No placement starts while nobody holds the case."""
    case = replace(cast.case_with("placement", "planned"), holder=None)
    data = {"insured": True, "declaration": {"declared": True}}
    outcome = refuse("placement.started", cast.RELATED["W"], data, case, subject=cast.PLACEMENT)

    assert outcome.error.facts["rule"] == "no_case_holder"


def test_withdrawal_cancels_a_planned_placement() -> None:
    """What was only planned does not outlive its referral."""
    outcome = send(
        "referral.withdrawn",
        cast.RELATED["P"],
        {"reason": "found_work"},
        cast.case_with("placement", "planned"),
        subject=cast.REFERRAL,
    )

    assert state_after(outcome).placements[cast.PLACEMENT].state == "cancelled"


def test_voided_placement_reopens_its_referral() -> None:
    """The referral that it closed goes on where it was."""
    outcome = send(
        "placement.voided",
        cast.RELATED["W"],
        {"reason": "duplicate"},
        cast.case_with("placement", "active"),
        subject=cast.PLACEMENT,
    )

    assert outcome.events[1].event.name == "referral.reopened"
    assert state_after(outcome).referrals[cast.REFERRAL].state == "accepted"


def test_redirection_makes_a_child_for_the_new_target() -> None:
    """The original referrer stays the referrer, and the new target gets the history."""
    case = cast.case(referrals={cast.REFERRAL: cast.referral("acknowledged")})
    data = {
        "child_referral_id": cast.FRESH,
        "new_target": cast.urn_of(cast.RELATED["S"]),
        "reason": "other",
    }
    outcome = send("referral.redirected", cast.RELATED["W"], data, case, subject=cast.REFERRAL)

    child = state_after(outcome).referrals[cast.FRESH]
    assert (child.referrer, child.target, child.state) == (
        cast.RELATED["P"],
        cast.RELATED["S"],
        "sent",
    )
    assert cast.RELATED["S"] in outcome.events[0].joined


def test_redirection_without_an_agreement_goes_to_the_desk() -> None:
    """Where the referrer has none with the new target the OCMW gets it, and that is said."""
    case = cast.case(referrals={cast.REFERRAL: cast.referral("acknowledged")})
    data = {
        "child_referral_id": cast.FRESH,
        "new_target": cast.urn_of(cast.RELATED["S"]),
        "reason": "other",
    }
    social, organiser = cast.urn_of(cast.RELATED["S"]), cast.urn_of(cast.RELATED["W"])
    parties = [one.organisation for one in cast.registry().participants.values()]
    without = cast.registry_with(
        cast.document([one for one in parties if one != social]),
        cast.document([social, organiser], "prot-2"),
    )
    sent = cast.submission(
        "referral.redirected",
        cast.RELATED["W"],
        data,
        subject=cast.REFERRAL,
        trajectory_id=case.id,
    )
    outcome = decide(sent, replace(cast.context(case), registry=without))
    assert isinstance(outcome, Accepted)

    child = state_after(outcome).referrals[cast.FRESH]
    assert (child.target, child.state) == (cast.RELATED["O"], "sent")
    assert [one.code for one in outcome.warnings] == ["redirected_to_desk"]


def test_hand_over_keeps_the_old_holder_until_the_new_one_takes_it() -> None:
    """The old holder stays responsible and hears that it is no longer one (R12)."""
    handing = cast.case("handing_over")
    data = {"from": cast.urn_of(cast.RELATED["V"]), "to": cast.urn_of(cast.OFFERED)}
    outcome = send("trajectory.case_holder_changed", cast.OFFERED, data, handing)

    assert state_after(outcome).holder == cast.OFFERED
    assert cast.RELATED["V"] in reached(outcome.events[0])


def test_stranger_and_missing_case_get_the_same_answer() -> None:
    """Existence is a secret."""
    case = cast.case()
    stranger = refuse("guidance.contact_recorded", cast.STRANGERS["W"], {}, case)
    missing = refuse(
        "guidance.contact_recorded", cast.STRANGERS["W"], {}, None, trajectory_id=cast.FRESH
    )

    assert stranger.error.detail == missing.error.detail
    assert stranger.error.code == missing.error.code == "not_found"
    assert stranger.error.facts == missing.error.facts


def test_scope_role_agreement_and_territory_are_each_named() -> None:
    """The first leg that fails is the one reported."""
    target = {**REFERRAL, "target_org": cast.urn_of(cast.RELATED["W"])}
    legs = [
        refuse("referral.created", cast.RELATED["O"], target, scopes=frozenset()),
        refuse("referral.created", cast.RELATED["H"], target),
        refuse("referral.created", cast.STRANGERS["O"], target, territory_nis="24062"),
        refuse("referral.created", cast.RELATED["O"], target, territory_nis="11001"),
    ]

    assert [one.error.facts["leg"] for one in legs] == ["scope", "role", "agreement", "agreement"]
    assert {one.step for one in legs} == {"authorisation"}


def test_person_fields_reach_only_who_may_read_them() -> None:
    """The training centre sees nothing of a report of hours, and the reason is kept."""
    case = cast.case_with("placement", "active")
    data = {"assignment_id": cast.ASSIGNMENT, "period": "2026-04", "hours": "12.00"}
    outcome = send(
        "placement.hours_reported", cast.RELATED["W"], data, case, subject=cast.PLACEMENT
    )

    excluded = {one.participant: one.excluded for one in outcome.events[0].recipients}
    assert excluded[cast.RELATED["T"]] == "audience"
    assert excluded[cast.RELATED["V"]] is None
    assert excluded[cast.RELATED["H"]] is None
