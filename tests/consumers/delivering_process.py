"""A deliverer as a process of its own, to be killed: `python -m ... URL LOCK`."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from consumers.database import open_engine
from consumers.deliver import Deliverer
from consumers.leases import open_leases
from tests.consumers.webhook_world import EventListener, SilentWaker, World


def main(url: str, lock: str) -> None:
    """Deliver until killed."""
    world = World(open_engine(url, read_only=True), open_engine(url))
    waker = SilentWaker()
    Deliverer(
        world.turns,
        leases=open_leases(world.writing, Path(lock)),
        threads=world.threads,
        listener=EventListener(waker),
        waker=waker,
        stop=threading.Event(),
    ).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
