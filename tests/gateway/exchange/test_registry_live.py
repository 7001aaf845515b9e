"""Keeping the newest snapshot at hand."""

from __future__ import annotations

import time

import pytest
from sqlalchemy.exc import OperationalError

from gateway.exchange.registry import Registry
from gateway.exchange.registry_live import LiveRegistry


class Snapshots:
    """A source whose version a test raises; it can be away."""

    def __init__(self) -> None:
        self.newest = 1
        self.is_away = False

    def version(self) -> int:
        """The newest version, unless the database is away."""
        if self.is_away:
            raise OperationalError("select", {}, Exception("away"))
        return self.newest

    def load(self) -> Registry:
        """An empty snapshot of that version."""
        return Registry.build(version=self.newest, environment="test")


def wait_for(live: LiveRegistry, version: int) -> bool:
    """Whether the version comes in use."""
    deadline = time.monotonic() + 20
    while live.current().version != version and time.monotonic() < deadline:
        time.sleep(0.01)
    return live.current().version == version


def test_a_newer_version_is_seen_by_polling() -> None:
    """A change elsewhere is in use within the poll, and told once."""
    source, told = Snapshots(), list[int]()
    live = LiveRegistry(source, poll_seconds=0.05)
    live.on_change(lambda registry: told.append(registry.version))
    live.start()
    source.newest = 2

    assert wait_for(live, 2)
    live.stop()
    assert told == [2]


def test_the_last_snapshot_serves_while_the_database_is_away() -> None:
    """Nothing is lost while it is away, and the change is seen when it is back."""
    source = Snapshots()
    live = LiveRegistry(source, poll_seconds=0.02)
    live.start()
    source.is_away, source.newest = True, 2
    time.sleep(0.1)
    during = live.current().version
    source.is_away = False

    assert wait_for(live, 2)
    live.stop()
    assert during == 1


def test_what_must_be_known_first_comes_first() -> None:
    """Preparations run before the newer version is in use, and their failure keeps the old one."""
    source, seen = Snapshots(), list[int]()
    live = LiveRegistry(source)
    failing = [True]

    def prepare() -> None:
        """Fail once, then note which version is in use."""
        if failing.pop() if failing else False:
            raise OperationalError("select", {}, Exception("away"))
        seen.append(live.current().version)

    live.before_change(prepare)
    source.newest = 2
    with pytest.raises(OperationalError):
        live.refresh()
    assert live.current().version == 1

    assert live.refresh().version == 2
    assert seen == [1]


def test_the_same_version_is_not_loaded_again() -> None:
    """While nothing changes the snapshot stays the same object, so caches on it stay."""
    live = LiveRegistry(Snapshots())
    first = live.current()

    assert live.refresh() is first
