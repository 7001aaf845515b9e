"""`make bench`: the whole hub beside floors measured in the same run.

Figures are for ratios inside one run: machines here are shared and noisy.
`--quick` measures a second of each, `--json` prints one document, `--beside` adds batches of an
earlier commit, which takes a checkout with its history.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

from tests.bench import beside, decisions, parts, report
from tests.bench.cases import BUDGETS, Bench
from tests.bench.measures import FULL, QUICK, measure
from tests.e2e.running_hub import running_hub


def _tell(what: str) -> None:
    sys.stderr.write(f"{what}\n")


def main() -> None:
    """Measure and print."""
    size = QUICK if "--quick" in sys.argv else FULL
    os.environ.update(BUDGETS)
    with tempfile.TemporaryDirectory() as folder, running_hub(Path(folder) / "data") as hub:
        figures = measure(Bench(hub), size, _tell)
    _tell("decisions, one by one")
    figures |= decisions.figures()
    _tell("the parts of an event's way, one by one")
    figures |= parts.figures()
    if "--beside" in sys.argv:
        figures |= beside.figures(beside.FIRST_STEP, _tell, seconds=size.seconds)
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(report.document(figures, size.rate)) + "\n")
    else:
        sys.stdout.write("\n".join(report.lines(figures, size.rate)) + "\n")


if __name__ == "__main__":
    main()
