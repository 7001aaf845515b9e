"""CSV as partners' programmes and spreadsheets write it: encodings, quotes, broken rows.

UTF-8 with or without mark, else Windows-1252; `;` unless the connector says otherwise.
Rows are numbered as the spreadsheet does, the heading being row 1, and keep their bytes as they
came; a row that cannot be read is handed on as a fault and reading goes on after it.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from connectors.errors import FileRefused, RowRefused
from connectors.expressions import folded
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1024 * 1024
_MAX_COLUMNS = 500
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by folded column name, or the fault that made it unreadable."""

    number: int
    cells: dict[str, str]
    raw: bytes
    fault: RowRefused | None = None


class Table:
    """The heading and the rows of one file; iterate once.

    Args:
        file: open at its beginning; stays the caller's to close.
        delimiter: between cells.

    Raises:
        FileRefused: not text in a known encoding, or its heading cannot be used.
    """

    def __init__(self, file: BinaryIO, delimiter: str = ";") -> None:
        self.encoding = detect_encoding(file)
        file.seek(0)
        text = io.TextIOWrapper(file, self.encoding, newline="")
        self._text = text
        self._taken: list[str] = []
        self._reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)
        self.columns = self._heading(delimiter)

    def __iter__(self) -> Iterator[Row]:
        """The rows after the heading, empty ones left out but counted."""
        number = 1
        while True:
            number += 1
            self._taken.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                self._text.detach()
                return
            except csv.Error:
                yield Row(number, {}, self._raw(), _broken())
                continue
            if not any(cell.strip() for cell in cells):
                continue
            yield self._row(number, cells)

    def _row(self, number: int, cells: list[str]) -> Row:
        width = len(self.columns)
        if any(cell.strip() for cell in cells[width:]):
            return Row(number, {}, self._raw(), _wrong_width(width, len(cells)))
        if len(cells) < width:
            return Row(number, {}, self._raw(), _wrong_width(width, len(cells)))
        return Row(number, dict(zip(self.columns, cells, strict=False)), self._raw())

    def _heading(self, delimiter: str) -> tuple[str, ...]:
        try:
            cells = next(self._reader, [])
            if len(cells) == 1 and cells[0].strip().casefold().startswith("sep="):
                # A first line that only tells a spreadsheet the delimiter.
                cells = next(self._reader, [])
        except csv.Error:
            cells = []
        names = [folded(cell) for cell in cells]
        while names and not names[-1]:
            names.pop()
        if not names or len(names) > _MAX_COLUMNS:
            raise _no_heading(delimiter)
        if "" in names or len(set(names)) != len(names):
            raise FileRefused(
                "duplicate_column",
                Message(
                    nl="Elke kolom heeft een eigen naam nodig in de eerste rij.",
                    en="Every column needs a name of its own in the first row.",
                ),
            )
        if len(names) == 1 and any(mark in names[0] for mark in ",;\t|"):
            raise _no_heading(delimiter)
        return tuple(names)

    def _lines(self) -> Iterator[str]:
        for line in self._text:
            self._taken.append(line)
            yield line

    def _raw(self) -> bytes:
        return "".join(self._taken).encode(self.encoding.removesuffix("-sig"))


def detect_encoding(file: BinaryIO) -> str:
    """The encoding of the whole file: utf-8-sig, utf-8 or cp1252. Reads it to the end.

    Raises:
        FileRefused: none of these.
    """
    start = file.read(4)
    file.seek(0)
    if start.startswith(_WIDE_MARKS):
        raise _unreadable()
    has_mark = start.startswith(codecs.BOM_UTF8)
    candidates = ["utf-8-sig"] if has_mark else ["utf-8", "cp1252"]
    decoders = {name: codecs.getincrementaldecoder(name)() for name in candidates}
    is_wide = has_mark
    while block := file.read(_BLOCK):
        is_wide |= _feed(decoders, block)
    first = next(iter(decoders))
    if first != "cp1252" and decoders[first].getstate()[0]:
        # All but the last letter is UTF-8: what has other letters too is no Windows-1252.
        if is_wide or "cp1252" not in decoders:
            raise _cut_off()
        return "cp1252"
    return first


def _feed(decoders: dict[str, codecs.IncrementalDecoder], block: bytes) -> bool:
    """Drop the decoders that cannot read it; whether UTF-8 reads letters beyond ASCII in it."""
    is_wide = False
    for name, decoder in list(decoders.items()):
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError:
            del decoders[name]
        else:
            is_wide |= name != "cp1252" and not text.isascii()
    if not decoders:
        raise _unreadable()
    return is_wide


def _unreadable() -> FileRefused:
    return FileRefused(
        "unknown_encoding",
        Message(
            nl="De tekens zijn onleesbaar; bewaar het bestand als CSV UTF-8.",
            en="The characters are unreadable; save the file as CSV UTF-8.",
        ),
    )


def _cut_off() -> FileRefused:
    return FileRefused(
        "cut_off",
        Message(
            nl="Het bestand eindigt midden in een letter; zet het volledige bestand in de map.",
            en="The file ends in the middle of a letter; put the whole file in the folder.",
        ),
    )


def _no_heading(delimiter: str) -> FileRefused:
    return FileRefused(
        "no_heading",
        Message(
            nl=f"De eerste rij moet de kolomnamen bevatten, gescheiden door '{delimiter}'.",
            en=f"The first row must hold the column names, separated by '{delimiter}'.",
        ),
    )


def _broken() -> RowRefused:
    return RowRefused(
        "broken_row",
        Message(
            nl="De rij is onleesbaar: een aanhalingsteken is niet gesloten of een cel is te lang.",
            en="The row is unreadable: a quote is not closed or a cell is too long.",
        ),
    )


def _wrong_width(wanted: int, found: int) -> RowRefused:
    return RowRefused(
        "wrong_width",
        Message(
            nl=f"De rij telt {found} cellen, de eerste {wanted}; zet tekst met ';' tussen \"\".",
            en=f'The row has {found} cells, the heading {wanted}; put text with ";" in quotes.',
        ),
    )
