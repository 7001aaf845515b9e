"""Flemish municipalities by NIS code: which existed when, and what the merged ones became.

A NIS code in an event has to be valid on the event's date; one in an agreement stays what it was
written as and maps forward when its municipality merges (`domain.md` §6).
Data and attribution: `schemas/data/README.md`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from schemas.errors import Message, UnknownMunicipality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Municipality:
    """One municipality as it was between two dates.

    Attributes:
        ovo: the municipality's own OVO code; its OCMW has another.
        valid_to: the last day, None for a municipality of today.
        successor: NIS code of what it merged into, None for a municipality of today.
        postal_codes: those of today, so none for one that merged.
    """

    nis: str
    name: str
    province: str
    ovo: str
    valid_from: date
    valid_to: date | None
    successor: str | None
    postal_codes: tuple[str, ...]

    def is_valid_on(self, on: date) -> bool:
        """Tell whether the municipality existed under this code on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


def municipality(nis: str) -> Municipality:
    """Return the municipality of a NIS code, merged ones included.

    Raises:
        UnknownMunicipality: no Flemish municipality has or had this code.
    """
    found = _by_nis().get(nis)
    if found is None:
        raise UnknownMunicipality(
            Message(
                nl="Deze NIS-code is geen Vlaamse gemeente; kijk de vijf cijfers na.",
                en="This NIS code is no Flemish municipality; check its five digits.",
            )
        )
    return found


def municipalities() -> tuple[Municipality, ...]:
    """Return all municipalities, merged ones included, in order of NIS code."""
    return tuple(_by_nis().values())


@cache
def known_codes() -> frozenset[str]:
    """Return every NIS code that a Flemish municipality has or had."""
    return frozenset(_by_nis())


def valid_on(nis: str, on: date) -> bool:
    """Tell whether a NIS code existed on a day; False for an unknown code."""
    found = _by_nis().get(nis)
    return found is not None and found.is_valid_on(on)


def current(nis: str) -> str:
    """Return the NIS code that a municipality has today: its own, or what it merged into.

    Raises:
        UnknownMunicipality: no Flemish municipality has or had this code.
    """
    found = municipality(nis)
    while found.successor is not None:
        found = municipality(found.successor)
    return found.nis


def current_on(nis: str, on: date) -> str:
    """Return the NIS code that a municipality had on a day, mapped forward through mergers.

    An unknown code, and one that did not exist yet, stays what it is.
    """
    found = _by_nis().get(nis)
    while found is not None and found.successor and found.valid_to and found.valid_to < on:
        nis = found.successor
        found = _by_nis().get(nis)
    return nis


@cache
def earlier_codes(nis: str) -> tuple[str, ...]:
    """Return a NIS code and those of all municipalities that merged into it."""
    found = [nis]
    for code in found:
        found += [one.nis for one in municipalities() if one.successor == code]
    return tuple(dict.fromkeys(found))


def codes_within(places: Iterable[str]) -> list[str]:
    """Return every code under which something may lie in these municipalities, merged ones too.

    Raises:
        UnknownMunicipality: no Flemish municipality has or had one of these codes.
    """
    return sorted({code for nis in places for code in earlier_codes(current(nis))})


def by_postcode(code: str, on: date) -> tuple[Municipality, ...]:
    """Return the municipalities that a postal code may lie in on a day; none if unknown.

    Postal codes are known for today's municipalities.
    Before such a one existed, all those that merged into it are possible, so the answer is wider.
    """
    found: dict[str, Municipality] = {}
    for nis in _by_postal_code().get(code, ()):
        for candidate in _on(nis, on):
            found[candidate.nis] = candidate
    return tuple(found[nis] for nis in sorted(found))


@lru_cache(maxsize=65536)
def covers(territory: frozenset[str], nis: str, on: date) -> bool:
    """Tell whether a territory (NIS codes as they were written) covers a place on a day.

    A code of the territory maps forward once its municipality has merged. A place under an old code
    is also covered by the code it became, unless that code stood for a smaller place on that day.
    """
    if nis in territory:
        return True
    places = _names_of(nis, on)
    return any(current_on(code, on) in places for code in territory)


def _names_of(nis: str, on: date) -> frozenset[str]:
    """Return the code itself and those later ones that hold all of it, as seen from a day."""
    names = {nis}
    found = _by_nis().get(nis)
    while found is not None and found.successor is not None:
        successor = municipality(found.successor)
        if found.is_valid_on(on) and successor.is_valid_on(on):
            # Antwerpen kept its code when Borsbeek joined: until then it did not hold Borsbeek.
            break
        names.add(successor.nis)
        found = successor
    return frozenset(names)


def _on(nis: str, on: date) -> tuple[Municipality, ...]:
    """Return the municipality itself when it existed on a day, else those it was made of."""
    found = municipality(nis)
    if found.is_valid_on(on):
        return (found,)
    made_of = (origin for origin in municipalities() if origin.successor == nis)
    return tuple(place for origin in made_of for place in _on(origin.nis, on))


@cache
def _by_nis() -> Mapping[str, Municipality]:
    source = files("schemas").joinpath("data/municipalities.csv")
    lines = source.read_text(encoding="utf-8").splitlines()
    return {row["nis"]: _municipality(row) for row in csv.DictReader(lines)}


@cache
def _by_postal_code() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for place in municipalities():
        for code in place.postal_codes:
            found.setdefault(code, []).append(place.nis)
    return {code: tuple(places) for code, places in found.items()}


def _municipality(row: dict[str, str]) -> Municipality:
    return Municipality(
        nis=row["nis"],
        name=row["name_nl"],
        province=row["province"],
        ovo=row["ovo"],
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
        successor=row["successor_nis"] or None,
        postal_codes=tuple(row["postal_codes"].split()),
    )
