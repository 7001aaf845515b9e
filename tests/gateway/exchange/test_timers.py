"""What is due is done once, whoever does it, and what is refused is not tried without end."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from sqlalchemy import text

from consumers.database import Stores
from gateway.exchange.decision import Errand
from gateway.exchange.driver import open_driver
from gateway.exchange.ledger import unavailable
from gateway.exchange.timer_store import LEFT
from gateway.exchange.written import ERRANDS
from schemas.moments import from_rfc3339
from tests.gateway.exchange.exchange_world import (
    NIS,
    NOW,
    OCMW,
    ORGANISER,
    REFERRAL,
    World,
    exchange,
    rebuilt,
)
from tests.store_fixtures import migrated, stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.registry import Registry

__all__ = ["stores"]

ROOT = Path(__file__).parents[3]
HOUR, DAY = 3_600, 86_400
OFFER: dict[str, Any] = {
    "title": "Helpende hand in de buurttuin",
    "description": "Mee onkruid wieden.",
    "location": {"name": "Buurttuin", "nis": NIS},
    "programme_scope": ["wijk_werken"],
    "valid_to": "2026-06-10",
    "non_displacement": {"declared": True},
}


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange whose timers step when the test says so."""
    with exchange(stores, tmp_path) as made:
        yield made


def test_what_waits_is_counted_by_indexes(world: World) -> None:
    """Each second, however many cases there are: no table of clocks is gone through."""
    is_postgres = world.engines["ledger_read"].dialect.name == "postgresql"
    with world.engines["ledger_read"].connect() as connection:
        if is_postgres:
            connection.execute(text("set local enable_seqscan = off"))
        explain = "explain " if is_postgres else "explain query plan "
        rows = connection.execute(text(f"{explain}{LEFT.text}"), {"now": 0})
        plan = " ".join(str(one) for row in rows for one in row)

    assert "clocks_refused" in plan
    assert "clocks_due" in plan


def publish_offer(world: World, **changes: Any) -> str:
    """An offer of the organiser; its id."""
    outcome = world.send("offer.published", ORGANISER, {**OFFER, **changes})
    assert outcome.receipt is not None
    return outcome.receipt.aggregate_id


def begin_case(world: World) -> str:
    """A referral of the OCMW; its trajectory."""
    outcome = world.send("referral.created", OCMW, REFERRAL)
    assert outcome.receipt is not None
    return str(outcome.receipt.trajectory_id)


def query(world: World, statement: str) -> list[tuple[Any, ...]]:
    """Rows of the ledger's store."""
    with world.engines["ledger_read"].connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def recorded(world: World, name: str) -> int:
    """How many events of one name are in the ledger."""
    return len([1 for (one,) in query(world, "select event_name from ledger") if one == name])


def put_errands(world: World, *errands: Errand) -> None:
    """Write errands, as the ledger does with the event that asks for them."""
    driver = open_driver(world.engines["ledger"])
    driver.begin()
    driver.write((ERRANDS, [(one.id, one.due_at, orjson.dumps(_plain(one))) for one in errands]))
    driver.commit()
    driver.close()


def _plain(errand: Errand) -> dict[str, Any]:
    return {name: getattr(errand, name) for name in errand.__struct_fields__}


def reminder(trajectory_id: str, number: int = 1, **changes: Any) -> Errand:
    """An errand that is due at once."""
    given: dict[str, Any] = {
        "id": f"errand-{number}",
        "due_at": NOW,
        "name": "trajectory.reminder_due",
        "target_id": trajectory_id,
        "aggregate_id": None,
        "acts_for": OCMW,
        "data": {"what": "no_start", "due": "2026-06-01"},
        **changes,
    }
    return Errand(**given)


def test_an_errand_is_done_once_and_forgotten(world: World) -> None:
    """Its event is in the ledger under the errand's id, on behalf of whom it acts for."""
    case = begin_case(world)
    put_errands(world, reminder(case))

    assert [world.timers.step(), world.timers.step()] == [1, 0]
    assert query(world, "select id from errands") == []
    (row,) = [one for one in world.rows(case) if one.event_name == "trajectory.reminder_due"]
    assert (row.sender_key, row.participant, row.caused_by) == ("hub/errand-1", "hub", OCMW)


def test_an_errand_waits_for_its_time(world: World) -> None:
    """What is due tomorrow is not done today."""
    case = begin_case(world)
    put_errands(world, reminder(case, due_at=NOW + DAY * 1_000_000))

    assert world.timers.step() == 0
    world.pass_time(1)
    assert recorded(world, "trajectory.reminder_due") == 1


def test_a_refused_errand_is_counted_and_not_sent_again(world: World) -> None:
    """Nobody waits for an event that the hub itself refuses."""
    case = begin_case(world)
    put_errands(world, reminder(case, name="trajectory.reopened", data={"reason": "other"}))

    assert [world.timers.step(), world.timers.step()] == [0, 0]
    assert query(world, "select id from errands") == []
    assert world.timers.figures()["timers_refused_total"] == 1


def test_an_errand_survives_a_ledger_that_is_away(world: World) -> None:
    """Without an answer nothing is forgotten; it is sent again, and recorded once."""
    case = begin_case(world)
    put_errands(world, reminder(case))

    def away(*_: object) -> None:
        raise unavailable()

    timers = world.new_timers(submit=away)
    assert timers.step() == 0
    assert timers.figures()["errands_due"] == 1
    assert world.new_timers().step() == 1
    assert recorded(world, "trajectory.reminder_due") == 1


def test_an_errand_at_which_the_hub_fails_is_tried_an_hour_later(world: World) -> None:
    """A defect loses nothing, holds nothing up, and is counted."""
    case = begin_case(world)
    broken = reminder(case, 1, data={"what": "no_start", "due": "no date"})
    put_errands(world, broken, reminder(case, 2))

    assert [world.timers.step(), world.timers.step()] == [1, 0]
    assert query(world, "select id, due_at from errands") == [("errand-1", NOW + HOUR * 1_000_000)]
    assert world.timers.figures()["timers_refused_total"] == 1
    world.clock.advance(HOUR)
    world.timers.step()
    assert world.timers.figures()["timers_refused_total"] == 2


def test_an_offer_lapses_on_the_day_after_its_last(world: World) -> None:
    """Still open on the last day in Brussels, and lapsed at midnight."""
    offer = publish_offer(world)
    last_instant = from_rfc3339("2026-06-10T21:59:59Z")

    world.clock.advance((last_instant - NOW) / 1_000_000)
    assert world.timers.step() == 0
    world.pass_time(1 / DAY)
    assert query(world, "select id, status from offers") == [(offer, "lapsed")]
    assert recorded(world, "offer.lapsed") == 1
    assert query(world, "select due_at from clocks") == [(None,)]


def test_an_event_moves_the_clock(world: World) -> None:
    """An offer that is prolonged does not lapse at its first date."""
    offer = publish_offer(world)
    world.send("offer.updated", ORGANISER, {"valid_to": "2026-07-10"}, subject=offer)

    world.pass_time(20)
    assert recorded(world, "offer.lapsed") == 0
    world.pass_time(30)
    assert recorded(world, "offer.lapsed") == 1


def test_a_restart_sends_what_is_due_once(world: World) -> None:
    """Nothing is kept in memory: another worker goes on, and repeats nothing."""
    publish_offer(world)
    world.clock.advance(30 * DAY)

    assert [world.new_timers().step(), world.new_timers().step()] == [1, 0]
    assert recorded(world, "offer.lapsed") == 1


def test_a_clock_that_is_refused_is_put_off(world: World) -> None:
    """Its participant is unknown to the registry: it is tried an hour later, then two."""
    offer = publish_offer(world)
    registry = world.registry
    world.registry = without(world, ORGANISER)
    world.clock.advance(30 * DAY)

    tries = []
    for hours in (0, 0.9, 0.2, 1.9, 0.2):
        world.clock.advance(hours * HOUR)
        world.timers.step()
        tries.append(world.timers.figures()["timers_refused_total"])
    assert tries == [1, 1, 2, 2, 3]
    assert world.timers.figures()["timers_put_off"] == 1

    world.registry = registry
    world.pass_time(1)
    assert query(world, "select id, status from offers") == [(offer, "lapsed")]
    assert world.timers.figures()["timers_put_off"] == 0


def without(world: World, participant: str) -> Registry:
    """The registry when it did not know somebody."""
    others = [one for one in world.registry.participants.values() if one.id != participant]
    return rebuilt(world.registry, participants=others)


def test_a_case_that_is_no_longer_due_is_left_alone(world: World) -> None:
    """A row that says so though the state does not is put right and sends nothing."""
    publish_offer(world)
    world.timers.step()
    with world.engines["ledger"].begin() as connection:
        connection.execute(text("update clocks set due_at = :past"), {"past": NOW - 1})

    assert world.timers.step() == 0
    assert query(world, "select due_at from clocks") == [(from_rfc3339("2026-06-10T22:00:00Z"),)]


def test_other_rules_derive_every_case_anew(world: World) -> None:
    """A case from before there were clocks gets its own, and so does one under older rules."""
    publish_offer(world)
    with world.engines["ledger"].begin() as connection:
        connection.execute(text("delete from clocks"))
        connection.execute(text("delete from clock_sweep"))

    world.new_timers().step()
    assert query(world, "select due_at, refused from clocks") == [
        (from_rfc3339("2026-06-10T22:00:00Z"), 0)
    ]


def test_a_leap_of_a_year_does_everything_in_order(world: World) -> None:
    """Offers lapse by their dates, each once, and then nothing is left."""
    dates = ["2026-09-01", "2026-06-10", "2027-01-31", "2026-12-31"]
    for one in dates:
        publish_offer(world, valid_to=one)

    world.clock.advance(365 * DAY)
    thread = threading.Thread(target=world.timers.start)
    thread.start()
    left = world.timers.settle(world.clock.now_us())
    world.timers.stop()
    thread.join()

    assert left == 0
    assert recorded(world, "offer.lapsed") == len(dates)
    lapsed = "select aggregate_id from ledger where event_name = 'offer.lapsed' order by seq"
    by_date = {
        orjson.loads(bytes(state))["id"]: orjson.loads(bytes(state))["valid_to"]
        for (state,) in query(world, "select state from offers")
    }
    assert [by_date[one] for (one,) in query(world, lapsed)] == sorted(dates)


def test_settling_says_what_is_left(world: World) -> None:
    """With nobody at work patience ends, and the answer is how much there is still to do."""
    publish_offer(world)
    put_errands(world, reminder(begin_case(world)))
    world.clock.advance(30 * DAY)

    assert world.timers.settle(world.clock.now_us(), patience_seconds=0.0) >= 2


def test_a_kill_between_recording_and_deleting_repeats_nothing(tmp_path: Path) -> None:
    """The worker dies when the event is in the ledger and the errand still there."""
    made = migrated(Stores.sqlite(tmp_path))
    with exchange(made, tmp_path) as world:
        case = begin_case(world)
        put_errands(world, reminder(case))
    killed = subprocess.Popen(
        [sys.executable, "-m", "tests.gateway.exchange.stalling_timers", str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"recorded 1\n"
        killed.kill()

    with exchange(made, tmp_path) as world:
        assert query(world, "select id from errands") == [("errand-1",)]
        assert world.timers.step() == 0
        assert query(world, "select id from errands") == []
        assert recorded(world, "trajectory.reminder_due") == 1
        assert world.timers.figures()["timers_late_total"] == 1


def test_two_gateways_on_one_postgresql_send_each_once(postgres_url: str, tmp_path: Path) -> None:
    """Both take the same cases at the same time; the ledger holds each event once."""
    made = migrated(Stores.postgres(postgres_url))
    with exchange(made, tmp_path) as one, exchange(made, tmp_path) as other:
        offers = [publish_offer(one) for _ in range(20)]
        case = begin_case(one)
        put_errands(one, *(reminder(case, number) for number in range(20)))
        pair = (one, other)
        for world in pair:
            world.clock.advance(30 * DAY)
        threads = [threading.Thread(target=world.pass_time, args=(0,)) for world in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one.pass_time(0)

        lapsed = query(one, "select aggregate_id from ledger where event_name = 'offer.lapsed'")
        assert sorted(lapsed) == sorted((offer,) for offer in offers)
        keys = query(one, "select sender_key from ledger where sender_key like 'hub/errand-%'")
        assert len(keys) == 20
        assert query(one, "select id from errands") == []
