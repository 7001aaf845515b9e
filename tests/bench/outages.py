"""Receivers that do not do what they should: one that was away, and one beside another's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.doors import Steady
from tests.bench.measures import PATIENCE_SECONDS, quantile
from tests.bench.webhooks import FASTEST
from tests.e2e.running_hub import OCMW, VDAB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.bench.doors import Doors
    from tests.bench.sink import Sink

Figures = dict[str, float]

DOWN: Final = "down"
BEHAVIOURS: Final = (
    DOWN,
    "slow",
    "failing 30 %",
    "redirecting",
    "gone",
    "429",
    "100 MB answer",
    "closing midway",
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured.

    Attributes:
        outage: events while a receiver is away.
        outage_seconds: for how long it is.
        beside: events while a neighbour misbehaves; few enough that the machine has room, for on a
            full one whatever is done beside makes others wait.
        beside_seconds: for how long each does.
    """

    outage: Steady
    outage_seconds: float
    beside: Steady
    beside_seconds: float
    behaviours: tuple[str, ...] = BEHAVIOURS


FULL: Final = Extent(Steady(100), 60.0, Steady(40), 20.0)
QUICK: Final = Extent(Steady(50), 5.0, Steady(20), 3.0)


def figures(doors: Doors, badly: Sink, extent: Extent, tell: Callable[[str], None]) -> Figures:
    """What an outage leaves, then what each kind of bad receiver does to another's latency.

    Args:
        doors: the hub and the receivers that behave.
        badly: receivers in a process of their own, so that they cost the others no time there.
        extent: how much.
        tell: hears what is measured now.
    """
    tell(f"a receiver that is away for {extent.outage_seconds:g} s")
    found = _outage(doors, badly, extent)
    before = _alone(doors, extent)
    for behaviour in extent.behaviours:
        tell(f"beside a receiver that is {behaviour}")
        beside = _beside(doors, badly, behaviour, extent)
        after = _alone(doors, extent)
        found |= {
            f"beside {behaviour}, p99 ms": beside,
            # Before and after, because the machine is others' too.
            f"without {behaviour}, p99 ms": (before + after) / 2,
        }
        before = after
    return found


def _outage(doors: Doors, away: Sink, extent: Extent) -> Figures:
    """From the moment that it listens again until all that it missed has come."""
    receiver = "away"
    with doors.webhooks.subscribed(VDAB, away.url(receiver), **FASTEST):
        away.close()
        sent = doors.steadily(extent.outage, extent.outage_seconds)
        away.listen()
        back = time.perf_counter()
        came = _all_of(set(sent), lambda: away.came(receiver))
    arrived = dict(reversed(came))
    order = list(dict.fromkeys(one for one, _ in came if one in sent))
    name = f"backlog after {extent.outage_seconds:g} s"
    return {
        f"{name}, events": len(sent),
        f"{name}, first after, s": min(arrived[one] for one in sent) - back,
        f"{name}, all after, s": max(arrived[one] for one in sent) - back,
        f"{name}, out of order": _out_of_order(order, _places(doors)),
    }


def _all_of(
    wanted: set[str], came: Callable[[], list[tuple[str, float]]]
) -> list[tuple[str, float]]:
    """All that came, once everything that is wanted has."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = came()
        if wanted <= {one for one, _ in found}:
            return found
        assert time.monotonic() < deadline, f"{len(found)} of {len(wanted)} came"
        time.sleep(0.05)


def _places(doors: Doors) -> dict[str, tuple[str, int]]:
    """Of each event in VDAB's inbox its trajectory and its place."""
    with doors.bench.reading("consumers") as connection:
        rows = connection.execute(
            "select event_id, trajectory_id, seq from inbox where participant = ?", (VDAB,)
        )
        return {event_id: (trajectory, seq) for event_id, trajectory, seq in rows}


def _out_of_order(order: Iterable[str], places: dict[str, tuple[str, int]]) -> int:
    """How many came after one that stands behind them in their trajectory."""
    newest: dict[str, int] = {}
    late = 0
    for one in order:
        trajectory, seq = places[one]
        late += seq < newest.get(trajectory, 0)
        newest[trajectory] = max(seq, newest.get(trajectory, 0))
    return late


def _alone(doors: Doors, extent: Extent) -> float:
    return _p99(doors, "alone", extent)


def _beside(doors: Doors, badly: Sink, behaviour: str, extent: Extent) -> float:
    """Another participant's receiver behaves like this and gets the same events."""
    name = behaviour.replace(" ", "-").replace("%", "")
    with doors.webhooks.subscribed(OCMW, badly.url(name), **FASTEST):
        if behaviour == DOWN:
            badly.close()
        else:
            badly.behave(name, behaviour)
        try:
            return _p99(doors, f"beside-{name}", extent)
        finally:
            if behaviour == DOWN:
                badly.listen()


def _p99(doors: Doors, receiver: str, extent: Extent) -> float:
    with doors.webhooks.subscribed(VDAB, doors.sink.url(receiver), **FASTEST):
        taken = doors.to_webhook(receiver, extent.beside, extent.beside_seconds)
    return quantile(taken, 0.99)
