"""Lifecycles as data: which event may be sent from which state, by whom, and where it leads.

The tables in `schemas/lifecycles/` are the only place where this is written (`domain.md` §3.4).
`decide` walks them; the generated tests and the diagrams read the same values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SAME = "same"
"""Target that keeps the state."""
BEFORE = "before"
"""Target that returns to the state before the final one."""
NONE = "none"
"""Source of the event that creates the aggregate."""


COMPETENT = "competent"
"""Relation of the OCMW and the VDAB of the municipality, whether they take part or not."""
OUTSIDER = frozenset({COMPETENT})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who may send: everybody in a role, or who holds a relation, or both at once."""

    role: str | None
    relation: str | None

    def admits(self, role: str, relations: frozenset[str]) -> bool:
        """Whether a participant in `role` with these relations is such an actor.

        A role alone is not enough for an outsider, who is a part of nothing in the case.
        """
        if self.role is not None and self.role != role:
            return False
        if self.relation is None:
            return relations != OUTSIDER
        return self.relation in relations

    def __str__(self) -> str:
        return ":".join(part for part in (self.relation, self.role) if part)


@dataclass(frozen=True, slots=True)
class State:
    """A state; `kind` is active, final (may be reopened or corrected) or terminal."""

    name: str
    kind: str
    nl: str
    en: str
    clock: str | None
    no_clock: str | None


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of a table. `choose` names the rule that picks among several targets."""

    event: str
    sources: frozenset[str]
    targets: tuple[str, ...]
    by: tuple[Actor, ...]
    choose: str | None
    guards: tuple[str, ...]

    @property
    def creates(self) -> bool:
        """Whether this event makes the aggregate."""
        return NONE in self.sources

    def admits(self, role: str, relations: frozenset[str]) -> bool:
        """Whether a participant in `role` with these relations may send this event."""
        for actor in self.by:  # noqa: SIM110 - a generator would cost more than all the actors
            if actor.admits(role, relations):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The table of one aggregate type.

    What every decision asks of it is looked up, not searched for.

    Attributes:
        roles: who may ever send an event; None for whoever stands in the right relation.
        creating: events that make an aggregate.
    """

    aggregate: str
    states: dict[str, State]
    transitions: tuple[Transition, ...]
    by_event: dict[str, tuple[Transition, ...]]
    by_state: dict[str, tuple[Transition, ...]]
    roles: dict[str, frozenset[str | None]]
    creating: frozenset[str]

    def allowed(self, state: str, role: str, relations: frozenset[str]) -> tuple[str, ...]:
        """The events that such a participant may send in this state, in the table's order."""
        rows = self.by_state.get(state, ())
        return tuple(dict.fromkeys(row.event for row in rows if row.admits(role, relations)))

    def has_role(self, event: str, role: str) -> bool:
        """Whether anybody in this role may ever send this event."""
        return not self.roles[event].isdisjoint((None, role))

    def is_active(self, state: str) -> bool:
        """Whether something is still to happen in this state."""
        return self.states[state].kind == "active"

    def transition(self, event: str, state: str) -> tuple[Transition, ...]:
        """The rows for this event from this state; empty when the state does not allow it."""
        return tuple(row for row in self.by_event.get(event, ()) if state in row.sources)


ROLES = frozenset({"V", "O", "W", "P", "H", "S", "T", "G", "HUB"})


def _actor(text: str) -> Actor:
    relation, _, role = text.rpartition(":")
    if role in ROLES:
        return Actor(role=role, relation=relation or None)
    return Actor(role=None, relation=text)


def _state(name: str, row: dict[str, Any]) -> State:
    return State(name, row["kind"], row["nl"], row["en"], row.get("clock"), row.get("no_clock"))


def _transition(row: dict[str, Any]) -> Transition:
    return Transition(
        event=row["event"],
        sources=frozenset(row["from"]),
        targets=tuple(row["to"]),
        by=tuple(_actor(text) for text in row["by"]),
        choose=row.get("choose"),
        guards=tuple(row.get("guards", ())),
    )


def _lifecycle(document: dict[str, Any]) -> Lifecycle:
    transitions = tuple(_transition(row) for row in document["transitions"])
    by_event: dict[str, tuple[Transition, ...]] = {}
    by_state: dict[str, tuple[Transition, ...]] = {}
    for row in transitions:
        by_event[row.event] = (*by_event.get(row.event, ()), row)
        for source in row.sources:
            by_state[source] = (*by_state.get(source, ()), row)
    states = {name: _state(name, row) for name, row in document["states"].items()}
    return Lifecycle(
        document["aggregate"],
        states,
        transitions,
        by_event,
        by_state,
        roles={
            event: frozenset(actor.role for row in rows for actor in row.by)
            for event, rows in by_event.items()
        },
        creating=frozenset(row.event for row in transitions if row.creates),
    )


@cache
def lifecycles() -> dict[str, Lifecycle]:
    """All tables, keyed by aggregate type."""
    folder = Path(__file__).parent / "lifecycles"
    tables = [_lifecycle(yaml.safe_load(path.read_text("utf-8"))) for path in folder.glob("*.yaml")]
    return {table.aggregate: table for table in tables}


@cache
def lifecycle_of(event: str) -> Lifecycle:
    """The table that holds an event.

    Raises:
        KeyError: no table holds it.
    """
    for table in lifecycles().values():
        if event in table.by_event:
            return table
    raise KeyError(event)
