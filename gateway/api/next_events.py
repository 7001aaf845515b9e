"""Which events a participant may send next on a case: a pure reading of the lifecycle tables.

The same tables and relations decide when an event arrives; this only asks them beforehand. A guard
of the tables (a missing field, an agreement) may still refuse what is listed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.exchange import relations as rel
from gateway.exchange.decision import HUB
from schemas.lifecycle import NONE, lifecycles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from gateway.exchange.registry import Participant, Registry
    from gateway.exchange.state import Referral, Trajectory

_DESKS = ("O", "V")


@dataclass(frozen=True, slots=True)
class NextEvents:
    """One aggregate of a case, its state, and what the participant may send on it."""

    aggregate_type: str
    aggregate_id: str
    state: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, when, and by which registry."""

    participant: Participant
    registry: Registry
    on: date

    def is_competent(self, nis: str) -> bool:
        """Whether the viewer is the OCMW or VDAB of a municipality."""
        found = (self.registry.competent(role, nis, self.on) for role in _DESKS)
        return any(one is not None and one.id == self.participant.id for one in found)


def next_events(trajectory: Trajectory, viewer: Viewer) -> tuple[NextEvents, ...]:
    """The trajectory itself first, then what lives on it, oldest first."""
    return tuple(_aggregates(trajectory, viewer))


def creatable(trajectory: Trajectory, viewer: Viewer) -> tuple[str, ...]:
    """The events by which the viewer may begin something new on this case."""
    held = frozenset(rel.parties(trajectory).get(viewer.participant.id, ()))
    role = viewer.participant.role
    found: list[str] = []
    for aggregate in ("referral", "placement", "outcome", "right"):
        found.extend(lifecycles()[aggregate].allowed(NONE, role, held))
    return tuple(found)


def on_referral(trajectory: Trajectory, referral: Referral, viewer: Viewer) -> tuple[str, ...]:
    """What the viewer may send on one referral now."""
    me = viewer.participant.id
    held = set(rel.to_referral(rel.parties(trajectory), trajectory, referral).get(me, ()))
    if referral.state == "open" and me in referral.candidates:
        held.add("candidate")
    if _is_closer(trajectory, referral, viewer):
        held.add("closer")
    return _allowed("referral", referral.state, held, viewer)


def _aggregates(trajectory: Trajectory, viewer: Viewer) -> Iterator[NextEvents]:
    me = viewer.participant.id
    held = set(rel.parties(trajectory).get(me, ()))
    if viewer.is_competent(trajectory.territory_nis):
        held.add("competent")
    if any(task.addressee == me and task.answered is None for task in trajectory.tasks.values()):
        held.add("addressee")
    events = _allowed("trajectory", trajectory.state, held, viewer)
    yield NextEvents("trajectory", trajectory.id, trajectory.state, events)
    for referral in trajectory.referrals.values():
        events = on_referral(trajectory, referral, viewer)
        yield NextEvents("referral", referral.id, referral.state, events)
    for placement in trajectory.placements.values():
        held = rel.acting_on_placement(trajectory, placement, me)
        events = _allowed("placement", placement.state, held, viewer)
        yield NextEvents("placement", placement.id, placement.state, events)
    for outcome in trajectory.outcomes.values():
        held = set(rel.to_outcome(rel.parties(trajectory), trajectory, outcome).get(me, ()))
        events = _allowed("outcome", outcome.state, held, viewer)
        yield NextEvents("outcome", outcome.id, outcome.state, events)
    for right in trajectory.rights.values():
        held = set(rel.parties(trajectory).get(me, ()))
        events = _allowed("right", right.state, held, viewer)
        yield NextEvents("right", right.id, right.state, events)


def _allowed(aggregate: str, state: str, held: set[str], viewer: Viewer) -> tuple[str, ...]:
    if not held:
        return ()
    role = viewer.participant.role
    return lifecycles()[aggregate].allowed(state, role, frozenset(held))


def _is_closer(trajectory: Trajectory, referral: Referral, viewer: Viewer) -> bool:
    """Who closed it; if the hub did: the handler or case holder, else the competent desk."""
    if referral.closed_by is None or referral.closed_by != HUB:
        return referral.closed_by == viewer.participant.id
    able = {referral.handler, trajectory.holder} - {None}
    if able:
        return viewer.participant.id in able
    return viewer.is_competent(trajectory.territory_nis)
