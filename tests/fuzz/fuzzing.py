"""Starts a fuzzer as a process of its own: its crash is a finding, not the end of whoever asks."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fuzz.corpus_files import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; `found` are the inputs that broke the target, `words` the fuzzer's last."""

    code: int
    inputs: int
    found: tuple[Path, ...]
    words: str


def fuzz(target: str, seconds: int, seed: int, folder: Path) -> Outcome:
    """Fuzz one target for so long; blocks. New corpus files and findings stay in `folder`."""
    command = [sys.executable, "-m", "tests.fuzz.run", target, str(seconds), str(seed), str(folder)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds + START_SECONDS,
    )
    words = done.stderr + done.stdout
    runs = _RUNS.search(words)
    found = tuple(sorted(folder.glob("found-*")))
    return Outcome(done.returncode, int(runs[1]) if runs else 0, found, words[-4000:])
