"""`make bench`: the whole hub beside floors measured in the same run.

Figures are for ratios inside one run: machines here are shared and noisy.
`--quick` measures a second of each, `--json` prints one document, `--only doors` (or another of
`SECTIONS`, more than once if need be) leaves out the rest, `--beside` adds batches of an earlier
commit, which takes a checkout with its history.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import (
    alone,
    beside,
    decisions,
    doors,
    idle,
    kafka_copies,
    measures,
    outages,
    parts,
    report,
)
from tests.bench.cases import Bench
from tests.bench.doors import Doors
from tests.bench.sink import sink
from tests.bench.webhooks import Webhooks, certificates, measured_hub
from tests.e2e.running_hub import ORGANISER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.sink import Sink

Figures = dict[str, float]


def _publishing(*, quick: bool) -> Figures:
    size = measures.QUICK if quick else measures.FULL
    with tempfile.TemporaryDirectory() as folder:
        with measured_hub(Path(folder)) as hub:
            bench = Bench(hub)
            found = measures.measure(bench, size, _tell)
            events = [bench.ordinary() for _ in range(2 * size.cases)]
            requests = bench.requests(events, ORGANISER)
        _tell("the gateway's two threads, each alone")
        return found | alone.figures(hub.data, requests)


def _parts(*, quick: bool) -> Figures:
    del quick
    _tell("decisions, one by one")
    found = decisions.figures()
    _tell("the parts of an event's way, one by one")
    return found | parts.figures()


def _doors(*, quick: bool) -> Figures:
    extent = doors.QUICK if quick else doors.FULL
    with _open_doors(quick=quick) as (opened, _):
        found = opened.figures(extent, _tell)
        _tell("Kafka door and its readers")
        return found | kafka_copies.figures(opened.bench, extent.seconds)


def _receivers(*, quick: bool) -> Figures:
    extent = outages.QUICK if quick else outages.FULL
    with _open_doors(quick=quick) as (opened, badly):
        return outages.figures(opened, badly, extent, _tell)


@contextmanager
def _open_doors(*, quick: bool) -> Iterator[tuple[Doors, Sink]]:
    """A hub of its own, receivers, and receivers that may be told to misbehave."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bench = Bench(stack.enter_context(measured_hub(folder)))
        well, badly = (stack.enter_context(sink(certificates(folder))) for _ in range(2))
        _tell("opening cases")
        bench.open_cases((measures.QUICK if quick else measures.FULL).cases)
        measures.settle(bench)
        yield Doors(bench, Webhooks(bench), well), badly


def _idle(*, quick: bool) -> Figures:
    with tempfile.TemporaryDirectory() as folder, measured_hub(Path(folder)) as hub:
        _tell("a hub at rest, empty and full")
        return idle.figures(Bench(hub), 5.0 if quick else 30.0)


SECTIONS = {
    "publishing": _publishing,
    "parts": _parts,
    "doors": _doors,
    "receivers": _receivers,
    "idle": _idle,
}


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def main() -> None:
    """Measure and print."""
    asked = _asked()
    figures: Figures = {}
    for name in asked.only or SECTIONS:
        figures |= SECTIONS[name](quick=asked.quick)
    size = measures.QUICK if asked.quick else measures.FULL
    if asked.beside:
        figures |= beside.figures(beside.FIRST_STEP, _tell, seconds=size.seconds)
    if asked.json:
        sys.stdout.write(json.dumps(report.document(figures, size.rate)) + "\n")
    else:
        sys.stdout.write("\n".join(report.lines(figures, size.rate)) + "\n")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Measure the whole hub.")
    parser.add_argument("--quick", action="store_true", help="a second of each")
    parser.add_argument("--json", action="store_true", help="one document")
    parser.add_argument("--beside", action="store_true", help="add batches of an earlier commit")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
