"""The report on one file, in Dutch, for whoever put it there: one line a row and what to do.

    rij;resultaat;gebeurtenis;code;wat te doen

Written aside and renamed, so that nobody reads half a report; written again it is the same file.
"""

from __future__ import annotations

import csv
import io
import os
from typing import TYPE_CHECKING

from connectors.csv_cells import neutral
from connectors.identity import sync_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from connectors.sdk import Result

HEADING = ("rij", "resultaat", "gebeurtenis", "code", "wat te doen")
WORDS = {
    "sent": "verzonden",
    "duplicate": "al verwerkt",
    "unchanged": "ongewijzigd",
    "refused": "geweigerd",
}


def write_report(path: Path, scratch: Path, results: Sequence[Result]) -> None:
    """Write the report to `path` by way of `scratch`, on the same file system; durable."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADING)
    for result in results:
        row = str(result.row) if result.row else "bestand"
        words = (WORDS[result.result], result.event, result.code, result.advice)
        writer.writerow((row, *(neutral(word) for word in words)))
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        # The mark makes spreadsheets read it as UTF-8.
        file.write(text.getvalue().encode("utf-8-sig"))
        file.flush()
        os.fsync(descriptor)
    scratch.rename(path)
    sync_folder(path.parent)
