"""Instants: microseconds since the epoch inside the hub, RFC 3339 in UTC on the wire."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def from_rfc3339(text: str) -> int:
    """Return the microseconds since the epoch of an instant with its offset stated.

    Raises:
        ValueError: not RFC 3339, without an offset, or no existing day or time.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 instant")
    try:
        # In UTC first: an offset may carry the first or last day of the calendar out of it.
        return (datetime.fromisoformat(text.upper()).astimezone(UTC) - _EPOCH) // _MICROSECOND
    except OverflowError as error:
        raise ValueError("not an RFC 3339 instant") from error


@lru_cache(4096)  # all events of one commit are recorded at one instant
def to_rfc3339(microseconds: int) -> str:
    """Return an instant in UTC, with six decimals only when it has a fraction of a second."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()[:-6] + "Z"
