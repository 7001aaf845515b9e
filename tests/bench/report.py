"""The report: every figure, and the ratios to this run's floors beside what they aim at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Aim:
    """One ratio or bound. `floor` is None when the figure itself is bounded.

    Ratios are bounded from below, figures from above, unless `at_most` says otherwise.
    """

    name: str
    figure: str
    floor: str | None
    wanted: float
    at_most: bool = False

    @property
    def is_ceiling(self) -> bool:
        """Whether less is better."""
        return self.at_most or self.floor is None

    def value(self, figures: Mapping[str, float]) -> float:
        """The ratio, or the figure."""
        found = figures[self.figure]
        return found if self.floor is None else found / figures[self.floor]

    def is_met(self, figures: Mapping[str, float]) -> bool:
        """Whether this run reached it."""
        value = self.value(figures)
        return value <= self.wanted if self.is_ceiling else value >= self.wanted


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


LONG, SHORT = "decide in a case of 1000 events, us", "decide in a case of 1 events, us"
MANY, FEW = "decide among 3000 agreements, us", "decide among 10 agreements, us"


def growth() -> tuple[Aim, ...]:
    """What a decision's cost may grow by: nothing but the noise of a shared machine."""
    return (
        Aim("decide, 1000 events / 1", LONG, SHORT, 1.25, at_most=True),
        Aim("decide, 3000 agreements / 10", MANY, FEW, 1.25, at_most=True),
    )


def comparison() -> tuple[Aim, ...]:
    """What is left of the rate that the whole path had before anything was added to it."""
    now, before = "batches now, events/s", "batches before, events/s"
    return (Aim("batches / those of the first step", now, before, 0.6),)


IN_ALL: Final = "idle, what these cost"
ENDINGS: Final = {
    "accept to webhook": (("p50 ms", 20), ("p99 ms", 60)),
    "backlog after": (("all after, s", 15), ("out of order", 0)),
    "first event of a new subscription": (("longest, s", 1),),
    IN_ALL: (("% of a core", 5), ("MiB", 150)),
}
"""What figures about the doors may come to, by how their names begin and end."""
BESIDE, WITHOUT = "beside ", "without "


def doors(figures: Iterable[str]) -> tuple[Aim, ...]:
    """What the doors aim at: of the bare client's rate a half, and bounds."""
    found = [
        Aim("webhook / bare client", "webhook, deliveries/s", "webhook bare, deliveries/s", 0.5)
    ]
    for name in figures:
        for beginning, bounds in ENDINGS.items():
            found += [
                Aim(name, name, None, bound)
                for ending, bound in bounds
                if name.startswith(beginning) and name.endswith(ending)
            ]
        if name.startswith(BESIDE):
            alone = WITHOUT + name.removeprefix(BESIDE)
            found.append(
                Aim(f"{name.rpartition(',')[0]} / without", name, alone, 1.5, at_most=True)
            )
    return tuple(found)


def all_aims(figures: Mapping[str, float], rate: int) -> tuple[Aim, ...]:
    """The aims of whatever was measured."""
    every = (*aims(rate), *growth(), *comparison(), *doors(figures))
    return tuple(one for one in every if one.figure in figures)


def lines(figures: Mapping[str, float], rate: int) -> list[str]:
    """The report as text."""
    width = max(map(len, figures)) + 2
    found = [f"{name:<{width}}{value:>12,.1f}" for name, value in figures.items()]
    found.append("")
    for aim in all_aims(figures, rate):
        sign = "<=" if aim.is_ceiling else ">="
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
            for aim in all_aims(figures, rate)
        ],
    }
