"""Where the hub's processes write their log lines: standard output, which may be a full disk.

A line that cannot be written is lost and counted: no work may fail, and no thread may end, because
nobody could be told of it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from typing import TextIO


class LossyLines:
    """A text stream that takes every line and writes those it can; what `print` needs of one."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.lost = 0

    def write(self, text: str) -> int:
        """Write, or lose it."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):  # ValueError: closed
            self.lost += 1
            return len(text)

    def flush(self) -> None:
        """Flush, or lose what was buffered."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self.lost += 1


def log_to_stdout() -> None:
    """Write the log lines of this process to standard output. Call once, in the command."""
    stream: TextIO = LossyLines(sys.stdout)  # type: ignore[assignment] # all that print asks for
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(stream))
