"""The municipalities in which a world plays: real ones, some of them merged in 2025."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from schemas import territory

TIENEN, DIEST, LEUVEN = "24107", "24020", "24062"
HASSELT, TONGEREN = "71072", "73111"
EEKLO, KAPRIJKE, MALDEGEM, MERELBEKE = "43005", "43007", "43010", "44088"
PAJOTTEGEM = "23106"
AARSCHOT = "24001"

_TODAY = date(2026, 1, 1)

HAGELAND = (TIENEN, DIEST, LEUVEN)
LIMBURG = (HASSELT, TONGEREN)
MEETJESLAND = (EEKLO, KAPRIJKE, MALDEGEM, MERELBEKE)
PAJOTTENLAND = (PAJOTTEGEM,)
DEMER = (AARSCHOT,)


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality: where people live and work floors are.

    Attributes:
        postcodes: those that lie in this municipality alone.
    """

    nis: str
    name: str
    postcodes: tuple[str, ...]


def place(nis: str) -> Place:
    """A municipality by its code of today.

    Raises:
        UnknownMunicipality: there is none.
    """
    found = territory.municipality(nis)
    alone = [one for one in found.postal_codes if len(territory.by_postcode(one, _TODAY)) == 1]
    return Place(nis, found.name, tuple(alone))
