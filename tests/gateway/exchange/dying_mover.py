"""A hub that dies while it hands files over to another organiser.

    python -m tests.gateway.exchange.dying_mover FOLDER STORES WHERE

`pages`: after two pages of the round were written and nothing was sent yet. `events`: when some
events are in the ledger and all their errands are still there. Says `stalled`, and waits for it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import text

from consumers.database import Stores
from gateway.exchange.round_store import RoundStore
from tests.gateway.exchange import cast
from tests.gateway.exchange.exchange_world import WAIT, World, exchange

if TYPE_CHECKING:
    from gateway.exchange.publication import PublishRequest
    from gateway.exchange.registry import Registry

PAGE = 7
SENT = 15
_RECORDED = text("select count(*) from ledger where event_name = 'trajectory.organiser_changed'")


def stall() -> None:
    """Tell, and wait for the end."""
    sys.stdout.write("stalled\n")
    sys.stdout.flush()
    sys.stdin.read()


class DyingRounds(RoundStore):
    """Gets no further than two pages."""

    def advance(self, registry: Registry, now: int, enough: int) -> int:
        """Write them, and wait."""
        super().advance(registry, now, min(enough, PAGE + 1))
        stall()
        return 0


class DyingLedger:
    """Takes some events and no more."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sent = 0

    def submit(self, request: PublishRequest, ticket: object) -> None:
        """Hand the first ones on; at the next one they are recorded, and nothing else is."""
        if self._sent == SENT:
            self._wait()
            stall()
        self._sent += 1
        self._world.ledger.submit(request, ticket)

    def _wait(self) -> None:
        reader = self._world.engines["ledger_read"]
        for _ in range(2000):
            with reader.connect() as connection:
                if connection.execute(_RECORDED).scalar() == SENT:
                    return
            WAIT.wait(0.005)


def main() -> None:
    """Take one step on the first day of the mandate."""
    folder, stores, where = sys.argv[1:]
    with exchange(Stores(**orjson.loads(stores)), Path(folder)) as world:
        world.registry = cast.registry()
        world.page = PAGE
        world.clock.advance(7 * 86_400)
        if where == "pages":
            pair = (world.engines["ledger_read"], world.engines["ledger"])
            world.new_timers(rounds=DyingRounds(*pair, page=PAGE)).step()
        else:
            world.new_timers(submit=DyingLedger(world).submit).step()


if __name__ == "__main__":
    main()
