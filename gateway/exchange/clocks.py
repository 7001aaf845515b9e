"""The hub's clocks: what becomes due on a trajectory or an offer when nobody does anything.

Pure, and derived from the state each time: a state or a rule that changed leaves no stale clock.
The state remembers only the last due time of each clock that was sent, and a clock is sent when
its due time lies after that one.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.exchange import (
    offer_clocks,
    outcome_clocks,
    placement_clocks,
    referral_clocks,
    responsible,
    right_clocks,
    trajectory_clocks,
)
from gateway.exchange.offer_state import Offer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.exchange.clock import Clock, Ground
    from gateway.exchange.state import Trajectory
    from schemas.rule_set import RuleSet

VERSION = "7"
"""Changes with these functions, so that what was derived by older ones is derived anew."""

NONE_PUT_OFF: Mapping[str, int] = MappingProxyType({})


def fingerprint(ground: Ground) -> str:
    """What rows that were derived by these functions under these rules have in common."""
    rules = ground.registry.rules.on(ground.today).values()
    said = repr((VERSION, [_settled(one) for one in rules]))
    return hashlib.sha256(said.encode()).hexdigest()


def _settled(rules: RuleSet) -> list[Any]:
    """The values of a rule set in an order that no process chooses for itself."""
    values = (getattr(rules, one.name) for one in fields(rules))
    return [sorted(value) if isinstance(value, frozenset) else value for value in values]


def all_clocks(state: Trajectory | Offer, ground: Ground) -> list[Clock]:
    """Every clock that the state gives rise to, sent or not; in no order."""
    if isinstance(state, Offer):
        return offer_clocks.clocks(state, ground)
    if state.state == "joined":
        return []
    found = [
        *referral_clocks.clocks(state, ground),
        *placement_clocks.clocks(state, ground),
        *outcome_clocks.clocks(state, ground),
        *right_clocks.clocks(state, ground),
        *trajectory_clocks.clocks(state, ground),
    ]
    return list(_known(state, found)) if state.erased else found


def _known(case: Trajectory, found: Iterable[Clock]) -> Iterator[Clock]:
    """Under whoever still knows the person: one that had its data erased is told nothing more.

    What it left undone is up to whoever answers for the case; without one it is dropped, as
    nobody is left to be told.
    """
    for one in found:
        acts_for = responsible.for_case(case) if one.acts_for in case.erased else one.acts_for
        if acts_for is not None:
            yield one if acts_for == one.acts_for else replace(one, acts_for=acts_for)


def clocks(state: Trajectory | Offer, ground: Ground) -> list[Clock]:
    """Every clock that still runs: those that were not sent for this due time or a later one."""
    found, sent = all_clocks(state, ground), state.reminded
    if not sent:
        return found
    return [one for one in found if one.key not in sent or sent[one.key].due < one.due_at]


def next_due(
    state: Trajectory | Offer, ground: Ground, put_off: Mapping[str, int] = NONE_PUT_OFF
) -> int | None:
    """When the earliest clock is to be sent; None when none runs. For `put_off` see `first_due`."""
    running = clocks(state, ground)
    return min((max(one.due_at, put_off.get(one.key, 0)) for one in running), default=None)


def first_due(
    state: Trajectory | Offer,
    ground: Ground,
    now: int,
    put_off: Mapping[str, int] = NONE_PUT_OFF,
) -> Clock | None:
    """The clock that is to be sent now: of those due the earliest.

    Args:
        state: the trajectory or offer.
        ground: the rules and participants of the day.
        now: business time.
        put_off: until when clocks wait whose event was refused, by key; the others go before.
    """
    due = [one for one in due_now(state, ground, now) if put_off.get(one.key, 0) <= now]
    return min(due, key=lambda one: (one.due_at, one.key), default=None)


def due_now(state: Trajectory | Offer, ground: Ground, now: int) -> list[Clock]:
    """Every clock that is due, put off or not; in no order."""
    return [one for one in clocks(state, ground) if one.due_at <= now]
