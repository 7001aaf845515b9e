"""Who holds a case: taken, handed over, reopened, moved with the person; never nobody's."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Refused
from gateway.exchange.registry import Registry
from tests.gateway.exchange import cast
from tests.gateway.exchange.due_days import days, the

if TYPE_CHECKING:
    from gateway.exchange.state import Trajectory

V, O, W, P = (cast.RELATED[one] for one in "VOWP")  # noqa: E741 - the role's letter
ELSEWHERE = "24062"


def send(
    name: str, who: str, data: dict[str, Any], case: Trajectory, known: Registry | None = None
) -> Accepted | Refused:
    """What becomes of an event on a case."""
    sent = cast.submission(name, who, data, trajectory_id=case.id)
    return decide(sent, cast.context(case, known=known))


def after(
    name: str, who: str, data: dict[str, Any], case: Trajectory, known: Registry | None = None
) -> Trajectory:
    """The case after an event that is accepted."""
    outcome = send(name, who, data, case, known)
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    assert outcome.trajectory is not None
    return outcome.trajectory


def rule(name: str, who: str, data: dict[str, Any], case: Trajectory) -> tuple[str, str]:
    """The rule that an event breaks and the field to mend."""
    outcome = send(name, who, data, case)
    assert isinstance(outcome, Refused)
    return outcome.error.facts["rule"], "".join(one.name for one in outcome.error.invalid)


def without(*gone: str) -> Registry:
    """The registry without some participants."""
    whole = cast.registry()
    return Registry.build(
        version=2,
        environment="test",
        organisations=whole.organisations.values(),
        participants=[one for one in whole.participants.values() if one.id not in gone],
        agreements=whole.agreements.values(),
    )


def quiet(state: str = "held", **changes: Any) -> Trajectory:
    """A case in which nothing is open."""
    closed = {cast.REFERRAL: cast.referral("closed")}
    return replace(cast.case(state, referrals=closed), viewers=(), tasks={}, **changes)


TAKE = "trajectory.case_holder_assigned"


@pytest.mark.parametrize("who", [O, V])
def test_a_case_is_taken_by_who_holds_it_then(who: str) -> None:
    """By the proposed holder or the competent VDAB; nobody assigns it to somebody else."""
    taken = after(TAKE, who, {"holder": cast.urn_of(who)}, cast.case("unassigned"))

    assert (taken.state, taken.holder, taken.proposed_holder) == ("held", who, None)
    other = V if who == O else O
    data = {"holder": cast.urn_of(other)}
    assert rule(TAKE, who, data, cast.case("unassigned")) == ("holder_is_another", "holder")


@pytest.mark.parametrize(("field", "said"), [("from", W), ("to", V)])
def test_a_hand_over_is_accepted_for_what_it_is(field: str, said: str) -> None:
    """From the holder, to whoever accepts; anything else would mislead the others."""
    name = "trajectory.case_holder_changed"
    right = {"from": cast.urn_of(V), "to": cast.urn_of(cast.OFFERED)}
    case = cast.case("handing_over")

    assert after(name, cast.OFFERED, right, case).holder == cast.OFFERED
    wrong = {**right, field: cast.urn_of(said)}
    assert rule(name, cast.OFFERED, wrong, case) == ("handover_differs", field)


def test_a_case_is_reopened_to_its_holder() -> None:
    """Whoever held it holds it again, from a new date on."""
    again = after("trajectory.reopened", O, {"reason": "error"}, quiet("closed"))

    assert (again.state, again.holder) == ("held", V)
    assert again.reopened_at == cast.NOW


def test_a_case_whose_holder_is_gone_is_proposed_with_a_date() -> None:
    """To the OCMW; where none takes part to VDAB; and never to nobody."""
    former = quiet("closed", holder=cast.OFFERED, members={O: "O", V: "V"})
    reason = {"reason": "error"}

    by_ocmw = after("trajectory.reopened", V, reason, replace(former, holder=None, viewers=(V,)))
    assert (by_ocmw.state, by_ocmw.proposed_holder) == ("unassigned", O)
    assert by_ocmw.holder_due == "2026-06-11"
    ocmws = (O, cast.OFFERED, cast.STRANGERS["O"])
    viewed = replace(former, viewers=(V,))
    by_vdab = after("trajectory.reopened", V, reason, viewed, without(*ocmws))
    assert (by_vdab.state, by_vdab.holder, by_vdab.proposed_holder) == ("unassigned", None, V)
    assert by_vdab.holder_due == "2026-06-11"


def test_a_task_always_finds_somebody() -> None:
    """No holder and no desk in the municipality: the referrer hears that it was declined."""
    sent = {cast.REFERRAL: cast.referral("sent")}
    case = replace(cast.case("unassigned", referrals=sent), proposed_holder=None, viewers=())
    nobody = [one for role in "VO" for one in (cast.RELATED[role], cast.STRANGERS[role])]
    declined = after(
        "referral.declined", W, {"reason": "no_capacity"}, case, without(*nobody, cast.OFFERED)
    )

    tasks = [one for one in declined.tasks.values() if one.what == "declined_referral"]
    assert [one.addressee for one in tasks if one.id != cast.TASK] == [P]


MOVE = "trajectory.territory_changed"
TO_LEUVEN = {"nis": ELSEWHERE, "from": "2026-05-20"}


def test_a_move_proposes_the_ocmw_of_the_new_place() -> None:
    """Journey O: the OCMW that holds the case is asked to offer it there; the work goes on."""
    working = {cast.PLACEMENT: cast.placement("active")}
    closed = {cast.REFERRAL: cast.referral("closed")}
    case = cast.case(holder=O, referrals=closed, placements=working)
    outcome = send(MOVE, O, TO_LEUVEN, replace(case, tasks={}))

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    assert outcome.trajectory is not None
    assert outcome.trajectory.territory_nis == ELSEWHERE
    assert outcome.trajectory.placements == working
    moved, asked = outcome.events
    assert moved.territory_nis == cast.NIS, "the members of the old place are told"
    assert asked.territory_nis == ELSEWHERE
    assert asked.event.name == "trajectory.task_raised"
    assert asked.data["what"] == "offer_handover"
    assert asked.data["addressee"] == cast.urn_of(O)
    new = cast.registry().competent("O", ELSEWHERE, cast.TODAY)
    assert new is not None
    assert asked.data["other_org"] == new.organisation

    data = {"to": new.organisation, "reason": "moved", "effective": "2026-06-01"}
    granted = changed(cast.registry(), grants=everywhere().grants)
    offered = after("trajectory.handover_offered", O, data, outcome.trajectory, granted)
    answers = {one.what: one.answered for one in offered.tasks.values()}
    assert answers == {"offer_handover": "done"}


def everywhere() -> Registry:
    """The registry with an agreement for both municipalities."""
    return cast.granting([cast.NIS, ELSEWHERE])


def test_a_holder_who_serves_the_new_place_too_goes_on() -> None:
    """Nobody is asked to hand the case over."""
    wide = cast.STRANGERS["V"]
    moved = after(MOVE, wide, TO_LEUVEN, replace(cast.case(), holder=wide, tasks={}))

    assert (moved.holder, moved.territory_nis) == (wide, ELSEWHERE)
    assert moved.tasks == {}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({**TO_LEUVEN, "nis": cast.NIS}, "same_municipality"),
        ({**TO_LEUVEN, "nis": "99999"}, "territory_not_valid"),
        ({"nis": "71022", "from": "2026-05-20"}, "territory_not_valid"),
    ],
)
def test_a_move_is_to_another_place_that_exists(data: dict[str, Any], code: str) -> None:
    """A code that a fusion ended is none any more."""
    assert rule(MOVE, V, data, cast.case()) == (code, "nis")


VIEW = "trajectory.viewing_right_granted"


def test_a_viewing_right_ends_after_its_last_day() -> None:
    """The hub ends it by itself, also of a case that closed; without a day it stays."""
    who = cast.STRANGERS["T"]
    given = {"participant": who, "ground": "case_conference", "until": "2026-06-30"}
    case = after(VIEW, V, given, quiet())

    assert who in case.viewers
    for state in ("held", "closed"):
        clock = the(replace(case, state=state), "viewing_ends", today="2026-07-01")
        assert days(replace(case, state=state))["viewing_ends"] == "2026-07-01"
        assert (clock.event, clock.data["participant"]) == ("trajectory.viewing_right_ended", who)
    ended = after(
        "trajectory.viewing_right_ended", HUB, {"participant": who, "ground": "case_conference"},
        case,
    )  # fmt: skip
    assert who not in ended.viewers
    assert "viewing_ends" not in days(ended)
    for_ever = after(VIEW, V, {key: given[key] for key in ("participant", "ground")}, case)
    assert "viewing_ends" not in days(for_ever)


@pytest.mark.parametrize(
    ("data", "broken"),
    [
        ({"participant": "nobody-1"}, ("unknown_participant", "participant")),
        ({"participant": W, "until": "2026-05-27"}, ("until_in_past", "until")),
    ],
)
def test_a_viewing_right_is_given_to_somebody(
    data: dict[str, Any], broken: tuple[str, str]
) -> None:
    """Who takes part, until a day to come; and only what was given is taken away."""
    case = quiet()

    assert rule(VIEW, V, {"ground": "case_conference", **data}, case) == broken
    ended = {"participant": W, "ground": "case_conference"}
    assert rule("trajectory.viewing_right_ended", V, ended, case) == ("no_viewer", "participant")
