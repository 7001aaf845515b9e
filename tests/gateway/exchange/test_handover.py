"""At hand-over grants count as they are now, copies hold what they may, and each is disclosed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest
from msgspec import structs

from consumers import views
from consumers.scope import Scope
from gateway.errors import Unavailable
from gateway.exchange.authorise import Stopped
from gateway.exchange.pseudonym import pseudonym
from gateway.exchange.render import Rendered
from gateway.exchange.standing import NOTHING_KNOWN
from schemas.envelope import MASKED_SOURCE, to_structured
from tests.gateway.exchange.exchange_world import (
    CANARY,
    CAW,
    OCMW,
    OCMW_URN,
    ORGANISER,
    REFERRAL,
    VDAB,
    VDAB_URN,
    World,
    exchange,
    rebuilt,
    without_agreement,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.handover import Outcome

__all__ = ["stores"]

PROTOCOL = "demo-ocmw-organiser-2026"


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange."""
    with exchange(stores, tmp_path) as made:
        yield made


def _referred(world: World) -> str:
    outcome = world.send("referral.created", OCMW, REFERRAL, source_record_id="DOSSIER-7")
    world.deliver()
    assert outcome.receipt is not None
    assert outcome.receipt.trajectory_id is not None
    return outcome.receipt.trajectory_id


def _copy(outcome: Outcome) -> Rendered:
    assert isinstance(outcome, Rendered)
    return outcome


def _hand_to_vdab(world: World, trajectory: str) -> None:
    offer = {"to": VDAB_URN, "reason": "agreement", "effective": "2026-06-02"}
    world.send(
        "trajectory.handover_offered", OCMW, offer, trajectory_id=trajectory, subject=trajectory
    )


def test_a_copy_holds_what_the_agreement_gives(world: World) -> None:
    """The organiser reads the person and the contact; status and INSZ are named as withheld."""
    _referred(world)
    copy = _copy(world.fetch(ORGANISER)[0]).event

    assert copy.data["person"]["family_name"] == CANARY
    assert copy.data["contact_person"]["name"] == "Onthaal"
    assert "income_status" not in copy.data
    assert {"income_status", "insz", "reason_codes"} <= set(copy.withheld)


def test_a_copy_says_where_it_comes_from_and_under_what(world: World) -> None:
    """Attributes of the envelope come from the ledger and from the grant of this moment."""
    trajectory = _referred(world)
    sent = to_structured(_copy(world.fetch(ORGANISER)[0]).event)

    assert sent["source"] == f"urn:schakel:participant:{OCMW}"
    assert sent["type"] == "be.schakel.activation.v1.referral.created"
    assert (sent["agreementid"], sent["purpose"]) == (PROTOCOL, "activation_referral")
    agreement = world.registry.agreement(PROTOCOL)
    assert agreement is not None
    assert sent["agreementhash"] == agreement.hash
    assert (sent["trajectoryid"], sent["deliveredfor"]) == (trajectory, ORGANISER)
    assert (sent["actorrole"], sent["aggregatetype"]) == ("O", "referral")
    assert sent["dataclassification"] == "restricted"
    assert "backfill" not in sent


def test_the_senders_own_number_never_leaves(world: World) -> None:
    """A case number of the sender is in no copy and in no attribute."""
    _referred(world)
    sent = orjson.dumps(to_structured(_copy(world.fetch(ORGANISER)[0]).event))

    assert b"DOSSIER-7" not in sent


def test_everybody_knows_a_person_by_another_name(world: World) -> None:
    """Pseudonyms are stable for one participant and differ between two."""
    trajectory = _referred(world)
    subject = str(world.rows(trajectory)[0].subject_id)
    first, second = (_copy(one).event.subjectref for one in world.fetch(ORGANISER))
    other = _copy(world.fetch(OCMW)[0]).event.subjectref

    assert first == second == pseudonym(world.keys.pseudonym_key(ORGANISER), subject)
    assert other != first
    assert subject not in (first, other)


def test_a_revoked_agreement_stops_what_is_on_its_way(world: World) -> None:
    """What lies in the inbox is stopped with its leg, undisclosed, until it is restored."""
    _referred(world)
    intact = world.registry
    world.registry = without_agreement(intact, PROTOCOL)

    assert world.fetch(ORGANISER) == [Stopped("agreement"), Stopped("agreement")]
    assert {one.stopped_leg for one in world.inbox(ORGANISER)} == {"agreement"}
    assert world.disclosed(ORGANISER) == 0

    world.registry = intact
    assert isinstance(world.fetch(ORGANISER)[0], Rendered)
    assert {one.status for one in world.inbox(ORGANISER)} == {"ready"}


def test_a_door_at_which_nobody_asks_skips_what_is_stopped_and_nothing_else(world: World) -> None:
    """A copy or None stands for each row; a row that the ledger does not show yet is waited for."""
    _referred(world)
    entries = world.inbox(ORGANISER)
    absent = structs.replace(entries[0], event_id="not-there-yet")

    copies = world.handover.copies(ORGANISER, entries, "kafka")
    with pytest.raises(Unavailable):
        world.handover.copies(ORGANISER, [*entries, absent], "kafka")
    world.registry = without_agreement(world.registry, PROTOCOL)

    assert [None if one is None else one.id for one in copies] == [one.event_id for one in entries]
    assert world.handover.copies(ORGANISER, entries, "kafka") == [None] * len(entries)


def test_a_revoked_participant_gets_nothing(world: World) -> None:
    """A participant that was revoked is stopped before any grant is asked for."""
    _referred(world)
    members = world.registry.participants.values()
    world.registry = rebuilt(
        world.registry,
        participants=[
            replace(one, status="revoked") if one.id == ORGANISER else one for one in members
        ],
    )

    assert set(world.fetch(ORGANISER)) == {Stopped("participant_inactive")}


def test_an_agreement_without_the_door_stops_it(world: World) -> None:
    """A grant for the feed does not open a door that it does not name."""
    _referred(world)

    assert world.fetch(ORGANISER, door="carrier_pigeon") == [Stopped("door"), Stopped("door")]


def test_each_door_discloses_an_event_once(world: World) -> None:
    """Reading a page again adds no line; another door adds its own."""
    _referred(world)
    for _ in range(3):
        world.fetch(ORGANISER)
    world.fetch(ORGANISER, door="webhook")

    ids = [one.event_id for one in world.inbox(ORGANISER)]
    with world.engines["consumers_read"].connect() as connection:
        found = views.hand_overs_of(connection, Scope(ORGANISER), ids)

    assert sorted(one.door for one in found) == ["feed", "feed", "webhook", "webhook"]
    assert {one.event_id for one in found} == set(ids)


def test_an_erased_event_is_stopped(world: World) -> None:
    """Without its data key an event cannot be handed over, and says so."""
    _referred(world)
    with world.engines["keys"].begin() as connection:
        connection.exec_driver_sql("delete from data_keys")
    world.keys.forget_cached()

    outcomes = world.fetch(ORGANISER)

    assert set(outcomes) == {Stopped("erased")}
    assert world.disclosed(ORGANISER) == 0


def test_staff_stays_shut_when_it_was_erased_apart(world: World) -> None:
    """The staff's fields have a key of their own: without it the rest is still handed over."""
    _referred(world)
    with world.engines["keys"].begin() as connection:
        connection.exec_driver_sql("delete from data_keys where part = 'staff'")
    world.keys.forget_cached()

    copy = _copy(world.fetch(ORGANISER)[0]).event

    assert "contact_person" not in copy.data
    assert copy.data["person"]["family_name"] == CANARY


def test_a_sensitive_sender_is_masked_for_all_but_the_case_holder(world: World) -> None:
    """Who refers may reveal something about health: source, agreement and desk stay hidden."""
    organisations = world.registry.organisations.values()
    world.registry = rebuilt(
        world.registry,
        organisations=[replace(one, sensitive_sender=one.urn == OCMW_URN) for one in organisations],
    )
    trajectory = _referred(world)
    copy = _copy(world.fetch(ORGANISER)[0]).event

    assert copy.source == MASKED_SOURCE
    assert copy.agreementid is copy.agreementhash is None
    assert "contact_person" not in copy.data
    assert "contact_person.name" in copy.withheld

    row = world.rows(trajectory)[0]
    renderer = world.handover.renderer
    held = renderer.render(
        row, VDAB, frozenset({"case_holder"}), "feed", NOTHING_KNOWN, backfill=True
    )

    assert _copy(held).event.source == f"urn:schakel:participant:{OCMW}"


def test_an_old_event_is_stopped_by_the_grants_age(world: World) -> None:
    """A grant for fresh events does not hand over an old one."""
    _referred(world)
    world.clock.advance(400 * 86_400)
    agreements = [
        replace(
            one,
            agreement=replace(
                one.agreement,
                grants=tuple(replace(grant, max_age_days=365) for grant in one.agreement.grants),
            ),
        )
        for one in world.registry.agreements.values()
    ]
    world.registry = rebuilt(world.registry, agreements=agreements)

    assert set(world.fetch(ORGANISER)) == {Stopped("age")}


@pytest.mark.parametrize(
    ("participant", "relations", "leg"),
    [
        (OCMW, {"referrer"}, "own_event"),
        (VDAB, set(), "membership"),
        (CAW, {"handler"}, "event"),
        ("wzc-de-linde", {"host"}, "host_referral"),
        ("ocmw-leuven", {"handler"}, "agreement"),
        ("nobody", {"handler"}, "participant_inactive"),
    ],
)
def test_the_leg_that_stops_is_named(
    world: World, participant: str, relations: set[str], leg: str
) -> None:
    """Each reason not to hand over has a name of its own."""
    row = world.rows(_referred(world))[0]
    registry = world.registry
    if leg == "event":
        # The CAW has agreements with the OCMW, though none from it about a case of its own.
        row = structs.replace(row, event_name="guidance.contact_recorded")

    outcome = world.handover.renderer.render(
        row, participant, frozenset(relations), "feed", NOTHING_KNOWN
    )

    assert outcome == Stopped(leg)
    assert world.registry is registry


def test_history_is_wider_once_its_reader_holds_the_case(world: World) -> None:
    """A row that was given for an offered case is given again, with more, to its new holder."""
    trajectory = _referred(world)
    _hand_to_vdab(world, trajectory)
    world.deliver()
    narrow = _copy(world.fetch(VDAB)[0]).event
    taken = {
        "from": OCMW_URN,
        "to": VDAB_URN,
        "reason": "agreement",
        "effective": "2026-06-02",
        "contact": {"name": "Bemiddeling"},
    }
    name = "trajectory.case_holder_changed"
    world.send(name, VDAB, taken, trajectory_id=trajectory, subject=trajectory)
    for _ in range(2):  # the second time changes nothing
        world.deliver()
        world.log.replay(0)
    entries = world.inbox(VDAB)
    wide = next(
        _copy(one).event
        for one in world.fetch(VDAB)
        if _copy(one).row.event_name == "referral.created"
    )

    assert "person.phone" in narrow.withheld
    assert "person.phone" not in wide.withheld
    assert len({one.event_id for one in entries}) == len(entries)
    with world.engines["consumers_read"].connect() as connection:
        (line,) = views.hand_overs_of(connection, Scope(VDAB), [wide.id])
    assert "person.phone" not in line.withheld


def test_an_onward_grant_serves_history_within_both_grants(world: World) -> None:
    """History may come through a member allowed to pass it on, with no more than both give."""
    row = world.rows(_referred(world))[0]
    agreements = {
        name: replace(
            one,
            agreement=replace(
                one.agreement,
                grants=tuple(replace(grant, onward=True) for grant in one.agreement.grants),
            ),
        )
        for name, one in world.registry.agreements.items()
    }
    world.registry = without_agreement(
        rebuilt(world.registry, agreements=agreements.values()), "demo-ocmw-vdab-2026"
    )
    renderer, holder = world.handover.renderer, frozenset({"case_holder"})

    onward = _copy(renderer.render(row, VDAB, holder, "feed", NOTHING_KNOWN, backfill=True)).event
    fresh = renderer.render(row, VDAB, holder, "feed", NOTHING_KNOWN)

    assert onward.data["person"]["family_name"] == CANARY
    assert "income_status" in onward.withheld
    assert onward.agreementid == "demo-vdab-organiser-2026"
    assert fresh == Stopped("agreement")
