"""Who may be led in, and to whom: consent, age, programme, and the desk of the municipality."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as changed

from gateway.exchange.decide import decide
from gateway.exchange.decision import Accepted, Context, Refused
from gateway.exchange.registry import RegisteredAgreement, Registry
from gateway.exchange.state import Referral, Trajectory
from schemas.agreement import parse_agreement
from tests.gateway.exchange import cast

SCHOOL, OCMW, VDAB = cast.RELATED["P"], cast.RELATED["O"], cast.RELATED["V"]
ORGANISER = cast.urn_of(cast.RELATED["W"])
MINOR, CHILD, ADULT = "2008-09-01", "2011-01-01", "2008-05-28"
"""Born so that on 28 May 2026 they are 17, 15 and, that very day, 18."""


def referral_data(**changes: Any) -> dict[str, Any]:
    """A referral; a change to None leaves the field out."""
    whole = {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "person": {"given_name": "Amina", "postcode": "3300"},
        "informed": {"on": "2026-05-20"},
        "target_role": "welfare_centre",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def refer(
    data: dict[str, Any], sender: str = SCHOOL, context: Context | None = None
) -> Accepted | Refused:
    """What becomes of a referral."""
    return decide(cast.submission("referral.created", sender, data), context or cast.context())


def referral_of(outcome: Accepted | Refused) -> Referral:
    """The one referral of the case that was made."""
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    assert outcome.trajectory is not None
    (found,) = outcome.trajectory.referrals.values()
    return found


def rule_of(outcome: Accepted | Refused) -> tuple[str, str]:
    """The rule that refused, and the field that it names."""
    assert isinstance(outcome, Refused)
    (fault,) = outcome.error.invalid
    assert fault.reason.nl
    assert fault.reason.en
    assert outcome.error.facts["rule"] == fault.code
    return fault.code, fault.name


def born(day: str, **changes: Any) -> dict[str, Any]:
    """A referral of somebody born on a day."""
    return referral_data(person={"birth_date": day, "postcode": "3300"}, **changes)


@pytest.mark.parametrize("day", [MINOR, CHILD])
def test_a_minor_is_led_to_the_desk(day: str) -> None:
    """The school's pupil goes to the OCMW, with whoever represents the pupil."""
    outcome = refer(born(day, represented_by="parent"))

    found = referral_of(outcome)
    assert (found.state, found.endorser, found.target) == ("pending_endorsement", OCMW, OCMW)
    assert found.protected


@pytest.mark.parametrize("target", [{"target_org": ORGANISER}, {}])
def test_a_minor_is_led_nowhere_else(target: dict[str, str]) -> None:
    """Neither to an organiser nor openly; not by an OCMW either."""
    for sender in (SCHOOL, OCMW):
        data = born(MINOR, represented_by="parent", target_role=None, **target)
        assert rule_of(refer(data, sender)) == ("minor_needs_desk", "target_org")


@pytest.mark.parametrize("given", [None, "none"])
def test_a_minor_has_a_representative(given: str | None) -> None:
    """Who acts for the pupil is informed as well."""
    data = born(MINOR, represented_by=given)
    assert rule_of(refer(data)) == ("representative_missing", "represented_by")


def test_on_the_eighteenth_birthday_the_ordinary_rules_hold() -> None:
    """The day itself counts."""
    found = referral_of(refer(born(ADULT, target_role=None, target_org=ORGANISER)))

    assert not found.protected


def test_a_minor_is_passed_on_between_the_desks_only() -> None:
    """The OCMW may redirect to VDAB and not to an organiser, and the child stays protected."""
    referral = changed(cast.referral("sent"), target=OCMW, handler=OCMW, protected=True)
    refused = redirect(referral, ORGANISER)
    passed = redirect(referral, cast.urn_of(VDAB))

    assert rule_of(refused) == ("minor_needs_desk", "new_target")
    assert child_of(passed).protected


def redirect(referral: Referral, to: str) -> Accepted | Refused:
    """What becomes of the OCMW's redirection of a referral."""
    case = cast.case("unassigned", referrals={referral.id: referral})
    data = {"child_referral_id": cast.FRESH, "new_target": to, "reason": "known_elsewhere"}
    sent = cast.submission(
        "referral.redirected", OCMW, data, trajectory_id=case.id, subject=referral.id
    )
    return decide(sent, cast.context(case))


def child_of(outcome: Accepted | Refused) -> Referral:
    """The referral that a redirection made."""
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    case = outcome.trajectory
    assert isinstance(case, Trajectory)
    return case.referrals[cast.FRESH]


def test_the_ocmw_passes_an_undecided_referral_to_vdab_in_one_event() -> None:
    """One event closes it here and puts it before VDAB, with the partner still its referrer."""
    referral = changed(cast.referral("pending_endorsement"), target=OCMW, endorser=OCMW)
    outcome = redirect(referral, cast.urn_of(VDAB))

    child = child_of(outcome)
    assert (child.state, child.handler, child.referrer) == ("sent", VDAB, SCHOOL)
    assert isinstance(outcome, Accepted)
    assert [one.event.name for one in outcome.events[:2]] == [
        "referral.redirected",
        "referral.created",
    ]


def test_an_undecided_referral_reaches_no_organiser() -> None:
    """Redirecting is no way around the decision of endorsement."""
    referral = changed(cast.referral("pending_endorsement"), target=OCMW, endorser=OCMW)

    assert rule_of(redirect(referral, ORGANISER)) == ("endorsement_first", "new_target")


@pytest.mark.parametrize(("role", "desk"), [("welfare_centre", OCMW), ("pes", VDAB)])
def test_a_role_alone_names_the_desk(role: str, desk: str) -> None:
    """`target_role` without an organisation is the municipality's OCMW or VDAB."""
    found = referral_of(refer(referral_data(target_role=role, programme="samenlevingsjob")))

    assert (found.state, found.target) == ("sent", desk)


def test_another_role_alone_names_nobody() -> None:
    """An organiser has to be named."""
    data = referral_data(target_role="organiser")
    assert rule_of(refer(data)) == ("target_org_missing", "target_org")


def test_a_desk_that_names_itself_refers_openly() -> None:
    """The OCMW's own referral to the OCMW is open to the candidates."""
    assert referral_of(refer(referral_data(), OCMW)).state == "open"


@pytest.mark.parametrize(
    ("known_at", "desk"),
    [("vdab", VDAB), ("ocmw", OCMW), ("both", OCMW), ("none", OCMW), ("unknown", OCMW)],
)
def test_the_desk_that_decides_is_where_the_person_is_known(known_at: str, desk: str) -> None:
    """Known at VDAB alone means VDAB; everything else is the OCMW's."""
    assert referral_of(refer(referral_data(known_at=known_at))).endorser == desk


@pytest.mark.parametrize(("on", "accepted"), [("2026-05-28", True), ("2026-05-29", False)])
def test_the_person_was_informed_before(on: str, accepted: bool) -> None:  # noqa: FBT001
    """Today is early enough; tomorrow is a mistake."""
    outcome = refer(referral_data(informed={"on": on}))

    assert isinstance(outcome, Accepted) is accepted
    if not accepted:
        assert rule_of(outcome) == ("informed_in_future", "informed.on")


def test_a_historic_programme_takes_nobody_in() -> None:
    """Lokale diensteneconomie had its last recognition on 30 June 2023."""
    assert rule_of(refer(referral_data(programme="lde"))) == ("programme_ended", "programme")


def test_a_referral_is_not_accepted_into_a_historic_programme() -> None:
    """Nor is it chosen when a referral without programme is accepted."""
    case = cast.case(referrals={cast.REFERRAL: cast.referral("sent")})
    sent = cast.submission(
        "referral.accepted",
        cast.RELATED["W"],
        {"programme": "lde"},
        trajectory_id=case.id,
        subject=cast.REFERRAL,
    )
    assert rule_of(decide(sent, cast.context(case))) == ("programme_ended", "programme")


def test_production_asks_for_rules_in_force() -> None:
    """Samenlevingsjob has no decree yet: a test installation takes it, production does not."""
    data = referral_data(programme="samenlevingsjob")
    production = changed(cast.context(), environment="production")

    assert isinstance(refer(data), Accepted)
    assert rule_of(refer(data, context=production)) == ("programme_not_in_force", "programme")
    assert isinstance(refer(referral_data(), context=production), Accepted)


def on_consent() -> Context:
    """The cast under an agreement whose ground is the person's consent."""
    known = cast.registry()
    document = cast.document([one.organisation for one in known.participants.values()])
    for grant in document["grants"]:
        grant["legal_basis"] = "consent_6_1_a"
    registry = Registry.build(
        version=2,
        environment="test",
        organisations=[replace(one, private=True) for one in known.organisations.values()],
        participants=known.participants.values(),
        agreements=[RegisteredAgreement(parse_agreement(document))],
    )
    return changed(cast.context(), registry=registry)


def test_a_test_installation_lets_in_where_no_law_is_yet_and_says_so() -> None:
    """The warning names the programme that production would refuse."""
    outcome = refer(referral_data(programme="samenlevingsjob"))

    assert isinstance(outcome, Accepted)
    assert ("programme_not_in_force", ("samenlevingsjob",)) in [
        (one.code, one.rules) for one in outcome.warnings
    ]


def test_consent_is_referenced() -> None:
    """Under an agreement on consent the referrer says where it is kept; elsewhere nobody asks."""
    assert rule_of(refer(referral_data(), context=on_consent())) == (
        "consent_missing",
        "consent_ref",
    )
    assert isinstance(refer(referral_data(consent_ref="map 12"), context=on_consent()), Accepted)
    assert isinstance(refer(referral_data()), Accepted)


@pytest.mark.parametrize(
    ("programme", "rule"),
    [("lde", "programme_ended"), ("samenlevingsjob", "programme_not_in_force")],
)
def test_production_plans_no_placement_where_no_law_holds(programme: str, rule: str) -> None:
    """Nor does anybody plan one of a programme that has ended."""
    sent = cast.submission(
        "placement.planned",
        cast.RELATED["W"],
        {"programme": programme, "referral_id": cast.REFERRAL, "assignments": []},
        trajectory_id=cast.TRAJECTORY,
    )
    production = changed(cast.context(cast.case()), environment="production")

    assert rule_of(decide(sent, production)) == (rule, "programme")
