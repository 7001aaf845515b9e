"""The hub's clocks: what becomes due on a trajectory or an offer when nobody does anything.

Pure, and derived from the state each time: a state or a rule that changed leaves no stale clock.
The state remembers only the last due time of each clock that was sent, and a clock is sent when
its due time lies after that one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gateway.exchange import offer_clocks
from gateway.exchange.state import Offer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gateway.exchange.clock import Clock
    from gateway.exchange.state import Trajectory
    from schemas.rule_set import RuleSet

    Rules = Callable[[str], RuleSet]

VERSION = "1"
"""Changes with these functions, so that what was derived by older ones is derived anew."""


def fingerprint(rule_sets: Iterable[RuleSet]) -> str:
    """What rows that were derived by these functions under these rules have in common."""
    said = repr((VERSION, sorted(rule_sets, key=lambda one: one.programme)))
    return hashlib.sha256(said.encode()).hexdigest()


def clocks(state: Trajectory | Offer, rules: Rules) -> list[Clock]:
    """Every clock that runs, sent ones left out; in no order.

    Args:
        state: what it is about.
        rules: the rules of a programme today.
    """
    found = offer_clocks.clocks(state, rules) if isinstance(state, Offer) else []
    sent = state.reminded
    if not sent:
        return found
    return [one for one in found if one.key not in sent or sent[one.key].due < one.due_at]


def next_due(state: Trajectory | Offer, rules: Rules) -> int | None:
    """When the earliest clock is due; None when none runs."""
    return min((one.due_at for one in clocks(state, rules)), default=None)


def first_due(state: Trajectory | Offer, rules: Rules, now: int) -> Clock | None:
    """The clock that is to be sent now: of those due the earliest."""
    due = [one for one in clocks(state, rules) if one.due_at <= now]
    return min(due, key=lambda one: (one.due_at, one.key), default=None)
