"""The report: every figure, and the ratios to this run's floors beside what they aim at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Aim:
    """One ratio or bound. `floor` is None when the figure itself is bounded from above."""

    name: str
    figure: str
    floor: str | None
    wanted: float

    def value(self, figures: Mapping[str, float]) -> float:
        """The ratio, or the figure."""
        found = figures[self.figure]
        return found if self.floor is None else found / figures[self.floor]

    def is_met(self, figures: Mapping[str, float]) -> bool:
        """Whether this run reached it."""
        value = self.value(figures)
        return value <= self.wanted if self.floor is None else value >= self.wanted


def aims(rate: int) -> tuple[Aim, ...]:
    """What the hub aims at, with latency taken at so many events a second."""
    latency = f"accept to inbox at {rate}/s"
    sustained = "sustained accept to three inboxes, events/s"
    return (
        Aim("publish x64 / bare x64", "publish x64, events/s", "bare x64, requests/s", 0.25),
        Aim("publish x16 / bare x16", "publish x16, events/s", "bare x16, requests/s", 0.2),
        Aim("batches / bare x64", "publish 8 x 100, events/s", "bare x64, requests/s", 0.5),
        Aim("accept to inbox, p50 ms", f"{latency}, p50 ms", None, 20),
        Aim("accept to inbox, p99 ms", f"{latency}, p99 ms", None, 50),
        Aim("sustained / kafka-python", sustained, "kafka-python, records/s", 0.15),
    )


def lines(figures: Mapping[str, float], rate: int) -> list[str]:
    """The report as text."""
    width = max(map(len, figures)) + 2
    found = [f"{name:<{width}}{value:>12,.1f}" for name, value in figures.items()]
    found.append("")
    for aim in aims(rate):
        sign = "<=" if aim.floor is None else ">="
        said = "reached" if aim.is_met(figures) else "not reached"
        value = aim.value(figures)
        found.append(f"{aim.name:<{width}}{value:>12.3f}  aim {sign} {aim.wanted:g}: {said}")
    return found


def document(figures: Mapping[str, float], rate: int) -> dict[str, object]:
    """The report as JSON."""
    return {
        "figures": dict(figures),
        "aims": [
            {
                "name": aim.name,
                "value": aim.value(figures),
                "aim": aim.wanted,
                "reached": aim.is_met(figures),
            }
            for aim in aims(rate)
        ],
    }
