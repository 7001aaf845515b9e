"""Journey I: a mandate with forty open files goes over through the real ledger (R11)."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import text

from gateway.exchange.registry_rows import read_snapshot
from gateway.exchange.render import Rendered
from gateway.exchange.state_rows import loads_trajectory
from tests.gateway.exchange import cast
from tests.gateway.exchange.exchange_world import World, exchange
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumers.database import Stores

__all__ = ["stores"]

ROOT = Path(__file__).parents[3]
FILES = 40
CHANGED = "trajectory.organiser_changed"
V, OCMW = cast.RELATED["V"], cast.RELATED["O"]
OLD, NEW = cast.RELATED["W"], cast.STRANGERS["W"]
PROPOSAL = {
    "from_org": cast.urn_of(OLD),
    "to_org": cast.urn_of(NEW),
    "nis": [cast.NIS],
    "effective": "2026-06-01",
}
REFERRAL = {
    "programme": "wijk_werken",
    "reason_codes": ["work_rhythm"],
    "target_org": cast.urn_of(OLD),
}
OFFER = {
    "title": "Helpende hand in de buurttuin",
    "location": {"name": "Buurttuin", "nis": cast.NIS},
    "programme_scope": ["wijk_werken"],
    "valid_to": "2026-12-31",
    "non_displacement": {"declared": True},
}


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange of the cast."""
    with exchange(stores, tmp_path) as made:
        made.registry = cast.registry()
        yield made


def begin_files(world: World, count: int) -> list[str]:
    """Referrals of the OCMW that the old organiser accepted; their trajectories."""
    found = []
    for number in range(count):
        outcome = world.send(
            "referral.created",
            OCMW,
            REFERRAL,
            territory_nis=cast.NIS,
            source_record_id=f"n-{number}",
        )
        assert outcome.receipt is not None
        referral, case = outcome.receipt.aggregate_id, str(outcome.receipt.trajectory_id)
        world.send("referral.accepted", OLD, {}, subject=referral, trajectory_id=case)
        found.append(case)
    return found


def agree(world: World) -> str:
    """VDAB proposes and the other organiser accepts; the mandate's id."""
    outcome = world.send("transition.organiser_mandate_changed", V, PROPOSAL)
    assert outcome.receipt is not None
    mandate = outcome.receipt.aggregate_id
    world.send("transition.organiser_mandate_accepted", NEW, {}, subject=mandate)
    return mandate


def query(world: World, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the ledger's store."""
    with world.engines["ledger_read"].connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def moved(world: World) -> list[str]:
    """On which trajectories the organiser changed, in order."""
    rows = query(world, "select event_name, trajectory_id from ledger order by seq")
    return [str(one) for name, one in rows if name == CHANGED]


def until_it_dies(stores: Stores, folder: Path, where: str) -> None:
    """Another hub on these stores begins, stalls and is killed."""
    command = [
        sys.executable, "-m", "tests.gateway.exchange.dying_mover",
        str(folder), orjson.dumps(asdict(stores)).decode(), where,
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"stalled\n"
        process.kill()


def test_a_mandate_of_forty_files_survives_being_killed_twice(
    stores: Stores, tmp_path: Path
) -> None:
    """Between pages and between events: each file goes over exactly once, under its own id."""
    with exchange(stores, tmp_path) as world:
        world.registry = cast.registry()
        files = begin_files(world, FILES)
        agree(world)
        world.timers.step()
        assert moved(world) == []

    until_it_dies(stores, tmp_path, "pages")
    until_it_dies(stores, tmp_path, "events")

    with exchange(stores, tmp_path) as world:
        world.registry = cast.registry()
        assert len(moved(world)) == 15
        world.clock.advance(7 * 86_400)
        world.pass_time(2)

        assert sorted(moved(world)) == sorted(files)
        assert query(world, "select id from errands") == []
        assert query(world, "select count(*) from rounds where due_at is not null") == [(0,)]
        for (row,) in query(world, "select state from trajectories"):
            case = loads_trajectory(bytes(row))
            (referral,) = case.referrals.values()
            assert (referral.handler, referral.target) == (NEW, NEW)
        versions = query(
            world,
            "select trajectory_id, aggregate_version from ledger"
            " where aggregate_type = 'trajectory' order by seq",
        )
        found: dict[str, list[int]] = {}
        for case_id, version in versions:
            found.setdefault(case_id, []).append(version)
        assert all(seen == list(range(1, len(seen) + 1)) for seen in found.values())


def test_the_hub_counts_the_files_and_tells_both_organisers(world: World) -> None:
    """A proposal says how many would go over; closed cases and other places do not count."""
    begin_files(world, 3)
    world.send("transition.organiser_mandate_changed", V, PROPOSAL)
    world.deliver()
    copies = [one for one in world.fetch(NEW) if hasattr(one, "event")]

    assert [one.event.data["open_trajectories"] for one in copies] == [3]
    assert world.names(OLD)[-1] == "transition.organiser_mandate_changed"
    assert world.names(cast.RELATED["P"]) == []


def test_the_successor_gets_the_history_first(world: World) -> None:
    """What its grants allow of the earlier events, and then the change.

    The old organiser keeps reading what was its own.
    """
    begin_files(world, 1)
    agree(world)
    world.pass_time(5)
    world.deliver()

    assert world.names(NEW) == [
        "transition.organiser_mandate_changed",
        "(referral.created)",
        "(trajectory.opened)",
        "(referral.accepted)",
        CHANGED,
    ]
    assert world.names(OLD)[-1] == CHANGED
    assert all(isinstance(one, Rendered) for one in world.fetch(OLD))


def test_an_accepted_mandate_is_known_to_the_registry(world: World) -> None:
    """Every process that polls its version sees it."""
    before = query(world, "select version from registry_state")
    mandate = agree(world)
    with world.engines["ledger_read"].connect() as connection:
        registry = read_snapshot(connection, "test")

    assert registry.version == before[0][0] + 1
    assert query(world, "select id, status from mandates") == [(mandate, "accepted")]
    assert [line[0] for line in query(world, "select actor from registry_changes")] == ["hub"]


def test_the_offers_of_the_old_organiser_end_there(world: World) -> None:
    """Their places are no longer its to give; the cases that use them are told as always."""
    outcome = world.send("offer.published", OLD, OFFER)
    foreign = world.send("offer.published", NEW, OFFER)
    assert outcome.receipt is not None
    assert foreign.receipt is not None
    agree(world)
    world.pass_time(5)

    states = dict(query(world, "select id, status from offers"))
    assert states[outcome.receipt.aggregate_id] == "lapsed"
    assert states[foreign.receipt.aggregate_id] == "published"


def test_a_file_that_came_in_between_goes_over_a_day_later(world: World) -> None:
    """The registry of some gateway may be two seconds old on the first day."""
    agree(world)
    world.pass_time(5)
    late = begin_files(world, 1)
    assert moved(world) == []
    world.pass_time(1)

    assert moved(world) == late
