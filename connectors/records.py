"""Fetching a participant's own exchange records, checked before the file gets its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.record_checks import Checker
from schemas.record_pages import opening_lines, pages, record_lines
from schemas.tree_head import PublicKeys
from schemas.verify import lines_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from schemas.record_checks import Checked
    from schemas.record_pages import Get


def fetch_records(get: Get, out: Path, key: Mapping[str, Any], older: Path | None) -> Checked:
    """Write the records to a file, check it, and only then give it its name; blocks.

    Raises:
        InvalidProof: the keys are none, or something does not hold; `<out>.part` shows what came.
        ConnectorError: as `get`.
    """
    checker = Checker(PublicKeys(key))
    before = None if older is None else checker.check(lines_of(older)).account
    part = out.with_name(f"{out.name}.part")
    with part.open("wb") as file:
        for number, page in enumerate(pages(get, older=before)):
            if number == 0:
                file.writelines(opening_lines(get, page, before))
            file.writelines(record_lines(page))
    if older is None:
        found = checker.check(lines_of(part))
    else:
        found = checker.check_after(lines_of(part), lines_of(older))
    part.replace(out)
    return found
