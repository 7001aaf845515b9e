"""The drop folder: what may be taken from it, taking it, and putting it away.

    drop/                  where the partner's system or people put files; reports appear here
    drop/.schakel/         files that are being read; nobody else's (0700)
    drop/verwerkt/         files that were read, with the moment before their name
    drop/geweigerd/        files that could not be read at all

A file is taken when its name is allowed, it is a regular file, and size and time stayed the same
over two looks.
It is taken by renaming it, then opened without following links and checked again, so that a link or
a pipe put in its place in between is never read.
Whoever had it open may still write to it, under any name: a taken file is read once it stood still
over two looks more, and for an hour after it was put away it is read again when it changes.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import structlog

from connectors.csv_names import REPORT_SUFFIX, composed, is_unread, misfit, report_name
from connectors.errors import FileRefused, InvalidConnector
from connectors.identity import sync_folder
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_log = structlog.get_logger(__name__)
MAX_BYTES = 64 * 1024 * 1024
CLAIMED = ".schakel"
DONE = "verwerkt"
REFUSED = "geweigerd"
WATCH_SECONDS = 3600.0
_CLAIM = re.compile(r"^(\d{20})~(.+)$")


@dataclass(frozen=True, slots=True)
class _Seen:
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> _Seen:
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class _Away:
    """A file that was put away: as which unit, as it was when it was opened, watched until when."""

    unit: str
    opened: _Seen
    until: float


class DropFolder:
    """One drop folder. One process, one thread.

    Args:
        path: the folder; made when missing.
        patterns: file name patterns such as `toeleiding*.csv`, compared without case.
        look_seconds: how long between the two looks.
        sleep: waits.
    """

    def __init__(
        self,
        path: Path,
        patterns: Sequence[str],
        *,
        look_seconds: float = 0.5,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = path
        self._patterns = tuple(composed(pattern).casefold() for pattern in patterns)
        self._look_seconds = look_seconds
        self._sleep = sleep
        self._seen: dict[str, _Seen] = {}
        self._still: set[str] = set()
        self._opened: dict[str, _Seen] = {}
        self._away: dict[Path, _Away] = {}
        self._misfits: dict[str, FileRefused] = {}
        self._warned: set[tuple[str, int]] = set()

    def claim(self) -> tuple[str, ...]:
        """Take every file that stands still; returns all taken names that wait, oldest first.

        Blocks for one look when there is a new file, and for another when one was taken.
        """
        self._prepare()
        self._take_back()
        before = self._seen
        self._seen = self._look()
        if any(name not in before for name in self._seen):
            before = self._seen
            self._sleep(self._look_seconds)
            self._seen = self._look()
        still = [name for name, seen in self._seen.items() if before.get(name) == seen]
        for name in sorted(still, key=lambda one: (self._seen[one].changed_ns, one)):
            refusal = misfit(composed(name), self._patterns)
            if refusal is None:
                self._take(name)
            elif self._warn("file_not_read", name, self._seen[name].inode, refusal.reason):
                self._misfits[name] = refusal
        return self._standing()

    def misfits(self) -> dict[str, FileRefused]:
        """The files that stay unread for their name, each told once, with what to do."""
        found, self._misfits = self._misfits, {}
        return found

    def open(self, unit: str) -> BinaryIO:
        """Open a taken file for reading.

        Raises:
            FileRefused: it is a link, a pipe or another thing that is no regular file, too big, or
                not to be read by this user.
            OSError: it cannot be read now.
        """
        path = self.path / CLAIMED / unit
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            raise refusal from error
        file = os.fdopen(descriptor, "rb")
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            file.close()
            raise _no_file()
        self._opened[unit] = _Seen.of(found)
        if found.st_size > MAX_BYTES:
            file.close()
            raise FileRefused(
                "file_too_large",
                Message(
                    nl=f"Het bestand is groter dan {MAX_BYTES // 1024**2} MiB; splits het.",
                    en=f"The file is larger than {MAX_BYTES // 1024**2} MiB; split it.",
                ),
            )
        return file

    def has_changed(self, unit: str) -> bool:
        """Whether a taken file is another than when it was opened: somebody still writes to it."""
        opened = self._opened.get(unit)
        return opened is not None and _seen_at(self.path / CLAIMED / unit) != opened

    def put_back(self, unit: str) -> None:
        """Have a taken file read from its beginning at the next turn, as a unit of its own."""
        self._opened.pop(unit, None)
        self._claim(self.path / CLAIMED / unit, original_name(unit))

    def put_away(self, unit: str, *, refused: bool) -> None:
        """Move a taken file to where finished ones are; nothing when that was done before."""
        source = self.path / CLAIMED / unit
        if not os.path.lexists(source):
            return
        folder = self.path / (REFUSED if refused else DONE)
        folder.mkdir(mode=0o700, exist_ok=True)
        target = _free(folder, f"{_moment(unit)}-{original_name(unit)}")
        source.rename(target)
        sync_folder(folder)
        opened = self._opened.pop(unit, None)
        if opened is not None:
            self._away[target] = _Away(unit, opened, time.monotonic() + WATCH_SECONDS)

    def report_path(self, unit: str) -> Path:
        """Where the report on a taken file belongs: beside where the file was put."""
        return self.path / (Path(original_name(unit)).stem + REPORT_SUFFIX)

    def misfit_path(self, name: str) -> Path:
        """Where it is told that a file is not read."""
        return self.path / report_name(name)

    def scratch_path(self, unit: str) -> Path:
        """Where a report is written before it gets its name."""
        return self.path / CLAIMED / f"report-{unit}"

    def _prepare(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            private = self.path / CLAIMED
            private.mkdir(mode=0o700, exist_ok=True)
            found = os.lstat(private)
        except OSError as error:
            raise _unusable(self.path) from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise _unusable(self.path)
        private.chmod(0o700)

    def _look(self) -> dict[str, _Seen]:
        seen: dict[str, _Seen] = {}
        with os.scandir(self.path) as entries:
            for entry in entries:
                if is_unread(entry.name):
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if stat.S_ISREG(found.st_mode):
                    seen[entry.name] = _Seen.of(found)
                elif misfit(composed(entry.name), self._patterns) is None:
                    self._warn("not_a_regular_file", entry.name, found.st_ino)
        return seen

    def _standing(self) -> tuple[str, ...]:
        """The taken files that stand still, oldest first."""
        before = self._taken()
        self._still &= before.keys()
        if before.keys() - self._still:
            self._sleep(self._look_seconds)
            now = self._taken()
            self._still |= {unit for unit, seen in before.items() if now.get(unit) == seen}
        return tuple(sorted(self._still))

    def _taken(self) -> dict[str, _Seen]:
        units = os.listdir(self.path / CLAIMED)  # noqa: PTH208 - names, no paths
        found = {u: _seen_at(self.path / CLAIMED / u) for u in units if _CLAIM.fullmatch(u)}
        return {unit: seen for unit, seen in found.items() if seen is not None}

    def _take_back(self) -> None:
        """Take again what changed after it was put away; rows that are known become no event."""
        for path, away in list(self._away.items()):
            seen = _seen_at(path)
            if seen is not None and seen != away.opened:
                self._claim(path, original_name(away.unit))
            elif seen is not None and time.monotonic() < away.until:
                continue
            del self._away[path]

    def _take(self, name: str) -> None:
        self._claim(self.path / name, composed(name))
        self._seen.pop(name, None)

    def _claim(self, path: Path, name: str) -> None:
        claimed = f"{time.time_ns():020d}~{name}"
        try:
            path.rename(self.path / CLAIMED / claimed)
        except FileNotFoundError:
            return
        sync_folder(self.path / CLAIMED)
        _log.info("file_taken", unit=claimed)

    def _warn(self, event: str, name: str, inode: int, reason: str = "") -> bool:
        """Say it once for each file; whether this was the first time."""
        if (name, inode) in self._warned:
            return False
        self._warned.add((name, inode))
        _log.warning(event, name=name, reason=reason)
        return True


def original_name(unit: str) -> str:
    """The name a taken file had in the drop folder."""
    found = _CLAIM.fullmatch(unit)
    return unit if found is None else found[2]


def _seen_at(path: Path) -> _Seen | None:
    try:
        return _Seen.of(path.lstat())
    except FileNotFoundError:
        return None


def _moment(unit: str) -> str:
    found = _CLAIM.fullmatch(unit)
    nanoseconds = 0 if found is None else int(found[1])
    # Local time on purpose: this name is read by the people of the folder.
    return datetime.fromtimestamp(nanoseconds / 1e9).strftime("%Y%m%d-%H%M%S")  # noqa: DTZ006


def _free(folder: Path, name: str) -> Path:
    path = folder / name
    number = 2
    while os.path.lexists(path):
        path = folder / f"{Path(name).stem}-{number}.csv"
        number += 1
    return path


def _refusal(error: OSError) -> FileRefused | None:
    """What a file that cannot be opened is told; None when it may be opened later."""
    if error.errno in (errno.ELOOP, errno.ENXIO):
        return _no_file()
    if error.errno in (errno.EACCES, errno.EPERM):
        return _not_readable()
    return None


def _not_readable() -> FileRefused:
    return FileRefused(
        "not_readable",
        Message(
            nl="De koppeling mag dit bestand niet lezen; geef haar leesrechten en zet het opnieuw "
            "in de map.",
            en="The connector may not read this file; let it read the file and put it in the "
            "folder again.",
        ),
    )


def _no_file() -> FileRefused:
    return FileRefused(
        "not_a_regular_file",
        Message(
            nl="Dit is geen gewoon bestand; zet het bestand zelf in de map, geen verwijzing.",
            en="This is not a regular file; put the file itself in the folder, not a link.",
        ),
    )


def _unusable(path: Path) -> InvalidConnector:
    return InvalidConnector(
        Message(
            nl=f"De map {path} kan niet gebruikt worden; ze moet van deze gebruiker zijn.",
            en=f"The folder {path} cannot be used; it must belong to this user.",
        )
    )
