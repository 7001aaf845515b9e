"""The bench measures what it says; how fast is no question for a test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.bench import alone, beside, doors, idle, kafka_copies, load, outages, parts, report
from tests.bench.cases import Bench
from tests.bench.measures import QUICK, measure, quantile
from tests.bench.sink import sink
from tests.bench.webhooks import Webhooks, certificates, measured_hub
from tests.e2e.running_hub import ORGANISER, running_hub

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.embedded.certificates import Certificates


def test_one_quick_run_gives_every_figure_and_every_ratio(tmp_path: Path) -> None:
    """A whole run on a real hub: nothing refused, each figure above zero, each aim computed."""
    size = replace(QUICK, seconds=0.5)
    with measured_hub(tmp_path) as hub:
        bench = Bench(hub)
        figures = measure(bench, size, _silent)
        found = _doors(bench, certificates(tmp_path))
        requests = bench.requests([bench.ordinary() for _ in range(2 * size.cases)], ORGANISER)
    figures |= alone.figures(hub.data, requests)

    positive = {name for name, value in figures.items() if value > 0 or "CPU" in name}
    assert positive == set(figures)
    assert {name for name, value in found.items() if value < 0} == set()
    assert found["backlog after 0.5 s, out of order"] == 0
    assert {one.name for one in report.all_aims(found, size.rate)} == {
        "webhook / bare client",
        "accept to webhook at 40/s, p50 ms",
        "accept to webhook at 40/s, p99 ms",
        "first event of a new subscription, longest, s",
        "backlog after 0.5 s, all after, s",
        "backlog after 0.5 s, out of order",
        "beside closing midway / without",
        "idle, what these cost, % of a core",
        "idle, what these cost, MiB",
    }
    whole = figures | found
    aims = report.all_aims(whole, size.rate)
    assert len(report.lines(whole, size.rate)) == len(whole) + 1 + len(aims)


def _doors(bench: Bench, trusted: Certificates) -> dict[str, float]:
    """The least of everything about doors: that it is measured, not what comes out."""
    steady = doors.Steady(40, 4)
    few = doors.Extent(0.2, 100, (steady,), 0.5, 1)
    one = outages.Extent(steady, 0.5, steady, 0.3, ("closing midway",))
    with sink(trusted) as well, sink(trusted) as badly:
        opened = doors.Doors(bench, Webhooks(bench), well)
        found = opened.figures(few, _silent)
        found |= outages.figures(opened, badly, one, _silent)
    found |= kafka_copies.figures(bench, 0.2, rounds=1)
    return found | idle.figures(bench, 0.5, participants=3, subscriptions_=10, rest=0)


def _silent(_what: str) -> None:
    """Nobody listens to what is measured now."""


def test_refused_events_are_not_counted_as_recorded(tmp_path: Path) -> None:
    """The generator counts what the hub recorded: a batch's refused items and repeats are not."""
    with running_hub(tmp_path / "data") as hub:
        bench = Bench(hub)
        bench.open_cases(1)
        good = [bench.ordinary() for _ in range(3)]
        bad = {**bench.ordinary(), "data": {}}
        batch = bench.requests([*good, bad, good[0]], ORGANISER, 5)
        result = load.run(load.Plan(bench.port, batch, 1, 5.0, per_request=5))

    assert (result.answered, result.recorded) == (1, 3)


def test_every_part_of_the_way_is_measured() -> None:
    """From the token to the copy that is handed over; each costs something."""
    found = parts.figures(2)

    assert all(value > 0 for value in found.values())
    assert {name.split(",")[0] for name in found} >= {"part: seal", "part: budgets"}


def test_trees_are_compared_by_the_medians_of_their_rounds() -> None:
    """The ratio is of medians, and what was added is told for each process."""
    rounds = {
        "before": [{"events/s": 100.0, "gateway, us": 20.0}] * 3,
        "now": [{"events/s": rate, "gateway, us": 30.0} for rate in (60.0, 70.0, 10.0)],
    }
    found = beside.compared(rounds)
    (aim,) = report.comparison()

    assert aim.value(found) == 0.6
    assert aim.is_met(found)
    assert found["batches added, gateway, us"] == 10.0


def test_an_aim_is_a_ratio_to_a_floor_or_a_bound() -> None:
    """Ratios have to be at least the aim, bounds at most."""
    figures = {"ours": 30.0, "floor": 100.0}

    assert report.Aim("a", "ours", "floor", 0.3).is_met(figures)
    assert not report.Aim("a", "ours", "floor", 0.31).is_met(figures)
    assert report.Aim("a", "ours", None, 30).is_met(figures)
    assert not report.Aim("a", "ours", None, 29).is_met(figures)


def test_a_quantile_is_a_value_of_the_list() -> None:
    """The middle and the far end, of an unordered list."""
    values = [float(n) for n in reversed(range(100))]

    assert quantile(values, 0.5) == 50.0
    assert quantile(values, 0.99) == 99.0
