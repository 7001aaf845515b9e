"""An inbox that retention emptied is filled again from the ledger, for its owner alone, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers import inbox, views
from consumers.scope import Scope
from gateway.exchange import refill as refilling
from gateway.exchange.refill import Refill
from tests.gateway.exchange.exchange_world import (
    NOW,
    OCMW,
    ORGANISER,
    REFERRAL,
    VDAB,
    World,
    exchange,
)
from tests.store_fixtures import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from consumers.database import Stores

__all__ = ["stores"]

LONG_AFTER = NOW + 400 * 86_400_000_000


@pytest.fixture
def world(stores: Stores, tmp_path: Path) -> Iterator[World]:
    """A running exchange with three referrals to the organiser, long ago for its inbox."""
    with exchange(stores, tmp_path) as made:
        for number in range(3):
            made.send("referral.created", OCMW, REFERRAL, source_record_id=f"DOSSIER-{number}")
        made.deliver()
        yield made


def _refill(world: World) -> Refill:
    return Refill(
        world.engines["ledger_read"],
        world.engines["consumers"],
        lambda: world.registry,
        world.clock,
        (world.waker,),
    )


def _ids(world: World, participant: str) -> list[str]:
    with world.engines["consumers_read"].connect() as connection:
        page = views.feed_page(connection, Scope(participant), after=0, limit=100)
    return [one.event_id for one in page]


def _forget(world: World) -> None:
    with world.engines["consumers"].begin() as connection:
        inbox.forget(connection, before=LONG_AFTER)


def test_what_was_forgotten_comes_back_in_order(world: World) -> None:
    """The same events, after what was last given, and nothing in any other inbox."""
    before = _ids(world, ORGANISER)
    assert before
    _forget(world)
    found = _refill(world).since(ORGANISER, 0)

    assert _ids(world, ORGANISER) == before
    assert (found.added, found.more_from) == (len(before), None)
    assert found.after == len(before)
    assert _ids(world, VDAB) == _ids(world, OCMW) == []


def test_what_is_still_there_stays_as_it_is(world: World) -> None:
    """Asking again, or for what was never lost, adds nothing."""
    before = _ids(world, ORGANISER)
    refill = _refill(world)

    assert refill.since(ORGANISER, 0).added == 0
    assert _ids(world, ORGANISER) == before
    _forget(world)
    refill.since(ORGANISER, 0)
    assert refill.since(ORGANISER, 0).added == 0


def test_only_what_came_since_is_added(world: World) -> None:
    """From a time after everything: nothing."""
    _forget(world)

    assert _refill(world).since(ORGANISER, LONG_AFTER).added == 0


def test_a_long_way_back_goes_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer says from when there is more, and going on from there misses nothing."""
    monkeypatch.setattr(refilling, "SLICE", 1)
    monkeypatch.setattr(refilling, "MOST", 1)
    before = _ids(world, ORGANISER)
    _forget(world)
    refill, since, calls = _refill(world), 0, 1
    while (found := refill.since(ORGANISER, since)).more_from is not None:
        since = found.more_from
        calls += 1

    assert _ids(world, ORGANISER) == before
    assert calls == len(before)


def test_a_stranger_gets_nothing(world: World) -> None:
    """Who was no recipient is none now, and a name within a name is another."""
    _forget(world)

    assert _refill(world).since("wijkwerk", 0).added == 0
    assert _refill(world).since("ocmw-leuven", 0).added == 0
