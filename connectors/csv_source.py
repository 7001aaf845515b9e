"""The kind csv, in: files from a drop folder become records, row by row, with a report per file.

The cursor is the taken file and the row within it, so a run that died goes on where the hub's
answers ended.
A file that changed while it was read is read again from its beginning at the next turn: what is
known of its rows by then makes them no event.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from connectors.csv_files import DropFolder, original_name
from connectors.csv_names import composed
from connectors.csv_report import write_report
from connectors.csv_text import Table
from connectors.errors import FileRefused, RowRefused
from connectors.mapping import missing_columns, unknown_columns
from connectors.sdk import Config, Finished, Record, Result, Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from connectors.mapping import RowMap

NAME = "csv"


class CsvSource:
    """Reads the files of one drop folder.

    Args:
        drop: the folder.
        maps: file name pattern to the map of its rows; the first that fits counts.
        delimiter: between cells.
    """

    def __init__(self, drop: DropFolder, maps: Mapping[str, RowMap], delimiter: str) -> None:
        self._drop = drop
        self._maps = maps
        self._delimiter = delimiter

    def source(self, every_seconds: float) -> Source:
        """This as a source of a connector."""
        return Source(NAME, None, every_seconds, self.read, self.finish)

    def read(
        self, _config: Config, since: Mapping[str, Any] | None = None
    ) -> Iterator[Record | Finished]:
        """Every row of every taken file after the cursor, the file of the cursor first."""
        units = self._drop.claim()
        for name, refusal in self._drop.misfits().items():
            told = Result(0, "refused", code=refusal.reason, advice=refusal.detail.nl)
            write_report(self._drop.misfit_path(name), self._drop.scratch_path("name"), [told])
        begun = since["unit"] if since is not None else None
        for unit in sorted(units, key=lambda one: (one != begun, one)):
            row = since["row"] if since is not None and unit == begun else -1
            yield from self._unit(unit, row)

    def finish(self, _config: Config, unit: str, results: Sequence[Result]) -> None:
        """Write the report beside where the file was and put the file away."""
        if results:
            path = self._drop.report_path(unit)
            write_report(path, self._drop.scratch_path(unit), results)
        refused = any(result.row == 0 and result.result == "refused" for result in results)
        self._drop.put_away(unit, refused=refused)

    def _unit(self, unit: str, after: int) -> Iterator[Record | Finished]:
        last, held = max(after, 0), None
        try:
            with self._drop.open(unit) as file:
                for record in self._rows(file, unit, after):
                    if held is not None:
                        last = held.at["row"]
                        yield held
                    held = record
        except FileRefused as error:
            if after < 0:
                refusal = RowRefused(error.reason, error.detail)
                at = {"unit": unit, "row": 0}
                held = Record({}, at, unit=unit, row=0, raw=b"", fault=refusal)
        if self._drop.has_changed(unit):
            # The last row, or what made the file unreadable, may be half of what is written now.
            self._drop.put_back(unit)
        elif held is not None:
            last = held.at["row"]
            yield held
        yield Finished(unit, {"unit": unit, "row": last})

    def _rows(self, file: BinaryIO, unit: str, after: int) -> Iterator[Record]:
        table = Table(file, self._delimiter)
        row_map = self._map(unit)
        _check_heading(table.columns, row_map)
        happened = _moment(file)
        for row in table:
            if row.number > after:
                yield Record(
                    row.cells,
                    {"unit": unit, "row": row.number},
                    mapping=row_map.name,
                    unit=unit,
                    row=row.number,
                    raw=row.raw,
                    time=happened,
                    fault=row.fault,
                )

    def _map(self, unit: str) -> RowMap:
        name = original_name(unit).casefold()
        return next(
            row_map
            for pattern, row_map in self._maps.items()
            if fnmatchcase(name, composed(pattern).casefold())
        )


def _check_heading(columns: Sequence[str], row_map: RowMap) -> None:
    unknown = sorted(set(columns) - row_map.columns - row_map.dropped)
    missing = sorted(row_map.columns - set(columns))
    if unknown or missing:
        refused = unknown_columns(unknown) if unknown else missing_columns(missing)
        raise FileRefused(refused.reason, refused.detail)


def _moment(file: BinaryIO) -> str:
    """When the file was written: the same at every try, unlike the moment of reading."""
    written = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    moment = min(written, datetime.now(UTC))
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
