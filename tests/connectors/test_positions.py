"""The file that a reader's cursor is kept in, and a reader that is killed again and again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connectors.errors import StateUnusable
from connectors.positions import FileCursor, Position

if TYPE_CHECKING:
    from tests.connectors.stub_hub import StubHub

POSITION = Position("AQ", "2026-03-02T09:00:00Z", "type=referral.*")


def test_a_position_outlives_its_process(tmp_path: Path) -> None:
    """What was saved last is there; before that, the beginning."""
    path = tmp_path / "feed.cursor"
    with FileCursor(path) as cursor:
        assert cursor.load() == Position()
        cursor.save(Position("AA"))
        cursor.save(POSITION)
    with FileCursor(path) as cursor:
        assert cursor.load() == POSITION


def test_two_readers_do_not_share_a_cursor(tmp_path: Path) -> None:
    """The second one is told; a reader that ended lets go."""
    path = tmp_path / "feed.cursor"
    with FileCursor(path), pytest.raises(StateUnusable):
        FileCursor(path)
    FileCursor(path).close()


def test_a_write_that_was_cut_short_leaves_the_former_position(tmp_path: Path) -> None:
    """The half of a file stands beside it and is written over."""
    path = tmp_path / "feed.cursor"
    with FileCursor(path) as cursor:
        cursor.save(POSITION)
        (tmp_path / "feed.cursor.new").write_text('{"cursor": "B')
        assert cursor.load() == POSITION
        cursor.save(Position("BB"))
        assert cursor.load() == Position("BB")


@pytest.mark.parametrize("content", ["", "[]", '{"cursor": 5}', '{"other": "x"}', "{"])
def test_a_file_that_is_none_of_ours_is_no_beginning(tmp_path: Path, content: str) -> None:
    """To begin anew by mistake would send a partner everything again."""
    path = tmp_path / "feed.cursor"
    path.write_text(content)
    with FileCursor(path) as cursor, pytest.raises(StateUnusable) as refused:
        cursor.load()
    assert str(path) in refused.value.detail.nl


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    """Before an event is read that could not be remembered."""
    with pytest.raises(StateUnusable):
        FileCursor(tmp_path / "nowhere" / "feed.cursor")


def test_a_reader_that_is_killed_skips_nothing(hub: StubHub, tmp_path: Path) -> None:
    """Killed in the middle of an event, before and after its cursor is kept, page after page."""
    names = [f"e-{number:02}" for number in range(14)]
    hub.inbox = [
        {"specversion": "1.0", "id": name, "type": "be.schakel.activation.v1.x.y"} for name in names
    ]
    script = Path(__file__).with_name("crashing_reader.py")
    command = [sys.executable, "-m", "tests.connectors.crashing_reader", hub.url, str(tmp_path)]
    done = subprocess.run(
        command, cwd=script.parents[2], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    killed = int(done.stdout)
    seen = (tmp_path / "seen").read_text().split()
    assert killed >= 6
    assert list(dict.fromkeys(seen)) == names
    # Each kill repeats one page at most.
    assert len(seen) - len(names) <= killed * 4
    assert json.loads((tmp_path / "feed.cursor").read_bytes())["cursor"] == "14"
