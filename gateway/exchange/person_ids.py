"""Under which ids the hub knows a person.

Persons that were merged keep what was recorded under the id they had then: sealed events, digests,
references. Whatever is about all of a person asks here first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.exchange.driver import Lookup
from gateway.exchange.state_rows import loads_subject

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.exchange.driver import Driver

_SUBJECTS = Lookup("subjects", "id, state", "id")


def ids_of(driver: Driver, subject_ids: Collection[str]) -> dict[str, frozenset[str]]:
    """All ids of each of these persons, by the id asked for, which is among them."""
    same: dict[str, set[str]] = {}
    wanted = set(subject_ids)
    while wanted:
        same.update((one, set()) for one in wanted)
        (rows,) = driver.read((_SUBJECTS, sorted(wanted)))
        for one, state in rows:
            subject = loads_subject(state)
            into = () if subject.merged_into is None else (subject.merged_into,)
            same[one] = {*subject.merged, *into}
        wanted = {one for ids in same.values() for one in ids} - same.keys()
    return {one: _reached(one, same) for one in subject_ids}


def _reached(start: str, same: dict[str, set[str]]) -> frozenset[str]:
    found, waiting = {start}, [start]
    while waiting:
        fresh = same[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return frozenset(found)
