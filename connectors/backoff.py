"""How long to wait before the next try: a pure policy, tested without a clock.

Exponential with full jitter between 0.1 and 30 s.
What the hub asked for in `Retry-After` is a floor, so that there is at most one request per
`Retry-After`; jitter is added above it only.
"""

from __future__ import annotations

from email.utils import parsedate_to_datetime

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 30.0
LONGEST_ASKED_SECONDS = 600.0
LONGEST_DIGITS = 9


def backoff_seconds(attempt: int, chance: float, asked_seconds: float | None = None) -> float:
    """Return the seconds to wait after failed `attempt` (from 1); `chance` is uniform in [0, 1)."""
    span = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 16))
    if asked_seconds is None:
        return max(FIRST_SECONDS, chance * span)
    asked = min(max(asked_seconds, FIRST_SECONDS), LONGEST_ASKED_SECONDS)
    return asked + chance * min(span, asked / 4)


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Read a `Retry-After` header, seconds or a date; None when absent or unreadable.

    Args:
        header: its value.
        now: seconds since the epoch, to turn a date into a wait.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isdecimal() and len(text) <= LONGEST_DIGITS:
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - now)
