"""The journey is complete at every moment, and tells each viewer only what it may know."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import orjson
import pytest

from consumers import inbox, kafka_positions
from consumers.kafka_door import UNPUBLISHABLE
from gateway.exchange.registry import Client, Organisation, Participant
from tests.gateway.exchange.exchange_world import (
    CANARY,
    CAW,
    LEUVEN,
    OCMW,
    OCMW_URN,
    ORGANISER,
    REFERRAL,
    VDAB,
    World,
    exchange,
    rebuilt,
    without_agreement,
)
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.passages import Journey, Passage

__all__ = ["stores"]

ADMIN = "hub-beheer"


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange with an administrator of the hub."""
    with exchange(stores, tmp_path) as made:
        home = Organisation("urn:schakel:org:hub", "Schakel")
        admin = Participant(ADMIN, home.urn, home.name, "A", "Beheer")
        made.registry = rebuilt(
            made.registry,
            organisations=[*made.registry.organisations.values(), home],
            participants=[*made.registry.participants.values(), admin],
        )
        yield made


def _refer(world: World, **given: str) -> str:
    outcome = world.send("referral.created", OCMW, REFERRAL, **given)
    assert outcome.receipt is not None
    return outcome.receipt.event_id


def _journey(world: World, event_id: str, viewer: str = OCMW) -> Journey:
    found = world.journeys.event(event_id, viewer)
    assert found is not None
    return found


def _of(journey: Journey, participant: str) -> Passage:
    return next(one for one in journey.passages if one.participant == participant)


def test_an_event_is_followed_from_the_answer_to_the_door(world: World) -> None:
    """Right after the 201 it waits for Kafka; then for the route; then in the inbox; then out."""
    event_id = _refer(world)
    states = []
    steps: list[Callable[[], object]] = [
        lambda: None,
        world.relay,
        lambda: world.route.step(0),
        lambda: world.fetch(ORGANISER),
    ]
    for step in steps:
        step()
        journey = _journey(world, event_id)
        passage = _of(journey, ORGANISER)
        states.append((journey.published, passage.state, passage.reason))

    assert states == [
        (False, "waiting", "not_published"),
        (True, "waiting", "not_routed"),
        (True, "ready", "not_fetched"),
        (True, "delivered", None),
    ]


def test_a_hand_over_says_when_where_and_without_what(world: World) -> None:
    """Door, time and withheld fields are the ones of the disclosure."""
    event_id = _refer(world)
    world.deliver()
    waiting = _of(_journey(world, event_id), ORGANISER)
    world.clock.advance(60)
    world.fetch(ORGANISER)
    passage = _of(_journey(world, event_id), ORGANISER)

    assert passage.doors == (("feed", world.clock.now_us()),)
    assert passage.routed_at == world.clock.now_us() - 60_000_000
    assert "insz" in passage.withheld
    assert passage.withheld == waiting.withheld


def _seq_of(world: World, event_id: str) -> int:
    return next(one.seq for one in world.inbox(ORGANISER) if one.event_id == event_id)


def _written(world: World, upto: int) -> None:
    with world.engines["consumers"].begin() as connection:
        kafka_positions.store(connection, ORGANISER, upto)


def test_in_kafka_it_has_arrived_once_the_broker_took_it(world: World) -> None:
    """Rendered and disclosed is not written: until then it is still to come."""
    reader = Client("in-kafka", ORGANISER, "private_key_jwt", frozenset({"sj_kafka_read"}))
    world.registry = rebuilt(world.registry, clients=[*world.registry.clients.values(), reader])
    event_id = _refer(world)
    world.deliver()
    seq = _seq_of(world, event_id)
    states = []
    steps: list[Callable[[], object]] = [
        lambda: _written(world, seq - 1),
        lambda: world.fetch(ORGANISER, "kafka"),
        lambda: _written(world, seq),
    ]
    for step in steps:
        step()
        passage = _of(_journey(world, event_id), ORGANISER)
        states.append((passage.state, passage.reason))

    waits = ("pending", "not_written")
    assert states == [waits, waits, ("delivered", None)]


def test_what_was_not_written_when_the_right_ended_is_stopped(world: World) -> None:
    """Though it was rendered before: the broker was away, and now it may not go any more."""
    event_id = _refer(world)
    world.deliver()
    world.fetch(ORGANISER, "kafka")
    world.registry = without_agreement(world.registry, "demo-ocmw-organiser-2026")
    passage = _of(_journey(world, event_id), ORGANISER)

    assert (passage.state, passage.reason) == ("stopped", "agreement")


def test_what_no_broker_takes_has_not_arrived(world: World) -> None:
    """Its place is passed over, and its line in the disclosure log stays; it says why."""
    event_id = _refer(world)
    world.deliver()
    seq = _seq_of(world, event_id)
    world.fetch(ORGANISER, "kafka")
    with world.engines["consumers"].begin() as connection:
        inbox.mark(connection, ORGANISER, [seq], UNPUBLISHABLE)
    _written(world, seq)
    passage = _of(_journey(world, event_id), ORGANISER)

    assert (passage.state, passage.reason) == ("stopped", "unpublishable")


def test_who_is_excluded_is_named_with_the_leg(world: World) -> None:
    """Without an agreement the target does not get what follows, and the sender sees why."""
    referral = world.rows_of(_refer(world))[0]
    world.registry = without_agreement(world.registry, "demo-ocmw-organiser-2026")
    outcome = world.send(
        "referral.withdrawn",
        OCMW,
        {"reason": "found_work"},
        trajectory_id=referral.trajectory_id,
        subject=referral.aggregate_id,
    )
    assert outcome.receipt is not None
    passage = _of(_journey(world, outcome.receipt.event_id), ORGANISER)

    assert (passage.state, passage.reason) == ("excluded", "agreement")
    assert world.journeys.event(outcome.receipt.event_id, ORGANISER) is None


def test_a_stopped_hand_over_names_its_leg(world: World) -> None:
    """What a revoked agreement stops at the door is told to the sender."""
    event_id = _refer(world)
    world.deliver()
    world.registry = without_agreement(world.registry, "demo-ocmw-organiser-2026")
    world.fetch(ORGANISER)
    passage = _of(_journey(world, event_id), ORGANISER)

    assert (passage.state, passage.reason) == ("stopped", "agreement")


def test_a_recipient_sees_its_own_line_only(world: World) -> None:
    """The organiser learns where its copy is, and nothing about other recipients."""
    event_id = _refer(world)
    world.deliver()
    opened = next(row for row in world.rows_of(event_id) if row.event_name == "trajectory.opened")
    journey = _journey(world, opened.event_id, ORGANISER)

    assert [one.participant for one in journey.passages] == [ORGANISER]
    assert not journey.is_own
    assert not journey.shows_all
    assert journey.sender == "hub"
    assert len(_journey(world, opened.event_id, OCMW).passages) == 2


def test_nobody_else_learns_that_an_event_exists(world: World) -> None:
    """Strangers get the answer of an event that does not exist, before and after routing."""
    event_id = _refer(world)
    before = [world.journeys.event(event_id, one) for one in (VDAB, CAW, LEUVEN)]
    world.deliver()
    after = [world.journeys.event(event_id, one) for one in (VDAB, CAW, LEUVEN)]

    assert before == after == [None] * 3
    assert world.journeys.event("01950000-0000-7000-8000-00000000dead", OCMW) is None


def test_an_administrator_sees_all_and_no_payload(world: World) -> None:
    """The hub's administrator sees every recipient; the document holds nothing of the person."""
    event_id = _refer(world)
    world.deliver()
    world.fetch(ORGANISER)
    document = world.journey_of(event_id, ADMIN)
    assert document is not None

    assert [one["participant"] for one in document["recipients"]] == [ORGANISER]
    assert document["complete"]
    assert CANARY.encode() not in orjson.dumps(document)


def test_the_senders_own_id_and_number_stay_its_own(world: World) -> None:
    """An event is found by the sender's own id, which nobody else is told."""
    event_id = _refer(world, sender_event_id="REF-1", source_record_id="DOSSIER-7")
    world.deliver()
    own = world.journey_of("REF-1", OCMW)
    other = world.journey_of(event_id, ORGANISER)

    assert own is not None
    assert other is not None
    assert (own["event_id"], own["id"]) == (event_id, "REF-1")
    assert "id" not in other
    assert world.journey_of("REF-1", ORGANISER) is None
    assert b"DOSSIER-7" not in orjson.dumps(own)


def test_a_sensitive_sender_is_not_named_to_others(world: World) -> None:
    """The journey masks whom the copy masks, and the agreement that would betray it."""
    world.registry = rebuilt(
        world.registry,
        organisations=[
            replace(one, sensitive_sender=one.urn == OCMW_URN)
            for one in world.registry.organisations.values()
        ],
    )
    event_id = _refer(world)
    world.deliver()
    document = world.journey_of(event_id, ORGANISER)
    assert document is not None

    assert b"ocmw" not in orjson.dumps(document).lower()


def test_a_trajectory_is_told_in_order(world: World) -> None:
    """All events of a trajectory that the viewer may know come in the ledger's order."""
    event_id = _refer(world)
    world.deliver()
    trajectory = world.rows_of(event_id)[0].trajectory_id
    assert trajectory is not None

    names = [one["type"] for one in world.journeys_of(trajectory, ORGANISER)]
    assert names == ["referral.created", "trajectory.opened"]
    assert not world.journeys_of(trajectory, VDAB)


def test_spans_are_shown_to_who_may_see_all(world: World) -> None:
    """The sender sees the spans of its event; a recipient does not."""
    event_id = _refer(world)
    world.deliver()
    world.tracing.flush()

    assert [span.name for span in _journey(world, event_id).spans] == ["route"]
    assert _journey(world, event_id, ORGANISER).spans == ()


def test_lost_spans_do_not_hide_the_journey(world: World, stores: Stores) -> None:
    """Without the spans' tables the journey is told all the same."""
    event_id = _refer(world)
    with opened(stores.spans) as engine, engine.begin() as connection:
        connection.exec_driver_sql("drop table spans")

    assert _journey(world, event_id).spans == ()
