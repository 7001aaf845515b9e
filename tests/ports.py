"""Ports for what a test starts: free now, and given to nobody else before it listens."""

from __future__ import annotations

import secrets
from itertools import islice

from gateway.embedded.ports import free_from

FIRST, PLACES, APART = 20_000, 1_200, 10
"""Below the ports that the system gives to connections: one of those may be gone a second later."""


def distant_ports(count: int) -> tuple[int, ...]:
    """Free ports, at a place that other tests hardly choose at the same time.

    Not drawn from the tests' own seed, which other processes have too.
    """
    place = FIRST + APART * secrets.randbelow(PLACES)
    return tuple(islice(free_from(place), count))
