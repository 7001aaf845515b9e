"""The kind csv, out: delivered events are appended to files in the partner's own layout.

    - file: toeleidingen.csv
      events: [referral.created]
      columns: {Voornaam: person.given_name, Traject: ce.trajectoryid,
                Geboren: {from: person.birth_date, date: "%d/%m/%Y"}}

A path names a field of the data, `ce.` an attribute.
What no layout names goes to `overige.csv`, without its data, so that nothing is silent.
Every file begins with the column `schakel_id`, by which an event that comes twice is written once;
a line that a crash cut off is removed before the next one is written.
A copy that holds more than an earlier one is a line of its own, for nothing that was written is
changed: its id is followed by `#` and the copy's number, and it replaces lines with a lower one.
"""

from __future__ import annotations

import csv
import io
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.csv_cells import dutch_date, neutral, plain
from connectors.errors import InvalidConnector
from connectors.expressions import Expression, folded
from connectors.fields import value_at
from connectors.sdk import Config, Event, Reject, Retry, Sink
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

NAME = "csv"
ID_COLUMN = "schakel_id"
OTHER_FILE = "overige.csv"
_BYTE_ORDER = b"\xef\xbb\xbf"
_END = b"\r\n"


@dataclass(frozen=True, slots=True)
class Layout:
    """One outgoing file: for which events, and how each column is filled."""

    file: str
    events: frozenset[str]
    columns: Mapping[str, Expression]

    @property
    def heading(self) -> tuple[str, ...]:
        """The column names, the id first."""
        return (ID_COLUMN, *self.columns)

    def cells(self, event: Event) -> tuple[str, ...]:
        """One line for an event."""
        return (_mark(event), *(_cell(expression, event) for expression in self.columns.values()))


OTHER = Layout(
    OTHER_FILE,
    frozenset(),
    {
        "tijd": Expression(columns=("ce.time",)),
        "gebeurtenis": Expression(columns=("ce.event",)),
        "traject": Expression(columns=("ce.trajectoryid",)),
        "onderwerp": Expression(columns=("ce.subject",)),
        "van": Expression(columns=("ce.source",)),
    },
)


class CsvSink:
    """Appends to the files of one folder. One process, one thread.

    Args:
        folder: made when missing.
        layouts: the first that names an event counts.
    """

    def __init__(self, folder: Path, layouts: Sequence[Layout]) -> None:
        self._folder = folder
        self._layouts = tuple(layouts)
        self._known: dict[str, tuple[tuple[int, int], set[str]]] = {}

    def sink(self, batch: int) -> Sink:
        """This as a sink of a connector."""
        return Sink(NAME, (), batch, self.write)

    def write(self, _config: Config, events: Sequence[Event]) -> Iterator[Reject]:
        """Append what is not there yet; durable when it returns.

        Raises:
            Retry: the folder cannot be written now.
        """
        by_layout: dict[str, list[Event]] = {}
        layouts = {layout.file: layout for layout in (*self._layouts, OTHER)}
        for event in events:
            by_layout.setdefault(self._layout(event).file, []).append(event)
        path = self._folder
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file, wanted in by_layout.items():
                path = self._folder / file
                self._append(layouts[file], wanted)
        except OSError as error:
            raise Retry(after=5, what=str(path)) from error
        return iter(())

    def _layout(self, event: Event) -> Layout:
        return next((one for one in self._layouts if event.type in one.events), OTHER)

    def _append(self, layout: Layout, events: Iterable[Event]) -> None:
        path = self._folder / layout.file
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{layout.file} is no regular file")
            known = self._ids(layout, file.fileno())
            text = b"" if os.fstat(descriptor).st_size else _BYTE_ORDER + _line(layout.heading)
            for event in events:
                if (mark := _mark(event)) not in known:
                    known.add(mark)
                    text += _line(layout.cells(event))
            file.seek(0, os.SEEK_END)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
            found = os.fstat(descriptor)
            self._known[layout.file] = ((found.st_ino, found.st_size), known)

    def _ids(self, layout: Layout, descriptor: int) -> set[str]:
        """The ids already in the file, after its torn tail is cut off."""
        found = os.fstat(descriptor)
        remembered = self._known.get(layout.file)
        if remembered is not None and remembered[0] == (found.st_ino, found.st_size):
            return remembered[1]
        content = os.pread(descriptor, found.st_size, 0)
        whole = content.rfind(_END) + len(_END) if _END in content else 0
        if whole != len(content):
            # No cell holds a line end, so a line without one was cut off by a crash.
            os.ftruncate(descriptor, whole)
        lines = content[:whole].decode("utf-8-sig").splitlines()
        rows = csv.reader(lines, delimiter=";")
        heading = next(rows, None)
        if heading is not None and tuple(heading) != tuple(neutral(n) for n in layout.heading):
            raise _other_heading(layout.file)
        return {row[0] for row in rows if row}


def _mark(event: Event) -> str:
    """What a line is known by: which event, and which copy of it when it is a fuller one."""
    return f"{event.id}#{event.redelivery}" if event.redelivery else event.id


def _line(cells: Iterable[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerow([neutral(c) for c in cells])
    return text.getvalue().encode()


def _cell(expression: Expression, event: Event) -> str:
    if not expression.columns:
        return plain(expression.const)
    values = [_value(column, event) for column in expression.columns]
    if expression.join is not None:
        return expression.join.join(text for text in map(plain, values) if text)
    value = values[0]
    if value is None:
        return plain(expression.default)
    if isinstance(value, list):
        mark = expression.split or ", "
        return mark.join(_shown(expression, item) for item in value)
    return _shown(expression, value)


def _shown(expression: Expression, value: Any) -> str:
    text = plain(value)
    if expression.enum is not None:
        # A code that is newer than this layout is shown as it is rather than lost.
        return plain(expression.enum.get(folded(text), text))
    if expression.dates:
        return dutch_date(text, expression.dates[0])
    if expression.decimal is not None:
        return text.replace(".", expression.decimal)
    return text


def _value(column: str, event: Event) -> Any:
    if column == "ce.event":
        return event.type
    if column.startswith("ce."):
        return event.attributes.get(column.removeprefix("ce."))
    return value_at(event.data, column)


def _other_heading(file: str) -> InvalidConnector:
    return InvalidConnector(
        Message(
            nl=f"{file} heeft andere kolommen dan de koppeling nu schrijft; hernoem het.",
            en=f"{file} has other columns than this connector writes now; rename it.",
        )
    )
