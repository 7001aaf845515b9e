"""Where a reader of the feed is, and where that is kept.

A position is stored only after what lies before it was handled, so a reader that dies reads some
events again and skips none.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self

import orjson

from connectors.errors import StateUnusable
from schemas.errors import Message

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader is.

    Attributes:
        cursor: of the hub, opaque; None is the beginning.
        recorded_at: the newest `recordedtime` handled, RFC 3339; from there the hub fills an inbox
            again that no longer keeps what follows the cursor.
        wanted: the filter that it was read with: under another one the cursor would skip events.
    """

    cursor: str | None = None
    recorded_at: str | None = None
    wanted: str = ""


class CursorStore(Protocol):
    """Keeps one position; `FileCursor` and `MemoryCursor` come with the client.

    Keep it in the same transaction as your own data and nothing comes twice.
    """

    def load(self) -> Position:
        """The position last saved, the beginning when there is none."""
        ...

    def save(self, position: Position) -> None:
        """Keep it, durably when this returns: after a crash it is this one or the one before."""
        ...


class MemoryCursor:
    """A position that ends with the process: it begins at the beginning each time."""

    def __init__(self, position: Position | None = None) -> None:
        self._position = position or Position()

    def load(self) -> Position:
        """The position last saved."""
        return self._position

    def save(self, position: Position) -> None:
        """Keep it in memory."""
        self._position = position


class FileCursor:
    """A position in a small JSON file, written whole beside the old one and then put in its place.

    One process at a time holds it, by a lock on `<file>.lock`, until it is closed or ends.

    Args:
        path: the file; its folder has to exist. Nothing personal is in it.

    Raises:
        StateUnusable: another process holds it, or the folder cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = _locked(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __del__(self) -> None:
        if getattr(self, "_lock", None) is not None:
            self.close()

    def load(self) -> Position:
        """The position last saved, the beginning when there is no file.

        Raises:
            StateUnusable: the file holds something else; begin anew by removing it.
        """
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return Position()
        except OSError as error:
            raise _unusable(self._path, "is onleesbaar", "cannot be read") from error
        try:
            return _position(orjson.loads(content))
        except (orjson.JSONDecodeError, TypeError) as error:
            raise _unusable(
                self._path,
                "is geen cursorbestand; verwijder het om vooraan te beginnen",
                "is no cursor file; remove it to begin at the beginning",
            ) from error

    def save(self, position: Position) -> None:
        """Keep it; on disk when this returns.

        Raises:
            StateUnusable: it cannot be written; the former one is still there.
        """
        beside = self._path.with_name(f"{self._path.name}.new")
        try:
            with beside.open("wb") as file:
                file.write(orjson.dumps(asdict(position)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise _unusable(
                self._path, "kan niet geschreven worden", "cannot be written"
            ) from error


def _position(found: Any) -> Position:
    if not isinstance(found, dict):
        raise TypeError("no object")
    position = Position(**found)
    if any(one is not None and not isinstance(one, str) for one in asdict(position).values()):
        raise TypeError("no texts")
    return position


def _locked(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    try:
        lock = os.open(path.with_name(f"{path.name}.lock"), flags, 0o600)
    except OSError as error:
        raise _unusable(path, "kan niet geschreven worden", "cannot be written") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise _unusable(
            path, "is in gebruik door een ander proces", "is in use by another process"
        ) from error
    return lock


def _sync_folder(folder: Path) -> None:
    # Without it a power cut may bring the former name back, and a whole page with it.
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(path: Path, nl: str, en: str) -> StateUnusable:
    return StateUnusable(Message(nl=f"{path} {nl}.", en=f"{path} {en}."))
