"""Which names of a drop folder are read, and what to tell about one that is not.

Names are compared in Unicode's composed form (NFC), because some file systems give decomposed ones.
"""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import FileRefused
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

REPORT_SUFFIX = ".verslag.csv"
_NAME = re.compile(r"^[\w][\w .()+&,-]{0,150}\.csv$", re.IGNORECASE)
_ENDING = ".csv"
_STEM_BYTES = 200
# Half of an upload, and what an office program writes beside an open file.
_PASSING = (".part", ".partial", ".filepart", ".crdownload", ".tmp")
_HIDDEN = (".", "~", "desktop.ini", "thumbs.db")


def composed(name: str) -> str:
    """A name in the one form in which names are compared."""
    return unicodedata.normalize("NFC", name)


def is_unread(name: str) -> bool:
    """Whether nobody expects this file to be read: hidden, a report, or half an upload."""
    folded = name.casefold()
    return folded.startswith(_HIDDEN) or folded.endswith((REPORT_SUFFIX, *_PASSING))


def misfit(name: str, patterns: Sequence[str]) -> FileRefused | None:
    """Why a file of this name is not read; None when it is.

    Args:
        name: composed.
        patterns: case-folded.
    """
    folded = name.casefold()
    if not folded.endswith(_ENDING):
        return _no_csv()
    if not any(fnmatch.fnmatchcase(folded, pattern) for pattern in patterns):
        return _other_name(patterns)
    return None if _NAME.fullmatch(name) else _other_letters()


def report_name(name: str) -> str:
    """The name of the report on a file that is not taken; never that of a file that is."""
    stem = Path(name).stem if name.casefold().endswith(_ENDING) else name
    return os.fsdecode(os.fsencode(stem)[:_STEM_BYTES]) + REPORT_SUFFIX


def _no_csv() -> FileRefused:
    return FileRefused(
        "not_csv",
        Message(
            nl="Dit bestand wordt niet gelezen; bewaar het als CSV en zet dat in de map.",
            en="This file is not read; save it as CSV and put that in the folder.",
        ),
    )


def _other_name(patterns: Sequence[str]) -> FileRefused:
    wanted = ", ".join(patterns)
    return FileRefused(
        "unknown_name",
        Message(
            nl=f"Dit bestand wordt niet gelezen; geef het een naam zoals {wanted} "
            "(* staat voor om het even wat).",
            en=f"This file is not read; give it a name such as {wanted} (* stands for anything).",
        ),
    )


def _other_letters() -> FileRefused:
    return FileRefused(
        "unusable_name",
        Message(
            nl="Dit bestand wordt niet gelezen; hernoem het met hoogstens 150 letters, cijfers, "
            "spaties en . ( ) + & , - _ in de naam.",
            en="This file is not read; rename it with at most 150 letters, digits, spaces "
            "and . ( ) + & , - _ in its name.",
        ),
    )
