"""One child process that ends with its parent, also when the parent is killed with kill -9.

A shell holds the child and reads a pipe whose other end only the parent has: when the parent dies,
however it dies, the pipe closes and the shell ends the child (TERM, after ten seconds KILL).
It needs no prctl, so that it works from any thread and beyond Linux.
Python's own subprocesses do not inherit the pipe; a bare os.fork() in the parent would.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

# $1 is the file for the child's process id, $2 the seconds it may take to end; the rest is its
# command. When the child ends by itself the watcher goes at once: its number may soon be another
# program's.
_GUARD = """
pidfile=$1; patience=$2; shift 2
exec 3<&0 </dev/null
"$@" 3<&- &
child=$!
echo "$child" >"$pidfile"
(
    cat <&3 >/dev/null
    kill "$child" 2>/dev/null
    left=$((patience * 10))
    while [ "$left" -gt 0 ] && kill -0 "$child" 2>/dev/null; do
        sleep 0.1
        left=$((left - 1))
    done
    kill -9 "$child" 2>/dev/null
) &
watcher=$!
exec 3<&-
wait "$child"
kill -9 "$watcher"
"""


class Child:
    """A running child process.

    Args:
        command: the program and its arguments.
        pid_file: where the program's process id is written.
        output: the file that takes its standard output and error.
        lock: an open file that the child keeps open until it has ended.
        patience_seconds: how long it may take to end by itself after TERM.
        folder: the folder it works in; this process's own when none is given.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        pid_file: Path,
        output: Path,
        lock: int,
        patience_seconds: int = 10,
        folder: Path | None = None,
    ) -> None:
        pid_file.unlink(missing_ok=True)
        self._pid_file = pid_file
        self._patience_seconds = patience_seconds
        with output.open("ab") as sink:
            self._shell = subprocess.Popen(  # noqa: S603 - our own command line
                ["/bin/sh", "-c", _GUARD, "guard", str(pid_file), str(patience_seconds), *command],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=sink,
                stderr=sink,
                pass_fds=(lock,),
                # Ctrl-C in a terminal reaches the parent only, which ends its children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int | None:
        """The program's process id; None before it has started."""
        try:
            return int(self._pid_file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None

    def has_ended(self) -> bool:
        """Whether the program has ended; never blocks."""
        return self._shell.poll() is not None

    def end(self) -> None:
        """Ask the program to end; never blocks."""
        if self._shell.stdin is not None:
            self._shell.stdin.close()

    def stop(self) -> None:
        """End the program and wait for it; blocks for the patience and a little more at most."""
        self.end()
        try:
            self._shell.wait(self._patience_seconds + 5)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the program and its shell at once."""
        if self._shell.poll() is None:
            os.killpg(self._shell.pid, signal.SIGKILL)
        self._shell.wait()
        self.end()

    def wait(self, timeout_seconds: float) -> bool:
        """Return whether the program ended within the time."""
        deadline = time.monotonic() + timeout_seconds
        while not self.has_ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True
