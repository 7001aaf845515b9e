"""A hub's timers in a process of their own that stops before it deletes what it has done.

    python -m tests.gateway.exchange.stalling_timers FOLDER

Says `recorded` once the events of the errands are in the ledger, and then waits to be killed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from consumers.database import Stores
from gateway.exchange.timer_store import TimerStore
from tests.gateway.exchange.exchange_world import exchange

if TYPE_CHECKING:
    from collections.abc import Sequence


class StallingStore(TimerStore):
    """Never gets to deleting."""

    def forget(self, errands: Sequence[str]) -> None:
        """Tell, and wait for the end."""
        sys.stdout.write(f"recorded {len(errands)}\n")
        sys.stdout.flush()
        sys.stdin.read()


def main() -> None:
    """Take one step."""
    folder = Path(sys.argv[1])
    with exchange(Stores.sqlite(folder), folder) as world:
        store = StallingStore(world.engines["ledger_read"], world.engines["ledger"])
        world.new_timers(store).step()


if __name__ == "__main__":
    main()
