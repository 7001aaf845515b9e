"""The deliverer as it runs: side by side for many, and none the worse for being killed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from consumers import deliver
from consumers.clock import SystemClock
from consumers.database import Stores, open_engine
from consumers.deliver import Deliverer
from consumers.leases import open_leases
from consumers.turn import LARGEST_BATCH
from tests.consumers.receivers import Got, Receiver, Reply, always
from tests.consumers.test_turn import in_order
from tests.consumers.webhook_world import ORGANISER, EventListener, SilentWaker, World
from tests.store_fixtures import migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OK = Reply(200)
PATIENCE_SECONDS = 30.0


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The consumers' store of an empty SQLite installation."""
    return migrated(Stores.sqlite(tmp_path)).consumers


@pytest.fixture
def world(url: str) -> Iterator[World]:
    """On that store."""
    reading, writing = open_engine(url, read_only=True), open_engine(url)
    made = World(reading, writing, seconds=5)
    yield made
    made.close()
    reading.dispose()
    writing.dispose()


@contextmanager
def delivering(world: World, tmp_path: Path) -> Iterator[SilentWaker]:
    """A deliverer on a thread."""
    stop, waker = threading.Event(), SilentWaker()
    deliverer = Deliverer(
        world.turns,
        leases=open_leases(world.writing, tmp_path / "deliver.lock"),
        threads=world.threads,
        listener=EventListener(waker),
        waker=waker,
        stop=stop,
    )
    thread = threading.Thread(target=deliverer.run)
    thread.start()
    try:
        yield waker
    finally:
        stop.set()
        waker.wake()
        thread.join()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fails when it takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_slow_receiver_delays_nobody(world: World, tmp_path: Path) -> None:
    """It answers nothing before another subscription has had everything, and then goes on."""
    others_are_done = threading.Event()

    def slow(_got: Got, _number: int) -> Reply:
        return OK if others_are_done.is_set() else Reply(200, slowly=0.3)

    with Receiver(slow) as first, Receiver(always(OK)) as second:
        world.subscribe(first.url, concurrency=8)
        world.subscribe(second.url, to=ORGANISER)
        world.arrive(*range(64), trajectories=64)
        with delivering(world, tmp_path) as waker:
            until(lambda: bool(first.got))
            world.arrive(*range(100, 200), trajectories=20, to=ORGANISER)
            waker.wake()
            until(lambda: len(second.got) == 100)
            had = len(first.got)
            others_are_done.set()
            until(lambda: len(first.got) == 64)

    assert had < 64


def test_what_comes_during_a_turn_is_sent_after_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its wake-up found the subscription busy; nothing else would look for an hour."""
    monkeypatch.setattr(deliver, "POLL_SECONDS", 3600.0)
    may_go_on = threading.Event()

    def held(_got: Got, _number: int) -> Reply:
        may_go_on.wait(PATIENCE_SECONDS)
        return OK

    with Receiver(held) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(0)
        with delivering(world, tmp_path) as waker:
            until(lambda: bool(receiver.got))
            world.arrive(1)
            waker.wake()
            until(lambda: not waker.woken.is_set())
            may_go_on.set()
            until(lambda: world.states(made) == {"000": "delivered", "001": "delivered"})


def test_a_failing_one_is_tried_again_by_itself(world: World, tmp_path: Path) -> None:
    """Nobody has to wake the deliverer for a retry."""
    clock = SystemClock()
    object.__setattr__(world.turns, "clock", clock)
    with Receiver(lambda _got, number: OK if number > 2 else Reply(503)) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(0)
        with delivering(world, tmp_path):
            until(lambda: world.states(made) == {"000": "delivered"})

    assert len(receiver.got) == 4


def test_two_deliverers_beside_sqlite_are_one(world: World, tmp_path: Path) -> None:
    """The second sends nothing as long as the first runs."""
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url)
        with delivering(world, tmp_path):
            world.arrive(0)
            until(lambda: world.states(made) == {"000": "delivered"})
            assert not open_leases(world.writing, tmp_path / "deliver.lock").acquire(made)
    assert len(receiver.got) == 1


def test_killed_at_any_moment_it_loses_nothing(world: World, url: str, tmp_path: Path) -> None:
    """Two kills: every event arrives, in order per trajectory, and few arrive twice."""
    command = [sys.executable, "-m", "tests.consumers.delivering_process", url]
    command.append(str(tmp_path / "deliver.lock"))
    root, kills = Path(__file__).parents[2], (60, 150)
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url, rate=1000)
        sent = world.arrive(*range(300), trajectories=25)
        for number in kills:
            with subprocess.Popen(command, cwd=root) as process:
                try:
                    until(partial(_has, receiver, number))
                finally:
                    process.kill()
        with delivering(world, tmp_path):
            until(lambda: Counter(world.states(made).values())["delivered"] == 300)
    taken = [one.headers["webhook-id"] for one in receiver.got]

    assert sorted(set(taken)) == sent
    assert in_order(taken, sent, 25)
    assert len(taken) - len(sent) <= LARGEST_BATCH * len(kills)


def _has(receiver: Receiver, number: int) -> bool:
    return len(receiver.got) >= number
