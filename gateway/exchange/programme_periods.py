"""Under which programme a placement ran when, and what its conversions carried over (R10, R11).

Pure. Reports of months before a conversion belong to the programme of those months; what the
conversion carried counts in the year of its first day and in the length of the placement.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from gateway.exchange.business_days import months_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.state import Placement


def programme_in(placement: Placement, month: str) -> str:
    """The programme that a month (YYYY-MM) of a placement belongs to."""
    for one in placement.conversions:
        if month < one.effective[:7]:
            return one.from_programme
    return placement.programme


def programmes(placement: Placement) -> Iterator[str]:
    """Every programme that the placement ran under, each once, the first one first."""
    found = [one.from_programme for one in placement.conversions]
    yield from dict.fromkeys([*found, placement.programme])


def counted_from(placement: Placement) -> str | None:
    """The day from which the length of a placement counts under its programme of today."""
    if not placement.conversions or placement.start_date is None:
        return placement.start_date
    last = placement.conversions[-1]
    if placement.start_date >= last.effective:
        return placement.start_date
    return months_after(date.fromisoformat(last.effective), -last.months).isoformat()


def extensions(placement: Placement) -> int:
    """How often it was extended under its programme of today."""
    if not placement.conversions:
        return placement.extensions
    return placement.extensions - placement.conversions[-1].extensions
