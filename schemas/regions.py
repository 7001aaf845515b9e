"""The 15 Flemish reference regions (referentieregio's), by municipality; see `data/README.md`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from schemas import territory

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Region:
    """One reference region."""

    code: str
    name: str


def region_of(nis: str) -> Region | None:
    """Return the region of a municipality, merged ones included; None outside Flanders."""
    if nis not in territory.known_codes():
        return None
    return _by_nis().get(territory.current(nis))


@cache
def regions() -> tuple[Region, ...]:
    """Return all reference regions, by code."""
    return tuple(sorted(set(_by_nis().values()), key=lambda one: one.code))


@cache
def _by_nis() -> Mapping[str, Region]:
    source = files("schemas") / "data" / "reference_regions.csv"
    rows = csv.DictReader(source.read_text(encoding="utf-8").splitlines())
    return {row["nis"]: Region(row["region"], row["name_nl"]) for row in rows}
