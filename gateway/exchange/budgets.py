"""What one participant may ask of the hub: how much at once, and how much comes back each second.

The figures of an installation are its settings; a participant that needs others has them in the
registry file. They protect everybody else, so they are generous and never absent.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from schemas.documents import Faults, Section

LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket: `at_once` is what it holds, `per_second` what flows in."""

    at_once: float
    per_second: float

    def shared(self, among: int) -> Rate:
        """One gateway's part of it, where a balancer spreads calls over several."""
        return Rate(max(1.0, self.at_once / among), self.per_second / among)


@dataclass(frozen=True, slots=True)
class Budget:
    """The figures of one participant; None leaves the installation's own.

    Attributes:
        events_at_once: events that may come together after a pause.
        events_per_second: events that come back each second.
        bytes_at_once: bytes of request bodies that may come together.
        bytes_per_second: bytes that come back each second.
        calls_at_once: calls, of any kind, that may come together.
        calls_per_second: calls that come back each second.
        concurrent: calls of one client that may be under way at the same time.
    """

    events_at_once: int | None = None
    events_per_second: int | None = None
    bytes_at_once: int | None = None
    bytes_per_second: int | None = None
    calls_at_once: int | None = None
    calls_per_second: int | None = None
    concurrent: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for one participant, with nothing left open."""

    events: Rate = Rate(100_000, 1_000)
    content: Rate = Rate(256 * 2**20, 4 * 2**20)
    calls: Rate = Rate(20_000, 500)
    concurrent: int = 128

    def under(self, budget: Budget | None) -> Limits:
        """These figures with a participant's own in their place."""
        if budget is None:
            return self
        return Limits(
            _rate(self.events, budget.events_at_once, budget.events_per_second),
            _rate(self.content, budget.bytes_at_once, budget.bytes_per_second),
            _rate(self.calls, budget.calls_at_once, budget.calls_per_second),
            self.concurrent if budget.concurrent is None else budget.concurrent,
        )

    def shared(self, gateways: int) -> Limits:
        """One gateway's part of these figures."""
        return Limits(
            self.events.shared(gateways),
            self.content.shared(gateways),
            self.calls.shared(gateways),
            max(1, self.concurrent // gateways),
        )


KEYS = tuple(one.name for one in fields(Budget))


def read_budget(section: Section, path: str, faults: Faults) -> Budget:
    """The budget of a participant's section in the registry file; its faults are noted."""
    found: dict[str, Any] = {name: section.count(name) for name in KEYS}
    for name, value in found.items():
        if value is not None and not 1 <= value <= LARGEST:
            nl, en = "Moet minstens 1 zijn.", "Has to be 1 or more."
            faults.add(f"{path}.{name}", "out_of_range", nl, en)
    return Budget(**found)


def _rate(usual: Rate, at_once: int | None, per_second: int | None) -> Rate:
    return Rate(
        usual.at_once if at_once is None else float(at_once),
        usual.per_second if per_second is None else float(per_second),
    )
