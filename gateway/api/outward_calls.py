"""Calls that wait for a receiver: so few that slow receivers hold up no other call.

Each participant has part of them, so that one with slow receivers leaves the others theirs.
"""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from gateway.api import subscription_refusals as refusals

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_OUTWARD: Final = 8
"""Fewer than the threads that serve calls."""
MOST_OF_ONE: Final = 2


class OutwardCalls:
    """Counts them; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def waiting(self, participant: str) -> Iterator[None]:
        """One of the few calls that wait for a receiver, of this participant's.

        Raises:
            TooManyAtOnce: 429, so many of this participant do already.
            Overloaded: 503, so many of all together do.
        """
        self._begin(participant)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= Counter({participant: 1})  # drops who is at nought

    def _begin(self, participant: str) -> None:
        with self._lock:
            if self._under_way[participant] >= MOST_OF_ONE:
                raise refusals.too_many_waiting(MOST_OF_ONE)
            if self._under_way.total() >= MOST_OUTWARD:
                raise refusals.too_busy()
            self._under_way[participant] += 1
