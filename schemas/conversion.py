"""Conversions of running placements from one programme to another, as a published rule file says.

Which placements, from which day, and how much of their hours and months counts on (R10, R11).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.codelists import code_list
from schemas.documents import Faults, Section
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

NOTHING, THIS_YEAR, EVERYTHING = "none", "this_year", "all"
HOURS: Final = frozenset({NOTHING, THIS_YEAR, EVERYTHING})
MONTHS: Final = frozenset({NOTHING, EVERYTHING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One conversion.

    Attributes:
        effective: first day under the new programme.
        hours_carried: which hours count on: all, those of the calendar year, or none.
        months_carried: whether the months since the start count on.
        basis: code of the list `conversion_basis`.
        states: of the placements that are converted.
        started_from: only placements that started on this day or later.
        started_until: only placements that started on this day or before.
    """

    from_programme: str
    to_programme: str
    effective: date
    hours_carried: str
    months_carried: str
    basis: str
    states: frozenset[str]
    started_from: date | None = None
    started_until: date | None = None

    def takes(self, programme: str, state: str, start: date | None) -> bool:
        """Whether a placement of this programme, in this state, begun then, is converted."""
        if programme != self.from_programme or state not in self.states:
            return False
        if self.started_from is not None and (start is None or start < self.started_from):
            return False
        return self.started_until is None or (start is not None and start <= self.started_until)


def read_conversions(entries: Any, path: str, faults: Faults) -> tuple[Conversion, ...]:
    """Read the conversions of a rule file; what is wrong is added to `faults`."""
    if entries is not None and not isinstance(entries, list):
        faults.add(path, "not_a_list", "Is geen lijst.", "Is no list.")
        return ()
    found = (_read(entry, f"{path}[{place}]", faults) for place, entry in enumerate(entries or ()))
    return tuple(one for one in found if one is not None)


def _read(entry: Any, path: str, faults: Faults) -> Conversion | None:
    before = len(faults.found)
    section = Section(entry, path, known=_KEYS, required=_REQUIRED, faults=faults)
    which = Section(
        {} if section.raw("placements") is None else section.raw("placements"),
        f"{path}.placements",
        known=frozenset({"states", "started_from", "started_until"}),
        required=frozenset(),
        faults=faults,
    )
    convertible = frozenset(_convertible())
    hint = f"mogelijk/possible: {', '.join(sorted(convertible))}"
    values: dict[str, Any] = {
        "from_programme": section.text("from_programme"),
        "to_programme": section.text("to_programme"),
        "effective": section.day("effective"),
        "hours_carried": section.one_of("hours_carried", HOURS),
        "months_carried": section.one_of("months_carried", MONTHS),
        "basis": section.one_of("basis", frozenset(code_list("conversion_basis").codes)),
        "states": frozenset(which.many_of("states", convertible.__contains__, hint)) or convertible,
        "started_from": which.day("started_from"),
        "started_until": which.day("started_until"),
    }
    if values["from_programme"] is not None and values["from_programme"] == values["to_programme"]:
        nl, en = "Zet om naar een ander programma.", "Convert to another programme."
        faults.add(f"{path}.to_programme", "same_programme", nl, en)
    for name in sorted(_REQUIRED):
        if isinstance(entry, dict) and name in entry and entry[name] is None:
            faults.add(f"{path}.{name}", "missing", "Ontbreekt.", "Missing.")
    return Conversion(**values) if len(faults.found) == before else None


def _convertible() -> Iterator[str]:
    """The states from which the table lets a placement be converted."""
    for row in lifecycles()["placement"].transitions:
        if row.event == "transition.placement_converted":
            yield from row.sources


_REQUIRED: Final = frozenset(
    {"from_programme", "to_programme", "effective", "hours_carried", "months_carried", "basis"}
)
_KEYS: Final = _REQUIRED | {"placements"}
