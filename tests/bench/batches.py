"""One tree's hub under batches, a round at a time: run by `beside` with that tree on the path.

    python batches.py FOLDER

Says `{}` once its cases are open, then answers each line of its input, a number of seconds, with
one line of figures. It uses what `tests/bench` has had since it measures the whole hub.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench import load
from tests.bench.cases import BATCH, Bench
from tests.bench.measures import BATCH_CONNECTIONS, settle
from tests.e2e.running_hub import ORGANISER, running_hub

CASES = 500
PER_SECOND = 6_000
"""More events than any machine here takes in a second."""


def measured(bench: Bench, seconds: float) -> dict[str, float]:
    """Events a second, and each process's processor time for one of them in microseconds."""
    events = [bench.ordinary() for _ in range(int(seconds * PER_SECOND))]
    requests = bench.requests(events, ORGANISER, BATCH)
    before = bench.cpu_seconds()
    plan = load.Plan(bench.port, requests, BATCH_CONNECTIONS, seconds, per_request=BATCH)
    result = load.run(plan)
    settle(bench)
    after = bench.cpu_seconds()
    if result.refused or not result.recorded:
        raise RuntimeError(f"{result.refused} refused, {result.recorded} recorded")
    used = {name: (after[name] - before[name]) * 1e6 / result.recorded for name in after}
    return {"events/s": result.rate} | {f"{name}, us": value for name, value in used.items()}


def main() -> None:
    """Serve rounds until the input ends."""
    with running_hub(Path(sys.argv[1]) / "data") as hub:
        bench = Bench(hub)
        bench.open_cases(CASES)
        settle(bench)
        sys.stdout.write("{}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            sys.stdout.write(json.dumps(measured(bench, float(line))) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
