"""What a published conversion makes of one running placement. Pure (R10, R11)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from schemas.conversion import EVERYTHING, THIS_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.exchange.state import Placement
    from schemas.conversion import Conversion

MONTHS_IN_YEAR = 12


class Converted(Struct, frozen=True, gc=False):
    """One placement as it goes on, before it does.

    Attributes:
        hours_carried: hundredths of an hour.
        months_carried: whole months since the start.
    """

    placement_id: str
    from_programme: str
    to_programme: str
    effective: date
    hours_carried: int
    months_carried: int
    basis: str

    @property
    def data(self) -> dict[str, Any]:
        """Of the event `transition.placement_converted`."""
        return {
            "from_programme": self.from_programme,
            "to_programme": self.to_programme,
            "effective": self.effective.isoformat(),
            "hours_carried": f"{Decimal(self.hours_carried) / 100:.2f}",
            "months_carried": self.months_carried,
            "basis": self.basis,
        }


def converted(
    placement: Placement, conversions: Iterable[Conversion], hours: Mapping[str, int]
) -> Converted | None:
    """What the first conversion that takes a placement makes of it; None when none does.

    Args:
        placement: as it is now.
        conversions: published, the ones to look at.
        hours: its reported hours in hundredths, by month (YYYY-MM).
    """
    start = date.fromisoformat(placement.start_date) if placement.start_date else None
    for one in conversions:
        if one.takes(placement.programme, placement.state, start):
            return Converted(
                placement.id,
                one.from_programme,
                one.to_programme,
                one.effective,
                _hours(one, hours),
                _months(one, placement, start),
                one.basis,
            )
    return None


def _hours(conversion: Conversion, hours: Mapping[str, int]) -> int:
    """Those of months before the conversion that it lets count on."""
    if conversion.hours_carried not in (EVERYTHING, THIS_YEAR):
        return 0
    first = f"{conversion.effective.year}-01" if conversion.hours_carried == THIS_YEAR else ""
    until = conversion.effective.isoformat()[:7]
    return sum(found for month, found in hours.items() if first <= month <= until)


def _months(conversion: Conversion, placement: Placement, start: date | None) -> int:
    """Whole months from the start to the conversion; none for what has not started."""
    if conversion.months_carried != EVERYTHING or not placement.started or start is None:
        return 0
    end = conversion.effective
    months = (end.year - start.year) * MONTHS_IN_YEAR + end.month - start.month
    return max(months - (end.day < start.day), 0)
