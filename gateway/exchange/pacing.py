"""How long relay and route let work gather before the next batch.

A batch costs the broker, the route and the relay about as much as ten events.
Under load they wait until many events have come, and where a batch takes long, because others need
the machine too, they leave it to them for as long again: fewer batches make everybody sooner.
What comes alone goes on at once.
"""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 2
SECONDS_PER_EVENT: Final = 0.002
LONGEST_SECONDS: Final = 0.05


def gathering_seconds(handled: int, took: float) -> float:
    """Seconds from the end of a batch to the next, after one of so many events and seconds."""
    if not handled:
        return 0.0
    return min(max((handled - AT_ONCE) * SECONDS_PER_EVENT, took), LONGEST_SECONDS)
