"""How long relay and route let work gather before the next batch.

A batch costs the broker, the route and the relay about as much as ten events.
Under load they wait until many events have come; what comes alone or in twos goes on at once.
"""

from __future__ import annotations

from typing import Final

AT_ONCE: Final = 2
SECONDS_PER_EVENT: Final = 0.002
LONGEST_SECONDS: Final = 0.05


def gathering_seconds(handled: int) -> float:
    """Seconds from the last batch to the next, after a batch of so many events."""
    return min(max(0, handled - AT_ONCE) * SECONDS_PER_EVENT, LONGEST_SECONDS)
