"""The working copy of a shared commit finds the cases of a person, whatever happened to both."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from gateway.exchange.state import Trajectory
from gateway.exchange.subject_state import Subject
from gateway.exchange.working import Working

if TYPE_CHECKING:
    from collections.abc import Callable

PERSONS = [f"person-{number}" for number in range(6)]


def test_the_cases_of_a_person_are_those_of_everybody_merged_into_it() -> None:
    """After any order of new cases, changed cases, moved cases and merges, as by going through."""
    drawn = random.Random(20261126)  # noqa: S311 - no secret
    known = Working()
    steps: list[Callable[[], None]] = [
        lambda: _open(known, f"case-{drawn.randrange(40)}", drawn.choice(PERSONS)),
        lambda: _move(known, drawn.choice(PERSONS), drawn.randrange(99)),
        lambda: _merge(known, *sorted(drawn.sample(PERSONS, 2))),
    ]
    for _ in range(400):
        drawn.choices(steps, weights=(6, 3, 1))[0]()
        for person in PERSONS:
            found = {one.id for one in known.trajectories_of(person)}

            assert found == _by_going_through(known, person)


def test_a_dry_run_leaves_no_case_behind() -> None:
    """What a fork adds is not found in what it was forked from, nor the other way round."""
    known = Working()
    _open(known, "case-1", PERSONS[0])
    assert [one.id for one in known.trajectories_of(PERSONS[0])] == ["case-1"]

    fork = known.fork()
    _open(fork, "case-2", PERSONS[0])

    assert [one.id for one in known.trajectories_of(PERSONS[0])] == ["case-1"]
    assert [one.id for one in fork.trajectories_of(PERSONS[0])] == ["case-1", "case-2"]


def _open(known: Working, case: str, person: str) -> None:
    """A case that is new, or was there and is about this person now."""
    known.take_case(Trajectory(case, person, "unassigned", 1, "24107"), None)


def _move(known: Working, person: str, moment: int) -> None:
    for one in list(known.trajectories_of(person))[:1]:
        known.take_case(replace(one, last_event_at=moment), None)


def _merge(known: Working, older: str, younger: str) -> None:
    known.take_person(Subject(younger, 0, merged_into=older))


def _by_going_through(known: Working, person: str) -> set[str]:
    return {
        one.id
        for one in known.trajectories.values()
        if person in (one.subject_id, known.canonical(one.subject_id))
    }
