"""The route places every event once, in order, with the history first, and skips nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from consumers import parked
from consumers.spans import read_trace
from gateway.exchange.route import event_id_of
from tests.gateway.exchange.exchange_world import (
    CAW,
    LEUVEN,
    OCMW,
    OCMW_URN,
    ORGANISER,
    REFERRAL,
    TOWN,
    TRACEPARENT,
    VDAB,
    VDAB_URN,
    World,
    exchange,
    without_agreement,
)
from tests.store_fixtures import opened, stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores
    from gateway.exchange.registry import Registry

__all__ = ["stores"]

MISSING = "01950000-0000-7000-8000-00000000dead"


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange."""
    with exchange(stores, tmp_path) as made:
        yield made


def _refer(world: World) -> str:
    outcome = world.send("referral.created", OCMW, REFERRAL)
    assert outcome.receipt is not None
    assert outcome.receipt.trajectory_id is not None
    return outcome.receipt.trajectory_id


def _offer_to_vdab(world: World, trajectory: str) -> None:
    data = {"to": VDAB_URN, "reason": "agreement", "effective": "2026-06-02"}
    world.send(
        "trajectory.handover_offered", OCMW, data, trajectory_id=trajectory, subject=trajectory
    )


def _taken_by_vdab(world: World, trajectory: str) -> None:
    data = {
        "from": OCMW_URN,
        "to": VDAB_URN,
        "reason": "agreement",
        "effective": "2026-06-02",
        "contact": {"name": "Bemiddeling"},
    }
    world.send(
        "trajectory.case_holder_changed", VDAB, data, trajectory_id=trajectory, subject=trajectory
    )


def _parked(world: World) -> list[tuple[str | None, str]]:
    with world.engines["consumers_read"].connect() as connection:
        return [(one.event_id, one.code) for one in parked.unresolved(connection)]


def test_recipients_get_a_row_and_nobody_else(world: World) -> None:
    """The organiser gets the referral; the sender gets only what the hub adds; others nothing."""
    _refer(world)
    world.deliver()

    assert world.names(ORGANISER) == ["referral.created", "trajectory.opened"]
    assert world.names(OCMW) == ["trajectory.opened"]
    assert [world.names(one) for one in (VDAB, CAW, TOWN, LEUVEN)] == [[], [], [], []]


def test_doors_are_woken_after_the_commit_with_names(world: World) -> None:
    """One wake-up a batch names everybody whose inbox grew."""
    _refer(world)
    world.deliver()

    assert world.waker.payloads == [f"{OCMW},{ORGANISER}".encode()]


def test_a_replay_writes_and_wakes_nothing(world: World) -> None:
    """The same records polled again change no inbox, also after an earlier commit was lost."""
    _refer(world)
    world.deliver()
    before = [world.inbox(one) for one in (OCMW, ORGANISER)]
    world.log.replay(0)
    world.route.step(0)

    assert [world.inbox(one) for one in (OCMW, ORGANISER)] == before
    assert len(world.waker.payloads) == 1
    assert world.log.committed == 2


def test_a_new_member_gets_the_history_first(world: World) -> None:
    """Earlier events come before the one that made it a member, in order, marked."""
    trajectory = _refer(world)
    _offer_to_vdab(world, trajectory)
    world.deliver()

    assert world.names(VDAB) == [
        "(referral.created)",
        "(trajectory.opened)",
        "trajectory.handover_offered",
    ]


def test_history_needs_a_grant_from_its_own_producer(world: World) -> None:
    """Without an agreement with the first sender its events stay away, the others come."""
    trajectory = _refer(world)
    _offer_to_vdab(world, trajectory)
    world.registry = without_agreement(world.registry, "demo-ocmw-vdab-2026")
    world.deliver()

    assert world.names(VDAB) == ["trajectory.handover_offered"]


def test_a_replayed_history_is_not_given_twice(world: World) -> None:
    """Replaying the event that made somebody a member adds nothing."""
    trajectory = _refer(world)
    _offer_to_vdab(world, trajectory)
    world.deliver()
    before = world.inbox(VDAB)
    world.log.replay(0)
    world.route.step(0)

    assert world.inbox(VDAB) == before


def test_a_batch_gives_what_one_at_a_time_would(world: World) -> None:
    """Who is offered a case and takes it within one batch has the history of a case holder."""
    trajectory = _refer(world)
    _offer_to_vdab(world, trajectory)
    world.deliver()
    _taken_by_vdab(world, trajectory)
    world.deliver()
    one_at_a_time = world.inbox(VDAB)
    with world.engines["consumers"].begin() as connection:
        connection.execute(sa.text("delete from inbox"))
        connection.execute(sa.text("update inbox_counters set seq = 0"))
    world.log.replay(0)
    world.route.step(0)

    at_once = world.inbox(VDAB)
    assert [one.relations for one in at_once] == [one.relations for one in one_at_a_time]
    assert [one.event_id for one in at_once] == [one.event_id for one in one_at_a_time]


def test_placing_while_the_sender_is_new_gives_it_the_history_only(world: World) -> None:
    """Who joins by its own event gets what came before, and not its own event."""
    trajectory = _refer(world)
    _offer_to_vdab(world, trajectory)
    _taken_by_vdab(world, trajectory)
    world.deliver()

    assert "trajectory.case_holder_changed" not in world.names(VDAB)
    assert "trajectory.case_holder_changed" in world.names(OCMW)


def test_an_undecodable_record_is_parked_and_the_rest_goes_on(world: World) -> None:
    """A record that names no event is set aside and counted; its neighbours are placed."""
    _refer(world)
    world.log.add(None, b"not avro")
    world.log.add("not-an-id")
    world.deliver()

    assert world.names(ORGANISER) == ["referral.created", "trajectory.opened"]
    assert _parked(world) == [(None, "undecodable"), (None, "undecodable")]
    assert world.route.counts.parked == 2
    assert world.log.committed == 4


def test_a_missing_ledger_row_is_retried_and_then_parked(world: World) -> None:
    """A row that stays away is looked for a bounded number of times, then set aside."""
    pauses: list[float] = []
    world.route.pause = pauses.append
    world.log.add(MISSING)
    world.route.step(0)

    assert len(pauses) == 5
    assert _parked(world) == [(MISSING, "ledger_row_missing")]


def test_a_parked_event_can_be_placed_later(world: World) -> None:
    """Once the ledger has the row, rerouting places it and resolves what was parked."""
    outcome = world.send("referral.created", OCMW, REFERRAL)
    assert outcome.receipt is not None
    with world.engines["consumers"].begin() as connection:
        record = parked.Parked("t", 0, 0, outcome.receipt.event_id, "ledger_row_missing", 5, 1)
        parked.park(connection, [record])

    touched = world.route.reroute([outcome.receipt.event_id])

    assert touched == {ORGANISER}
    assert world.names(ORGANISER) == ["referral.created"]
    assert _parked(world) == []


def test_a_defect_parks_one_event_and_not_its_batch(world: World) -> None:
    """An event that makes the route fail is set aside alone, after bounded attempts."""
    trajectory = _refer(world)
    _offer_to_vdab(world, trajectory)
    joining = world.rows(trajectory)[-1].event_id

    def broken() -> Registry:
        raise ValueError("a defect that only the history of a new member meets")

    world.route.registry = broken
    world.deliver()

    assert _parked(world) == [(joining, "route_failed")]
    assert world.names(ORGANISER) == ["referral.created", "trajectory.opened"]
    assert world.log.committed == 3

    world.route.registry = lambda: world.registry
    world.route.reroute([joining])

    assert world.names(VDAB)[-1] == "trajectory.handover_offered"
    assert _parked(world) == []


def test_a_batch_that_met_a_dead_database_is_placed_later(world: World, tmp_path: Path) -> None:
    """While the database is away nothing is committed; the same batch comes first afterwards."""
    trajectory = _refer(world)
    world.relay()
    intact = world.route.consumers
    with opened(f"sqlite:///{tmp_path / 'gone' / 'consumers.db'}") as away:
        world.route.consumers = away
        with pytest.raises(OperationalError):
            world.route.step(0)
    assert world.log.committed == 0

    world.route.consumers = intact
    _offer_to_vdab(world, trajectory)
    world.relay()
    world.route.step(0)
    world.route.step(0)

    assert world.names(ORGANISER)[:2] == ["referral.created", "trajectory.opened"]
    assert world.log.committed == 3
    assert _parked(world) == []


def test_an_event_is_known_by_its_sealed_record_too(world: World) -> None:
    """A record whose header got lost still names its event inside."""
    row = world.rows(_refer(world))[0]
    world.log.add(None, row.record)

    assert event_id_of(world.log.records[-1]) == row.event_id


def test_a_batch_leaves_one_span_linked_to_its_events(world: World) -> None:
    """Routing is found from the trace of the event, without a span per recipient."""
    _refer(world)
    world.deliver()
    world.tracing.flush()

    spans = read_trace(world.engines["spans_read"], TRACEPARENT[3:35])

    assert [span.name for span in spans] == ["route"]
