"""How often one address may read what needs no token: a bucket of calls that fills with time.

Kept in memory of one gateway: it protects this process, and losing it costs nothing.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from gateway import errors
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

BURST: Final = 60
PER_SECOND: Final = 5.0
ADDRESSES: Final = 10_000
"""Addresses remembered; past it all are forgotten, so that nothing grows."""


class Throttle:
    """Buckets by address; safe from several threads.

    Args:
        now: seconds that only go forward.
        burst: calls at once.
        per_second: calls that come back each second.
    """

    def __init__(
        self, now: Callable[[], float], *, burst: int = BURST, per_second: float = PER_SECOND
    ) -> None:
        self._now = now
        self._burst = burst
        self._per_second = per_second
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, address: str) -> None:
        """Count one call of an address.

        Raises:
            TooManyCalls: 429, with the seconds to wait.
        """
        with self._lock:
            now = self._now()
            left, since = self._buckets.get(address, (float(self._burst), now))
            left = min(self._burst, left + (now - since) * self._per_second)
            if left < 1:
                raise _too_many((1 - left) / self._per_second)
            if len(self._buckets) >= ADDRESSES:
                self._buckets.clear()
            self._buckets[address] = (left - 1, now)


def _too_many(seconds: float) -> errors.TooManyCalls:
    return errors.TooManyCalls(
        Message(
            nl="Te veel oproepen zonder token. Wacht even, of vraag minder vaak.",
            en="Too many calls without a token. Wait a moment, or ask less often.",
        ),
        facts={"retry_after": max(1, round(seconds + 0.5))},
    )
