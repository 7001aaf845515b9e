"""A child process that ends with its parent, however the parent ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.embedded.child import Child

PARENT = """
import os, subprocess, sys, time
from pathlib import Path
from gateway.embedded.child import Child
folder = Path(sys.argv[1])
lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
child = Child(["sleep", "300"], pid_file=folder / "pid", output=folder / "out", lock=lock)
other = subprocess.Popen(["sleep", "300"])
while child.pid is None:
    time.sleep(0.01)
print(child.pid, other.pid, flush=True)
time.sleep(300)
"""


def is_alive(pid: int) -> bool:
    """Whether a process has this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    """An open lock file."""
    handle = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    yield handle
    os.close(handle)


def child_of(tmp_path: Path, lock: int, *command: str, patience_seconds: int = 10) -> Child:
    """Start a child and wait until it has a number."""
    child = Child(
        command,
        pid_file=tmp_path / "pid",
        output=tmp_path / "out",
        lock=lock,
        patience_seconds=patience_seconds,
    )
    assert eventually(lambda: child.pid is not None)
    return child


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """After kill -9 of the parent it is gone, though another child of the parent lives on."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child, other = map(int, parent.stdout.readline().split())
    try:
        parent.kill()
        parent.wait()

        assert eventually(lambda: not is_alive(child))
        assert is_alive(other)
    finally:
        parent.stdout.close()
        os.kill(other, signal.SIGKILL)


def test_it_stops_when_asked(tmp_path: Path, lock: int) -> None:
    """Stopping waits for its end."""
    child = child_of(tmp_path, lock, "sleep", "300")
    pid = child.pid
    assert pid is not None

    child.stop()

    assert child.has_ended()
    assert not is_alive(pid)


@pytest.mark.parametrize("deafness", ["trap '' TERM; while :; do sleep 0.1; done", "kill -STOP $$"])
def test_a_deaf_one_is_killed(tmp_path: Path, lock: int, deafness: str) -> None:
    """One that ignores TERM, or was stopped, ends after its patience all the same."""
    child = child_of(tmp_path, lock, "sh", "-c", deafness, patience_seconds=1)
    pid = child.pid
    assert pid is not None
    time.sleep(0.2)

    child.stop()

    assert eventually(lambda: not is_alive(pid))


def test_its_own_end_is_noticed(tmp_path: Path, lock: int) -> None:
    """A child that ends by itself is seen to have ended, and stopping it is harmless."""
    child = child_of(tmp_path, lock, "true")

    assert child.wait(10)
    child.stop()
