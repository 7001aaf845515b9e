"""Nothing is lost and nothing is added, wherever the process dies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.connectors import crashing_runs
from tests.connectors.workshop import row

if TYPE_CHECKING:
    from tests.connectors.stub_hub import StubHub
    from tests.connectors.workshop import Bench

ROOT = Path(__file__).parents[2]
ROWS = 15


def test_kill_9_around_every_row_loses_and_adds_nothing(bench: Bench, hub: StubHub) -> None:
    """Killed before, between and after each row's acknowledgement: every event once, in order."""
    bench.put("toeleidingen.csv", *(row(number) for number in range(ROWS)))
    ended = subprocess.run(
        [sys.executable, crashing_runs.__file__, str(bench.root), hub.url],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert int(ended.stdout.split()[-1]) >= 3 * ROWS
    assert [event["sourcerecordid"] for event in hub.events] == [f"D-{n}" for n in range(ROWS)]
    assert hub.duplicates >= ROWS
    report = bench.report("toeleidingen")
    assert [line[0] for line in report] == [str(number + 2) for number in range(ROWS)]
    assert {line[1] for line in report} <= {"verzonden", "al verwerkt"}
    assert bench.dead_letters() == ()
