"""How long, how often, where and with whom: intentions are refused with the field to mend."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.exchange.decision import Accepted
from gateway.exchange.state import Right
from tests.gateway.exchange import cast
from tests.gateway.exchange.placing import H, Placing, W, warned

PLAN: dict[str, Any] = {
    "programme": "wijk_werken",
    "contract_form": "wijk_werk_agreement",
    "referral_id": cast.REFERRAL,
    "assignments": [
        {
            "assignment_id": cast.FRESH,
            "host_org": cast.urn_of(H),
            "mentor": {"name": "M"},
            "from": "2026-06-01",
        }
    ],
    "start_date": "2026-06-01",
    "planned_end": "2026-12-01",
    "hours_per_week": 12,
    "exit_perspective": "regular_job",
    "insured": True,
}
EXTENDED = "placement.extended"


def accepted_referral() -> Placing:
    """A case whose referral the organiser accepted."""
    return Placing(case=cast.case())


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"planned_end": "2026-12-02"}, "too_long", "planned_end"),
        ({"planned_end": None}, "planned_end_missing", "planned_end"),
        ({"hours_per_week": 16}, "hours_per_week_too_high", "hours_per_week"),
        ({"hours_cap_month": 61}, "hours_cap_too_high", "hours_cap_month"),
        (
            {"assignments": PLAN["assignments"] * 2},
            "assignment_twice",
            "assignments[].assignment_id",
        ),
    ],
)
def test_a_plan_that_does_not_fit(changes: dict[str, Any], code: str, field: str) -> None:
    """Each limit, one step over it; on it the plan is accepted."""
    data = {name: value for name, value in {**PLAN, **changes}.items() if value is not None}

    assert accepted_referral().refused("placement.planned", data, subject=None) == (code, field)
    assert isinstance(accepted_referral().judge("placement.planned", PLAN, subject=None), Accepted)
    at_limit = {**PLAN, "hours_per_week": 15, "hours_cap_month": 60}
    decided = accepted_referral().judge("placement.planned", at_limit, subject=None)
    assert isinstance(decided, Accepted)


@pytest.mark.parametrize("state", ["active", "dormant"])
def test_an_unlimited_right_needs_no_end(state: str) -> None:
    """Bound by a PWA agreement: a placement without an end; a claimed right does not yet count."""
    data = {name: value for name, value in PLAN.items() if name != "planned_end"}
    for right, fits in ((state, True), ("claimed", False), ("lapsed", False)):
        case = cast.case(rights={cast.RIGHT: Right(cast.RIGHT, right, 1, W)})
        decided = Placing(case=case).judge("placement.planned", data, subject=None)
        assert isinstance(decided, Accepted) is fits, right


def test_an_open_rule_is_said() -> None:
    """Nobody settled how long a samenlevingsjob lasts: accepted, and the decision says so."""
    referral = replace(cast.referral("accepted"), programme="samenlevingsjob")
    placing = Placing(case=cast.case(referrals={cast.REFERRAL: referral}))
    data = {**PLAN, "programme": "samenlevingsjob", "planned_end": "2028-06-01"}
    decided = placing.judge("placement.planned", data, subject=None)

    assert isinstance(decided, Accepted)
    unset = next(one for one in decided.warnings if one.code == "rule_unset")
    assert "samenlevingsjob.max_duration_months" in unset.rules


def test_extensions_follow_each_other_and_end() -> None:
    """Once, by six months, within a year in all; later, in order, and with a motive."""
    placing = Placing()
    good = {"new_end": "2027-03-30", "motive": "slow_progress", "extension_no": 1}

    assert placing.refused(EXTENDED, {**good, "new_end": "2026-09-30"})[0] == "end_not_later"
    assert placing.refused(EXTENDED, {**good, "extension_no": 2})[0] == "extension_out_of_order"
    assert placing.refused(EXTENDED, {**good, "new_end": "2027-04-02"})[0] == "extended_too_far"
    placing.send(EXTENDED, good)
    again = {**good, "new_end": "2027-03-31", "extension_no": 2}
    assert placing.refused(EXTENDED, again) == ("extended_too_often", "extension_no")


def test_what_lasted_too_long_is_recorded() -> None:
    """A placement that ended after its year is over: the end is taken, the breach is said."""
    placing = Placing()
    placing.now += 370 * cast.DAY
    late = placing.send("placement.ended", {"end_date": "2027-05-30", "reason": "max_duration"})

    assert warned(late) == ["max_duration_months"]


def test_a_total_that_differs_is_said() -> None:
    """The total at the end is compared with the months that were reported."""
    placing = Placing()
    placing.report("2026-04", "20.00")
    end = {"end_date": "2026-05-20", "reason": "goal_reached"}
    same = placing.judge("placement.ended", {**end, "total_hours": "20.00"})
    other = placing.judge("placement.ended", {**end, "total_hours": "21.00"})

    assert isinstance(same, Accepted)
    assert isinstance(other, Accepted)
    assert (warned(same), warned(other)) == ([], ["total_hours_differ"])


def test_assignments_come_and_go() -> None:
    """One more, at a household without a mentor; the last one stays until the placement ends."""
    placing = Placing()
    home = {"assignment_id": cast.FRESH, "household": {"id": "g-1"}, "from": "2026-05-01"}
    added = {"assignment": home}
    placing.send("placement.assignment_added", added)
    again = placing.refused("placement.assignment_added", added)
    ended = {"to": "2026-05-20"}
    for one in (cast.ASSIGNMENT, cast.SECOND_ASSIGNMENT):
        placing.send("placement.assignment_ended", {**ended, "assignment_id": one})
    gone = placing.refused("placement.mentor_assigned", {"assignment_id": cast.ASSIGNMENT})
    last = placing.refused("placement.assignment_ended", {**ended, "assignment_id": cast.FRESH})

    assert again == ("assignment_exists", "assignment.assignment_id")
    assert gone[0] == "unknown_assignment"
    assert last[0] == "last_assignment"
    placement = placing.case.placements[cast.PLACEMENT]
    assert (placement.mentored, placement.hosted) == (True, False)
    assert placement.hosts == (H,)  # it reads along for thirty days, for what closes its part
    placing.now += 31 * cast.DAY
    placing.send("placement.mentor_assigned", {"assignment_id": cast.FRESH})
    assert placing.case.placements[cast.PLACEMENT].hosts == ()


def test_each_work_floor_has_its_own_mentor() -> None:
    """A mentor for one of two organisations is not one for the other."""
    rows = [
        {"assignment_id": f"a-{n}", "host_org": cast.urn_of(H), "from": "2026-06-01"} for n in "12"
    ]
    placing = Placing(case=cast.case())
    planned = placing.send("placement.planned", {**PLAN, "assignments": rows}, subject=None)
    found = planned.events[0].aggregate_id
    start = {**PLAN, "assignments": rows, "declaration": {"declared": True}}
    for one in ("a-1", "a-2"):
        assert placing.refused("placement.started", start, subject=found)[0] == "mentor_missing"
        placing.send("placement.mentor_assigned", {"assignment_id": one}, subject=found)

    assert isinstance(placing.judge("placement.started", start, subject=found), Accepted)


def test_a_programme_chosen_later_still_asks_its_endorsement() -> None:
    """A partner's open referral cannot become wijk-werken without a decision of OCMW or VDAB."""
    referral = replace(cast.referral("accepted"), endorser=None)
    placing = Placing(case=cast.case(referrals={cast.REFERRAL: referral}))

    assert placing.refused("placement.planned", PLAN, subject=None) == (
        "endorsement_missing",
        "programme",
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"on": "2026-05-29"}, "outcome_in_future"),
        ({"on": "2026-03-31", "placement_id": cast.PLACEMENT}, "outcome_before_start"),
        ({"on": "2026-05-20", "placement_id": cast.FRESH}, "unknown_placement"),
    ],
)
def test_outcomes_have_their_date(data: dict[str, Any], code: str) -> None:
    """Not before the placement began, not before it happened, of a placement of this case."""
    case = cast.case_with("placement", "ended")

    said = {"type": "regular_job", **data}
    assert Placing(case=case).refused("outcome.recorded", said, subject=None)[0] == code


def test_a_follow_up_is_said_once() -> None:
    """Three months on once, six months on as well."""
    outcome = replace(
        cast.case_with("outcome", "confirmed").outcomes[cast.OUTCOME], followed_up=(3,)
    )
    case = replace(cast.case_with("outcome", "confirmed"), outcomes={cast.OUTCOME: outcome})
    placing = Placing(case=case)
    name, three = "outcome.follow_up_recorded", {"month": 3, "still_in": "yes"}

    assert placing.refused(name, three, subject=cast.OUTCOME) == ("already_followed_up", "month")
    six = {"month": 6, "still_in": "yes"}
    assert isinstance(placing.judge(name, six, subject=cast.OUTCOME), Accepted)
