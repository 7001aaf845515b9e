"""What an answer means, and when to try again: pure, so that the contract can be read here.

`deploy/webhooks.md` tells the same to those who receive.
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from typing import Final, Literal

SECOND_US: Final = 1_000_000
HOUR_US: Final = 3600 * SECOND_US
DAY_US: Final = 24 * HOUR_US

FIRST_WAIT_US: Final = SECOND_US // 10
GRID_US: Final = SECOND_US // 10
LONGEST_WAIT_US: Final = 15 * 60 * SECOND_US
LONGEST_RETRY_AFTER_SECONDS: Final = 24 * 3600
BREAKER_FAILURES: Final = 5
FIRST_PROBE_US: Final = SECOND_US
LONGEST_PROBE_US: Final = 60 * SECOND_US
_DOUBLINGS: Final = 30

GONE: Final = 410
THROTTLED: Final = frozenset({429, 503})
WAITABLE: Final = frozenset({408, 425, 429})
PERMANENT: Final = frozenset({"tls_failed"})
"""Failures without an answer that no later attempt would cure."""

Kind = Literal["delivered", "retry", "refused", "gone"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one attempt came to.

    Attributes:
        code: `http_503`, `redirected`, or why there was no answer; empty when it was delivered.
        hold_us: the receiver asks for so much rest; None when it asks for none.
    """

    kind: Kind
    code: str = ""
    hold_us: int | None = None


def of_answer(status: int, retry_after: str | None, now_seconds: float) -> Verdict:
    """The verdict on an answer. Only 2xx is success.

    Args:
        status: of the answer.
        retry_after: the header's value, seconds or a date.
        now_seconds: real time, against which a date is read.
    """
    if 200 <= status < 300:  # noqa: PLR2004 - what HTTP calls success
        return Verdict("delivered")
    if status == GONE:
        return Verdict("gone", "http_410")
    if status < 400:  # noqa: PLR2004 - nobody goes where a redirect points
        return Verdict("refused", "redirected")
    code = f"http_{status}"
    if status < 500 and status not in WAITABLE:  # noqa: PLR2004 - the request is at fault
        return Verdict("refused", code)
    hold = _retry_after_us(retry_after, now_seconds) if status in THROTTLED else None
    return Verdict("retry", code, hold)


def of_silence(reason: str) -> Verdict:
    """The verdict when there was no answer."""
    return Verdict("refused" if reason in PERMANENT else "retry", reason)


def wait_us(tries: int, failing_us: int, chance: float) -> int:
    """How long to wait after a failed attempt at one event.

    It doubles from 0.1 s, and is never much more than an eighth of the time that this event has
    been failing, so that an event is late by no more than that when its receiver is back.

    Args:
        tries: at least one.
        failing_us: since its first attempt.
        chance: 0 to 1; between half and the whole of the wait is waited.
    """
    doubled = FIRST_WAIT_US << min(tries - 1, _DOUBLINGS)
    longest = min(doubled, max(FIRST_PROBE_US, failing_us // 8), LONGEST_WAIT_US)
    return int(longest * (0.5 + 0.5 * chance))


def together(at: int) -> int:
    """The next tenth of a second, so that what fails at one receiver is tried again together.

    Each time of its own is a turn of its own, which costs as much as ten attempts.
    """
    return -(-at // GRID_US) * GRID_US


def probe_us(failing_us: int, chance: float) -> int:
    """How long to leave a failing receiver alone: an eighth of its outage, 1 to 60 seconds."""
    longest = min(max(failing_us // 8, FIRST_PROBE_US), LONGEST_PROBE_US)
    return int(longest * (0.5 + 0.5 * chance))


def _retry_after_us(value: str | None, now_seconds: float) -> int | None:
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:10])
    else:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now_seconds
        except (TypeError, ValueError, OverflowError):
            return None
    return int(min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS) * SECOND_US)
