"""The drop folder while somebody still writes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connectors.csv_files import DropFolder
from connectors.csv_source import CsvSource
from connectors.mapping_file import parse_row_map
from connectors.sdk import Config, Finished, Result
from tests.connectors.workshop import CONNECTOR, HEADING, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.connectors.stub_hub import StubHub
    from tests.connectors.workshop import Bench

NAME = "toeleidingen.csv"


class Reading:
    """The source of a drop folder, and what a runner would have sent of it.

    Args:
        path: the drop folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.looks: list[Callable[[], None]] = []
        entry = {key: value for key, value in CONNECTOR["in"][0].items() if key != "file"}
        name = entry.pop("name")
        drop = DropFolder(path, ["toeleiding*.csv"], sleep=lambda _seconds: self._look())
        self._source = CsvSource(drop, {"toeleiding*.csv": parse_row_map(name, entry)}, ";")
        self._since: Any = None
        self.results: dict[str, list[Result]] = {}
        self.first_row: Callable[[], None] | None = None

    def turn(self) -> list[str]:
        """The own numbers of one turn; a row of the whole file is called by its fault."""
        numbers = []
        for item in self._source.read(Config({}), self._since):
            self._since = item.at
            if isinstance(item, Finished):
                self._source.finish(Config({}), item.unit, self.results.pop(item.unit, ()))
                continue
            told = item.data.get("dossiernummer", getattr(item.fault, "reason", ""))
            numbers.append(str(told))
            result = Result(item.row or 0, "refused" if item.fault else "sent")
            self.results.setdefault(str(item.unit), []).append(result)
            if self.first_row is not None:
                during, self.first_row = self.first_row, None
                during()
        return numbers

    def report(self) -> list[str]:
        """The rows that the report tells of."""
        text = (self.path / "toeleidingen.verslag.csv").read_text("utf-8-sig")
        return [line.split(";")[0] for line in text.splitlines()[1:]]

    def _look(self) -> None:
        if self.looks:
            self.looks.pop(0)()


def lines(*numbers: int, heading: bool = False) -> bytes:
    """Rows as a partner's programme writes them."""
    text = "".join(f"{row(number)}\r\n" for number in numbers)
    return (f"{HEADING}\r\n{text}" if heading else text).encode()


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    """A drop folder with a source."""
    (tmp_path / "drop").mkdir()
    return Reading(tmp_path / "drop")


def test_a_file_that_grows_after_it_was_taken_waits(reading: Reading) -> None:
    """Its writer has it open under its new name: nothing is read until it stands still."""
    with (reading.path / NAME).open("wb", buffering=0) as writer:
        writer.write(lines(1, 2, heading=True))
        reading.looks = [lambda: None, lambda: _ignore(writer.write(lines(3)))]
        assert reading.turn() == []
    assert reading.turn() == ["D-1", "D-2", "D-3"]
    assert reading.report() == ["2", "3", "4"]


def test_a_file_that_grows_while_it_is_read_is_read_again(reading: Reading) -> None:
    """What may be half a row is held back, and the file is not finished."""
    with (reading.path / NAME).open("wb", buffering=0) as writer:
        writer.write(lines(1, 2, heading=True) + lines(3)[:40])
        reading.first_row = lambda: _ignore(writer.write(lines(3)[40:] + lines(4)))
        assert "D-4" not in reading.turn()
        assert not (reading.path / "verwerkt").exists()
    assert reading.turn() == ["D-1", "D-2", "D-3", "D-4"]
    assert reading.report() == ["2", "3", "4", "5"]


def test_a_file_that_grows_after_it_was_put_away_is_read_again(reading: Reading) -> None:
    """A writer that paused for longer than any look loses none of its later rows."""
    with (reading.path / NAME).open("wb", buffering=0) as writer:
        writer.write(lines(1, heading=True))
        assert reading.turn() == ["D-1"]
        assert reading.turn() == []
        writer.write(lines(2))
    assert reading.turn() == ["D-1", "D-2"]
    assert reading.report() == ["2", "3"]
    assert reading.turn() == []
    assert len(list((reading.path / "verwerkt").iterdir())) == 1


def test_a_file_cut_inside_a_letter_is_refused(bench: Bench, hub: StubHub) -> None:
    """Nobody is called AndrÃ©: all but its last letter is UTF-8, so it is no Windows-1252."""
    bench.put(NAME, row(1, "André"), row(2, "Zoë"))
    whole = (bench.drop / NAME).read_bytes()
    (bench.drop / NAME).write_bytes(whole[: whole.rindex("ë".encode()) + 1])
    bench.run(hub.url)
    assert hub.events == []
    [line] = bench.report("toeleidingen")
    assert [line[0], line[3]] == ["bestand", "cut_off"]


def test_a_last_letter_of_windows_1252_is_read(bench: Bench, hub: StubHub) -> None:
    """Without any letter of UTF-8 before it, a last byte is a letter of Windows-1252."""
    heading = HEADING.replace("ï", "i")
    document = {**CONNECTOR, "in": [_plain(CONNECTOR["in"][0])]}
    (bench.drop / NAME).write_bytes(f"{heading}\r\n{row(1, status='')}".encode() + b"\xe9")
    bench.run(hub.url, document=document)
    [line] = bench.report("toeleidingen")
    assert [line[0], line[3]] == ["2", "decision_column"]


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    informed = {"from": "geinformeerd", "date": "%d/%m/%Y"}
    return {**entry, "set": {**entry["set"], "informed.on": informed}}


def _ignore(_written: int | None) -> None:
    """A write as a step that gives nothing."""
