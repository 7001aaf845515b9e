"""What is queued stops as soon as the right to it ends, without being read, and comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from consumers import kafka_positions
from gateway.exchange.authorise import Stopped
from gateway.exchange.entitlements import changed, entitlements
from gateway.exchange.render import Rendered
from gateway.exchange.sweeper import SETTLED_US
from tests.gateway.exchange.exchange_world import (
    OCMW,
    ORGANISER,
    ORGANISER_URN,
    REFERRAL,
    VDAB,
    World,
    demo_registry,
    exchange,
    rebuilt,
    without_agreement,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.registry import Registry

__all__ = ["stores"]

PROTOCOL = "demo-ocmw-organiser-2026"


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange; whatever was there at the start has been looked at."""
    with exchange(stores, tmp_path) as made:
        made.sweeper.step()
        yield made


def referred(world: World) -> tuple[str, str]:
    """Somebody was referred to the organiser, which has not fetched it: trajectory, referral."""
    outcome = world.send("referral.created", OCMW, REFERRAL)
    world.deliver()
    assert outcome.receipt is not None
    trajectory = str(outcome.receipt.trajectory_id)
    return trajectory, world.rows(trajectory)[0].aggregate_id


def said(world: World, name: str, trajectory: str, scope: dict[str, Any]) -> None:
    """The case holder records something for the person."""
    world.send(name, OCMW, {"scope": scope}, trajectory_id=trajectory, subject=trajectory)


def legs(world: World, participant: str = ORGANISER) -> dict[str, str | None]:
    """What stops each event in an inbox, by the event's name."""
    return {one.event_name: one.stopped_leg for one in world.inbox(participant)}


def test_what_kafka_has_not_taken_is_still_queued(world: World) -> None:
    """Rendered for a broker that was away: stopped when the right ends, given again with it.

    What was written stays as it is.
    """
    referred(world)
    first, second = world.inbox(ORGANISER)
    world.fetch(ORGANISER, "kafka")
    with world.engines["consumers"].begin() as connection:
        kafka_positions.store(connection, ORGANISER, first.seq)
    intact = world.registry
    world.registry = without_agreement(intact, PROTOCOL)
    assert world.sweeper.step() == 1
    assert legs(world) == {first.event_name: None, second.event_name: "agreement"}

    world.registry = rebuilt(intact)
    assert world.sweeper.step() == 1
    assert legs(world) == {first.event_name: None, second.event_name: None}
    assert world.inbox(ORGANISER)[-1].seq > second.seq


def test_a_revoked_agreement_stops_what_is_queued(world: World) -> None:
    """Nobody has to read for it; when the agreement counts again, so does what it stopped."""
    referred(world)
    intact = world.registry
    world.registry = without_agreement(intact, PROTOCOL)
    stopped = world.sweeper.step()

    assert stopped == 2
    assert set(legs(world).values()) == {"agreement"}
    assert world.sweeper.step() == 0

    world.registry = rebuilt(intact)
    world.waker.payloads.clear()
    assert world.sweeper.step() == 2
    assert set(legs(world).values()) == {None}
    assert world.waker.payloads == [ORGANISER.encode()]


def test_what_comes_back_comes_after_what_was_read_past(world: World) -> None:
    """A reader that has passed stopped rows gets them all the same, in their order."""
    referred(world)
    intact, names = world.registry, world.names(ORGANISER)
    world.registry = without_agreement(intact, PROTOCOL)
    world.sweeper.step()
    passed = world.inbox(ORGANISER)[-1].seq
    world.registry = rebuilt(intact)
    world.sweeper.step()

    again = [one for one in world.inbox(ORGANISER) if one.seq > passed]

    assert [one.event_name for one in again] == names


def test_what_was_handed_over_is_left_alone(world: World) -> None:
    """The log of disclosures says that it left; a change now concerns what has not."""
    referred(world)
    world.fetch(ORGANISER)
    world.registry = without_agreement(world.registry, PROTOCOL)

    assert world.sweeper.step() == 0
    assert set(legs(world).values()) == {None}


def test_an_agreement_that_expires_stops_what_is_queued(world: World) -> None:
    """A day that begins is a change, without anything in the registry."""
    referred(world)
    ends = world.registry.agreements[PROTOCOL]
    grants = tuple(replace(one, valid_to=date(2026, 5, 28)) for one in ends.agreement.grants)
    shorter = replace(ends, agreement=replace(ends.agreement, grants=grants))
    others = [one for one in world.registry.agreements.values() if one.id != PROTOCOL]
    world.registry = rebuilt(world.registry, agreements=[*others, shorter])

    assert world.sweeper.step() == 0
    world.clock.advance(86_400)
    assert world.sweeper.step() == 2
    assert set(legs(world).values()) == {"validity"}


def test_a_lost_territory_stops_what_came_for_it(world: World) -> None:
    """An organiser that no longer serves the town gets nothing more of it; a referrer would."""
    referred(world)
    world.registry = serving(world.registry, ORGANISER, frozenset({"24062"}))
    world.sweeper.step()

    assert set(legs(world).values()) == {"territory_lost"}
    assert set(world.fetch(ORGANISER)) == {Stopped("territory_lost")}


def serving(registry: Registry, participant: str, nis: frozenset[str]) -> Registry:
    """The same registry in which somebody serves other municipalities."""
    known = registry.participants.values()
    moved = [replace(one, territory=nis) if one.id == participant else one for one in known]
    return rebuilt(registry, participants=moved)


def test_a_member_that_leaves_gets_only_how_it_ended(world: World) -> None:
    """A withdrawn referral stops; the organiser hears that it was withdrawn, and no more."""
    trajectory, referral = referred(world)
    data = {"reason": "person_request"}
    world.send("referral.withdrawn", OCMW, data, trajectory_id=trajectory, subject=referral)
    world.deliver()
    world.sweeper.step()

    found = legs(world)

    assert found["referral.created"] == "membership_ended"
    assert found["referral.withdrawn"] is None
    given = [one for one in world.fetch(ORGANISER) if isinstance(one, Rendered)]
    assert [one.row.event_name for one in given] == ["referral.withdrawn"]


def test_what_is_routed_late_is_stopped_on_arrival(world: World) -> None:
    """Kafka was away while somebody left: the route stops what the review could not see."""
    outcome = world.send("referral.created", OCMW, REFERRAL)
    assert outcome.receipt is not None
    trajectory = str(outcome.receipt.trajectory_id)
    data = {"reason": "person_request"}
    referral = world.rows(trajectory)[0].aggregate_id
    world.clock.advance(1)
    world.send("referral.withdrawn", OCMW, data, trajectory_id=trajectory, subject=referral)
    world.sweeper.step()
    world.clock.advance(10)
    world.deliver()

    assert legs(world)["referral.created"] == "membership_ended"
    assert legs(world)["referral.withdrawn"] is None


def test_an_objection_stops_what_is_queued_and_lifting_gives_it(world: World) -> None:
    """All of the person's data, until the objection is lifted; the notice of it goes through."""
    trajectory, _ = referred(world)
    said(world, "subject.objection_recorded", trajectory, {})
    world.deliver()
    world.sweeper.step()
    found = legs(world)

    assert found["referral.created"] == "objection"
    assert found["subject.objection_recorded"] is None
    assert world.fetch(ORGANISER)[0] == Stopped("objection")

    said(world, "subject.objection_lifted", trajectory, {})
    world.deliver()
    world.sweeper.step()

    assert set(legs(world).values()) == {None}
    assert all(isinstance(one, Rendered) for one in world.fetch(ORGANISER))


def test_an_event_after_the_objection_arrives_stopped(world: World) -> None:
    """The hold counts for what comes later, as soon as it comes."""
    trajectory, referral = referred(world)
    said(world, "subject.objection_recorded", trajectory, {"organisation": ORGANISER_URN})
    data = {"on": "2026-05-28", "kind": "phone", "with": ["organiser"]}
    world.send(
        "guidance.contact_recorded", OCMW, data, trajectory_id=trajectory, subject=trajectory
    )
    world.deliver()

    assert legs(world)["guidance.contact_recorded"] == "objection"
    assert referral


def test_an_objection_has_a_scope(world: World) -> None:
    """Against another organisation, or for another purpose, it holds nothing here."""
    trajectory, _ = referred(world)
    said(world, "subject.objection_recorded", trajectory, {"organisation": "urn:be:kbo:1999000348"})
    said(world, "subject.objection_recorded", trajectory, {"purpose": "outcome_monitoring"})
    world.sweeper.step()
    assert set(legs(world).values()) == {None}

    said(world, "subject.objection_recorded", trajectory, {"purpose": "activation_referral"})
    world.sweeper.step()
    assert legs(world)["referral.created"] == "objection"


def test_an_objection_that_is_not_there_is_not_lifted(world: World) -> None:
    """Another scope than the recorded one would let through what the person still holds."""
    trajectory, _ = referred(world)
    said(world, "subject.objection_recorded", trajectory, {"organisation": ORGANISER_URN})
    outcome = world.try_send(
        "subject.objection_lifted", OCMW, {"scope": {}}, trajectory_id=trajectory,
        subject=trajectory,
    )  # fmt: skip

    assert outcome.status == "rejected"
    assert outcome.error is not None
    assert outcome.error.facts["rule"] == "no_such_objection"


def test_withdrawn_consent_stops_what_rests_on_consent(world: World) -> None:
    """What rests on a public task goes on; what rests on consent stops and stays stopped."""
    trajectory, _ = referred(world)
    said(world, "subject.consent_withdrawn", trajectory, {})
    world.deliver()
    world.sweeper.step()
    assert set(legs(world).values()) == {None}

    world.registry = on_consent(world.registry)
    world.sweeper.step()

    assert legs(world)["referral.created"] == "consent_withdrawn"
    assert legs(world)["subject.consent_withdrawn"] is None


def on_consent(registry: Registry) -> Registry:
    """The same registry in which the OCMW's agreement with the organiser rests on consent."""
    agreements = []
    for one in registry.agreements.values():
        grants = tuple(
            replace(grant, legal_basis="consent_6_1_a") for grant in one.agreement.grants
        )
        agreement = replace(one.agreement, grants=grants)
        agreements.append(replace(one, agreement=agreement) if one.id == PROTOCOL else one)
    return rebuilt(registry, agreements=agreements)


def test_consent_given_anew_counts_from_then_on(world: World) -> None:
    """A new referral with a reference to consent goes through; the old one stays stopped."""
    trajectory, _ = referred(world)
    world.registry = on_consent(world.registry)
    said(world, "subject.consent_withdrawn", trajectory, {})
    world.clock.advance(60)
    again = {**REFERRAL, "consent_ref": "map 12"}
    world.send("referral.created", OCMW, again, trajectory_id=trajectory)
    world.deliver()

    found = [
        (one.event_name, one.stopped_leg)
        for one in world.inbox(ORGANISER)
        if one.event_name == "referral.created"
    ]

    assert found == [("referral.created", None), ("referral.created", None)]
    world.sweeper.step()
    now = [one.stopped_leg for one in world.inbox(ORGANISER) if "created" in one.event_name]
    assert now == ["consent_withdrawn", None]


def test_a_review_is_looked_at_twice_and_then_forgotten(world: World) -> None:
    """At once for what lies there, and once more for what was on its way."""
    trajectory, _ = referred(world)
    said(world, "subject.objection_recorded", trajectory, {})

    assert world.sweeper.step() == 2
    with world.engines["ledger_read"].connect() as connection:
        assert connection.exec_driver_sql("select count(*) from reviews").scalar() == 1
    world.clock.advance(SETTLED_US / 1_000_000 + 1)
    world.sweeper.step()
    with world.engines["ledger_read"].connect() as connection:
        assert connection.exec_driver_sql("select count(*) from reviews").scalar() == 0


def test_only_those_concerned_are_looked_at() -> None:
    """One agreement concerns its parties, a territory its participant, and a day nobody."""
    registry, day = demo_registry(), date(2026, 6, 1)
    before = entitlements(registry, day)
    revoked = entitlements(without_agreement(registry, PROTOCOL), day)
    moved = entitlements(serving(registry, VDAB, frozenset({"24062"})), day)

    assert changed(before, entitlements(registry, date(2026, 6, 2))) == []
    assert changed(before, revoked) == [OCMW, ORGANISER]
    assert changed(before, moved) == [VDAB]
    assert changed(before, entitlements(registry, date(2031, 1, 1))) != []
