"""Offers: their life, who may decide on them, and what a referral means to one that it names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace as changed

from gateway.exchange.decide import decide
from gateway.exchange.decision import HUB, Accepted, Context, Errand, Refused
from gateway.exchange.registry import Registry
from tests.gateway.exchange import cast

if TYPE_CHECKING:
    from gateway.exchange.offer_state import Offer

OWNER, HOST = cast.RELATED["W"], cast.urn_of(cast.RELATED["H"])
TOWN, VDAB, PARTNER = cast.RELATED["G"], cast.RELATED["V"], cast.RELATED["P"]
DECLARED = {"declared": True, "declared_by": "Directie", "declared_on": "2026-05-01"}


def offer_data(**changes: Any) -> dict[str, Any]:
    """What an owner publishes; a change to None leaves the field out."""
    whole = {
        "title": "Groendienst",
        "activity_code": "green_maintenance",
        "host_org": HOST,
        "location": {"name": "Park", "nis": cast.NIS},
        "places": 3,
        "programme_scope": ["wijk_werken"],
        "mentor_available": True,
        "valid_to": "2026-12-31",
        "dayparts": ["monday_morning"],
        "languages": ["nl", "fr"],
        "non_displacement": DECLARED,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def send(
    name: str,
    data: dict[str, Any],
    offer: Offer | None = None,
    sender: str = OWNER,
    context: Context | None = None,
) -> Accepted | Refused:
    """What becomes of an offer's event."""
    sent = cast.submission(name, sender, data, subject=None if offer is None else offer.id)
    return decide(sent, changed(context or cast.context(), offer=offer))


def left(outcome: Accepted | Refused) -> Offer:
    """The offer as an accepted event leaves it."""
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    assert outcome.offer is not None
    return outcome.offer


def rule_of(outcome: Accepted | Refused) -> str:
    """The rule that refused."""
    assert isinstance(outcome, Refused)
    return str(outcome.error.facts["rule"])


def warned(outcome: Accepted | Refused) -> list[str]:
    """The codes of what the sender is told."""
    assert isinstance(outcome, Accepted), outcome.error.detail.en
    return [one.code for one in outcome.warnings]


def published(**changes: Any) -> Offer:
    """A published offer."""
    return left(send("offer.published", offer_data(**changes)))


def test_an_offer_is_published_with_all_places_free() -> None:
    """What the search needs stands in its state."""
    offer = published()

    assert (offer.state, offer.places, offer.free_places) == ("published", 3, 3)
    assert (offer.host_org, offer.activity) == (HOST, "green_maintenance")
    assert (offer.dayparts, offer.languages) == (("monday_morning",), ("nl", "fr"))


@pytest.mark.parametrize("declaration", [None, {**DECLARED, "declared": False}])
def test_without_a_declaration_it_stays_a_draft(declaration: dict[str, Any] | None) -> None:
    """And becomes published by the update that brings one."""
    draft = published(non_displacement=declaration)
    still = left(send("offer.updated", {"places": 4}, draft))
    now = left(send("offer.updated", {"non_displacement": DECLARED}, still))

    assert [draft.state, still.state, now.state] == ["draft", "draft", "published"]
    assert now.places == 4


@pytest.mark.parametrize(
    "data",
    [{"cleared": ["non_displacement"]}, {"non_displacement": {**DECLARED, "declared": False}}],
)
def test_a_published_offer_keeps_its_declaration(data: dict[str, Any]) -> None:
    """It may be renewed, not taken away."""
    assert rule_of(send("offer.updated", data, published())) == "declaration_withdrawn"
    assert left(send("offer.updated", {"non_displacement": DECLARED}, published())).declared


def test_what_is_cleared_is_no_longer_found() -> None:
    """A list that is cleared is empty, and a changed host is another host."""
    data = {"cleared": ["dayparts"], "host_org": cast.urn_of(cast.STRANGERS["H"])}
    offer = left(send("offer.updated", data, published()))

    assert offer.dayparts == ()
    assert offer.hosts == (cast.STRANGERS["H"],)


def test_capacity_is_what_its_owner_states() -> None:
    """Free and waiting places are taken over, and never more are free than there are."""
    offer = changed(published(), accepted=2)
    stated = left(send("offer.capacity_changed", {"free_places": 1, "waiting": 4}, offer))

    assert (stated.free_places, stated.waiting, stated.accepted) == (1, 4, 0)
    assert rule_of(send("offer.capacity_changed", {"free_places": 4}, offer)) == (
        "more_free_than_places"
    )


@pytest.mark.parametrize(("places", "free"), [(5, 3), (2, 0), (1, 0)])
def test_more_or_fewer_places_leave_the_taken_ones_taken(places: int, free: int) -> None:
    """Two of three are taken; what is added is free."""
    offer = changed(published(), free_places=1)

    assert left(send("offer.updated", {"places": places}, offer)).free_places == free


def test_an_offer_of_yesterday_is_not_published() -> None:
    """Today is the last day that makes sense."""
    assert published(valid_to="2026-05-28").state == "published"
    assert rule_of(send("offer.published", offer_data(valid_to="2026-05-27"))) == "valid_to_past"
    assert rule_of(send("offer.updated", {"valid_to": "2026-05-27"}, published())) == (
        "valid_to_past"
    )


REVIEWED = {"decision": "unfounded", "decided_by": cast.urn_of(VDAB)}


def reviewed(sender: str, offer: Offer, registry: Registry | None = None) -> Accepted | Refused:
    """What becomes of somebody's decision on displacement."""
    context = cast.context() if registry is None else changed(cast.context(), registry=registry)
    return send("offer.displacement_resolved", REVIEWED, offer, sender, context)


def test_displacement_is_reported_and_resolved() -> None:
    """Anybody around reports; VDAB, or the town of a private party, decides."""
    report = {"reporter_role": "social_economy", "ground": "replaces_social_economy"}
    offer = left(send("offer.displacement_reported", report, published(), cast.RELATED["S"]))

    assert offer.state == "under_review"
    for sender in (VDAB, TOWN):
        assert left(reviewed(sender, offer)).state == "published"
    withdrawn = {**REVIEWED, "decision": "withdrawn"}
    assert left(send("offer.displacement_resolved", withdrawn, offer, VDAB)).state == "withdrawn"


def with_public_host() -> Registry:
    """The cast with a host that is a public body of the same town."""
    known = cast.registry()
    return Registry.build(
        version=2,
        environment="test",
        organisations=[
            replace(one, private=one.private and one.urn != HOST)
            for one in known.organisations.values()
        ],
        participants=known.participants.values(),
        agreements=known.agreements.values(),
    )


def test_nobody_decides_on_their_own_displacement() -> None:
    """Not the town of a public host, nor a town that is the host itself: then VDAB."""
    offer = changed(published(), state="under_review")
    of_town = changed(offer, host_org=cast.urn_of(TOWN))

    assert rule_of(reviewed(TOWN, offer, with_public_host())) == "not_independent"
    assert rule_of(reviewed(TOWN, of_town)) == "not_independent"
    assert left(reviewed(VDAB, offer, with_public_host())).state == "published"


@pytest.mark.parametrize(
    ("own", "near", "told"),
    [
        (["wijk_werken"], {"programmes": ("art60_7",)}, True),
        (["maatwerk_collectief"], {"programmes": ("wijk_werken",)}, True),
        (["wijk_werken", "art60_7"], None, True),
        (["wijk_werken"], {"programmes": ("samenlevingsjob",)}, False),
        (["wijk_werken"], {"programmes": ("art60_7",), "activity": "animal_care"}, False),
        (["wijk_werken"], {"programmes": ("art60_7",), "host_org": "urn:schakel:org:x"}, False),
        (["wijk_werken"], None, False),
    ],
)
def test_overlap_with_paid_work_is_told(
    own: list[str],
    near: dict[str, Any] | None,
    told: bool,  # noqa: FBT001
) -> None:
    """The same workplace and activity as article 60 or maatwerk: told, never refused (R9)."""
    other = () if near is None else (changed(cast.offer("published"), **near),)
    context = changed(cast.context(), offers_at=lambda _nis: other)
    outcome = send("offer.published", offer_data(programme_scope=own), context=context)

    assert ("overlap_of_offers" in warned(outcome)) is told


def refer(offer: Offer | None, sender: str = cast.RELATED["O"], **changes: Any) -> Any:
    """What becomes of an open referral that names the cast's offer."""
    data = {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "person": {"postcode": "3300"},
        "offer_id": cast.OFFER,
        **changes,
    }
    context = changed(cast.context(), named_offer=offer)
    return decide(cast.submission("referral.created", sender, data), context)


def test_an_offers_owner_may_claim_the_referral() -> None:
    """Without any other offer of the programme, its owner is a candidate beside V and O."""
    outcome = refer(cast.offer("published"))

    assert isinstance(outcome, Accepted)
    assert outcome.trajectory is not None
    (referral,) = outcome.trajectory.referrals.values()
    assert (referral.state, referral.offer_id) == ("open", cast.OFFER)
    assert {OWNER, VDAB} <= set(referral.candidates)


def test_an_offer_remembers_where_it_is_used() -> None:
    """The case, and who led it there: so that it is told when the offer goes away."""
    outcome = refer(cast.offer("published"))

    assert outcome.offer.uses == {outcome.trajectory.id: cast.RELATED["O"]}
    assert outcome.offer.version == cast.offer("published").version


@pytest.mark.parametrize(
    ("offer", "rule"),
    [
        (None, "unknown_offer"),
        (cast.offer("draft"), "offer_not_open"),
        (cast.offer("withdrawn"), "offer_not_open"),
        (changed(cast.offer("published"), valid_to="2026-05-27"), "offer_not_open"),
    ],
)
def test_a_referral_names_an_offer_that_can_be_filled(offer: Offer | None, rule: str) -> None:
    """Anything else is refused with the field and the fix."""
    outcome = refer(offer)

    assert rule_of(outcome) == rule
    assert outcome.error.invalid[0].name == "offer_id"


@pytest.mark.parametrize(
    ("offer", "programme", "code"),
    [
        ({"free_places": 0}, "wijk_werken", "no_free_places"),
        ({"free_places": 2, "accepted": 2}, "wijk_werken", "no_free_places"),
        ({}, "gemeenschapsdienst", "offer_for_other_programme"),
    ],
)
def test_a_doubtful_offer_is_told_and_not_refused(
    offer: dict[str, Any], programme: str, code: str
) -> None:
    """Capacity is the owner's statement, and programmes may be settled later."""
    found = changed(cast.offer("published"), **offer)

    assert warned(refer(found, programme=programme)) == [code]


def accept(offer: Offer, **data: Any) -> Accepted | Refused:
    """What becomes of an acceptance on the cast's offer."""
    referral = changed(cast.referral("sent"), offer_id=cast.OFFER)
    case = cast.case(referrals={cast.REFERRAL: referral})
    named = offer if "offer_id" in data else None
    context = changed(cast.context(case), named_offer=named, find_offer=lambda _id: offer)
    sent = cast.submission(
        "referral.accepted", OWNER, data, trajectory_id=case.id, subject=cast.REFERRAL
    )
    return decide(sent, context)


def test_acceptances_beyond_the_free_places_are_told() -> None:
    """Two are free: the third acceptance since that statement is warned of, named or not."""
    offer, seen = cast.offer("published"), []
    for _ in range(3):
        outcome = accept(offer, offer_id=cast.OFFER)
        seen.append(warned(outcome))
        offer = left(outcome)

    assert seen == [[], [], ["no_free_places"]]
    assert offer.accepted == 3
    assert warned(accept(offer)) == ["no_free_places"]


def withdrawn(*cases: str) -> tuple[Errand, ...]:
    """The errands of an offer's withdrawal that these cases use."""
    offer = changed(cast.offer("published"), uses=dict.fromkeys(cases, PARTNER))
    outcome = send("offer.withdrawn", {"reason": "host_stopped"}, offer)
    assert isinstance(outcome, Accepted)
    return outcome.errands


def test_withdrawing_tells_every_case_that_uses_it() -> None:
    """One errand a case, under the grants of whoever led the person to the offer."""
    errands = withdrawn(cast.TRAJECTORY, cast.FRESH)

    assert [one.target_id for one in errands] == [cast.TRAJECTORY, cast.FRESH]
    assert {one.acts_for for one in errands} == {PARTNER}
    assert len({one.id for one in errands}) == 2


def warn(**parts: Any) -> Accepted | Refused:
    """What the errand does on a case."""
    (errand,) = withdrawn(cast.TRAJECTORY)
    case = cast.case(**parts)
    sent = cast.submission(
        errand.name, HUB, errand.data, trajectory_id=case.id, on_behalf_of=errand.acts_for
    )
    return decide(sent, cast.context(case))


def test_the_handler_of_a_waiting_referral_gets_a_task() -> None:
    """The referral stays as it is; its handler is told, and nobody else's task it is."""
    referral = changed(cast.referral("acknowledged"), offer_id=cast.OFFER)
    outcome = warn(referrals={cast.REFERRAL: referral})

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    names = [one.event.name for one in outcome.events]
    assert names == ["trajectory.warning_raised", "trajectory.task_raised"]
    task = outcome.events[1]
    assert (task.data["what"], task.data["addressee"]) == ("offer_withdrawn", cast.urn_of(OWNER))
    reached = {one.participant for one in task.recipients if one.excluded is None}
    assert OWNER in reached
    assert outcome.trajectory is not None
    assert outcome.trajectory.referrals[cast.REFERRAL].state == "acknowledged"


def test_a_planned_placement_is_warned_and_not_cancelled() -> None:
    """Its organiser and the case holder read it; the placement stays planned."""
    placement = changed(cast.placement("planned"), offer_id=cast.OFFER)
    outcome = warn(placements={cast.PLACEMENT: placement})

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    (event,) = outcome.events
    reached = {one.participant for one in event.recipients if one.excluded is None}
    assert {OWNER, VDAB} <= reached
    assert outcome.trajectory is not None
    assert outcome.trajectory.placements[cast.PLACEMENT].state == "planned"


def test_a_case_that_no_longer_depends_on_it_is_left_in_peace() -> None:
    """The errand is refused, and so dropped, when the referral has ended."""
    referral = changed(cast.referral("declined"), offer_id=cast.OFFER)

    assert rule_of(warn(referrals={cast.REFERRAL: referral})) == "nothing_to_warn_of"


def test_a_task_is_not_the_responsibility_of_every_organiser() -> None:
    """A placement's organiser does not read a task that is somebody else's."""
    case = cast.case(
        referrals={cast.REFERRAL: changed(cast.referral("sent"), handler=cast.STRANGERS["W"])},
        placements={cast.PLACEMENT: cast.placement("active")},
    )
    sent = cast.submission(
        "referral.declined",
        cast.STRANGERS["W"],
        {"reason": "no_capacity"},
        trajectory_id=case.id,
        subject=cast.REFERRAL,
    )
    outcome = decide(sent, cast.context(case))

    assert isinstance(outcome, Accepted), outcome.error.detail.en
    task = next(one for one in outcome.events if one.event.name == "trajectory.task_raised")
    reached = {one.participant for one in task.recipients if one.excluded is None}
    assert VDAB in reached
    assert OWNER not in reached
