"""What the hub has come to cost: batches of this tree beside those of an earlier commit.

Both hubs run for the whole measurement and take turns, so that whatever else the machine does
falls on both. Each runs from its own tree in an environment of its own, which borrows the
dependencies that are installed here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from tests.bench.cases import BUDGETS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_STEP = "89ea661"
"""The whole path and nothing more: no clocks, no persons, no proof."""
ROUNDS, SECONDS = 4, 5.0
TREE = Path(__file__).resolve().parents[2]
_DRIVER = Path(__file__).with_name("batches.py")

Figures = dict[str, float]


class Hub:
    """The driver of one tree, as a child process that measures when asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answer()

    def measure(self, seconds: float) -> Figures:
        """One round; blocks for somewhat more than its length."""
        if self._process.stdin is None:
            raise RuntimeError("the driver takes no input")
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Figures:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError(f"the driver ended with {self._process.wait()}")
        found: Figures = json.loads(line)
        return found


def figures(commit: str, tell: Callable[[str], None], *, seconds: float = SECONDS) -> Figures:
    """Medians of both trees by name, and the ratio of the rates.

    Raises:
        RuntimeError: a hub did not start or refused what it was sent.
        subprocess.CalledProcessError: the commit cannot be checked out.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        tell(f"starting a hub of {commit} and one of this tree")
        earlier = stack.enter_context(_worktree(commit, folder / "tree"))
        hubs = {
            "before": stack.enter_context(_running(earlier, folder / "before")),
            "now": stack.enter_context(_running(TREE, folder / "now")),
        }
        rounds: dict[str, list[Figures]] = {name: [] for name in hubs}
        for number in range(ROUNDS):
            # Turns change, so that neither always follows the other.
            for name in sorted(hubs, reverse=bool(number % 2)):
                tell(f"batches, {name}, round {number + 1} of {ROUNDS}")
                rounds[name].append(hubs[name].measure(seconds))
    return compared(rounds)


def compared(rounds: dict[str, list[Figures]]) -> Figures:
    """Medians of the rounds of both trees, and what each process needs more than before."""
    found = {
        f"batches {name}, {key}": median(one[key] for one in measured)
        for name, measured in rounds.items()
        for key in measured[0]
    }
    return found | {
        f"batches added, {key}": found[f"batches now, {key}"] - found[f"batches before, {key}"]
        for key in rounds["now"][0]
        if key.endswith(", us")
    }


@contextmanager
def _worktree(commit: str, folder: Path) -> Iterator[Path]:
    """The tree of a commit in a folder of its own, gone with the block."""
    git = ["git", "-C", str(TREE), "worktree"]
    subprocess.run([*git, "add", "--detach", str(folder), commit], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run([*git, "remove", "--force", str(folder)], check=True, capture_output=True)


@contextmanager
def _running(tree: Path, folder: Path) -> Iterator[Hub]:
    python = _environment(tree, folder / "environment")
    with (folder / "driver.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [str(python), str(_DRIVER), str(folder)],
            cwd=tree,
            env={**os.environ, **BUDGETS, "PYTHONPATH": str(tree)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Hub(process)
        finally:
            process.communicate(timeout=120)


def _environment(tree: Path, folder: Path) -> Path:
    """A Python whose `schakel` is that tree's, with the dependencies of this one."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    (own,) = folder.glob("lib/python*/site-packages")
    borrowed = sysconfig.get_path("purelib")
    (own / "borrowed.pth").write_text(f"{tree}\n{borrowed}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet"]
    install = ["install", "--no-deps", "--no-build-isolation", "--editable", str(tree)]
    subprocess.run([*pip, "--disable-pip-version-check", *install], check=True)
    return python
