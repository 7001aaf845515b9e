"""Log lines on a disk that is full."""

from __future__ import annotations

import errno
import io

from gateway.log_lines import LossyLines


class FullStream(io.StringIO):
    """A stream on a full disk."""

    def write(self, _text: str) -> int:
        """Refuse."""
        raise OSError(errno.ENOSPC, "No space left on device")

    def flush(self) -> None:
        """Refuse."""
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_lost_line_stops_nobody() -> None:
    """Writing and flushing a line that cannot be written raise nothing and are counted."""
    lines = LossyLines(FullStream())

    lines.write("line\n")
    lines.flush()

    assert lines.lost == 2


def test_lines_are_written_where_there_is_room() -> None:
    """Every line comes out as it went in."""
    there = io.StringIO()
    lines = LossyLines(there)

    lines.write("line\n")
    lines.flush()

    assert (there.getvalue(), lines.lost) == ("line\n", 0)
