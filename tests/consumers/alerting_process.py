"""What tells owners, as a process of its own to be killed: `python -m ... URL PORT NOW`."""

from __future__ import annotations

import sys

from consumers.clock import FixedClock
from consumers.database import open_engine
from tests.consumers.alert_world import Telling
from tests.consumers.webhook_world import World


def main(url: str, port: str, now: str) -> None:
    """Tell once."""
    world = World(open_engine(url, read_only=True), open_engine(url), FixedClock(int(now)))
    Telling(world).worker(int(port)).step()


if __name__ == "__main__":
    main(*sys.argv[1:])
