"""The drop folder while somebody still writes to it."""

from __future__ import annotations

import errno
import os
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

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


@pytest.mark.parametrize(
    ("name", "report", "code"),
    [
        ("toeleiding's juli.csv", "toeleiding's juli.verslag.csv", "unusable_name"),
        ("toeleiding [1].csv", "toeleiding [1].verslag.csv", "unusable_name"),
        ("Aanmeldingen.csv", "Aanmeldingen.verslag.csv", "unknown_name"),
        ("toeleiding.xlsx", "toeleiding.xlsx.verslag.csv", "not_csv"),
        (
            "\N{GRINNING FACE}" * 60 + ".csv",
            "\N{GRINNING FACE}" * 50 + ".verslag.csv",
            "unknown_name",
        ),
    ],
)
def test_a_file_that_stays_unread_is_told_why(
    reading: Reading, name: str, report: str, code: str
) -> None:
    """Once, beside the file, with what to do; the file stays where it is."""
    (reading.path / name).write_bytes(lines(1, heading=True))
    with capture_logs() as logs:
        assert reading.turn() == []
        (reading.path / report).rename(reading.path / "gezien.verslag.csv")
        assert reading.turn() == []
    [line] = (reading.path / "gezien.verslag.csv").read_text("utf-8-sig").splitlines()[1:]
    assert line.split(";")[:4] == ["bestand", "geweigerd", "", code]
    assert line.split(";")[4]
    assert [one["reason"] for one in logs if one["event"] == "file_not_read"] == [code]
    assert sorted(one.name for one in reading.path.iterdir() if one.is_file()) == sorted(
        (name, "gezien.verslag.csv")
    )


@pytest.mark.parametrize(
    "name", [".toeleiding.csv.X1", "toeleiding.csv.part", "~$toeleiding.xlsx", "Thumbs.db"]
)
def test_what_nobody_meant_to_be_read_gets_no_report(reading: Reading, name: str) -> None:
    """Half an upload, and what is hidden."""
    (reading.path / name).write_bytes(b"x")
    reading.turn()
    assert [one.name for one in reading.path.iterdir() if one.is_file()] == [name]


def test_a_decomposed_name_is_read(reading: Reading) -> None:
    """As a Mac writes it: the same letters."""
    name = unicodedata.normalize("NFD", "toeleiding één.csv")
    (reading.path / name).write_bytes(lines(1, heading=True))
    assert reading.turn() == ["D-1"]
    assert (reading.path / "toeleiding één.verslag.csv").exists()


def test_a_file_that_may_not_be_read_says_so(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a right that lacks, not the kind of file."""
    (reading.path / NAME).write_bytes(lines(1, heading=True))
    _fail_to_open(monkeypatch, errno.EACCES)
    assert reading.turn() == ["not_readable"]
    assert [one.name[-len(NAME) :] for one in (reading.path / "geweigerd").iterdir()] == [NAME]


def test_a_disk_that_fails_is_tried_again(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What says nothing about the file refuses nothing."""
    (reading.path / NAME).write_bytes(lines(1, heading=True))
    with monkeypatch.context() as failing:
        _fail_to_open(failing, errno.EIO)
        with pytest.raises(OSError, match="told to"):
            reading.turn()
    assert reading.turn() == ["D-1"]


def _fail_to_open(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    real = os.open

    def failing(path: Any, flags: int, *rest: Any, **more: Any) -> int:
        if flags & os.O_NONBLOCK and not flags & os.O_CREAT:
            raise OSError(number, "told to")
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", failing)


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    informed = {"from": "geinformeerd", "date": "%d/%m/%Y"}
    return {**entry, "set": {**entry["set"], "informed.on": informed}}


def _ignore(_written: int | None) -> None:
    """A write as a step that gives nothing."""
