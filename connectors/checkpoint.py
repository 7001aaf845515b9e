"""What the runner remembers, in one SQLite file, written only after the hub's answer.

The cursor, what is known of each row, the lines of an unfinished report and the dead letters change
in **one transaction** (`Checkpoint.settle`): no crash can leave one ahead of another.
No value of a row is kept, only keyed digests, but for two: a dead letter holds the original bytes
until the row is sent after all or the dead letter is dropped, and the partner's own number of each
case is kept, because the hub tells it to nobody and what is received is to be tied to a person.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from connectors.errors import StateUnusable
from connectors.sdk import Result
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CURSOR_MAX_BYTES = 4096
_VERSION = 2
_OWN_NUMBERS = """
create table own_numbers (trajectory_id text primary key, own text not null) strict;
"""
_TABLES = f"""{_OWN_NUMBERS}
create table cursors (name text primary key, cursor text not null) strict;
create table known (
  event text not null, key_digest text not null, revision integer not null, digests text not null,
  event_id text not null, aggregate_id text, trajectory_id text,
  primary key (event, key_digest)) strict, without rowid;
create table cases (own_digest text primary key, trajectory_id text not null) strict;
create table aggregates (
  trajectory_id text not null, kind text not null, aggregate_id text not null,
  primary key (trajectory_id, kind, aggregate_id)) strict, without rowid;
create table results (
  source text not null, unit text not null, row integer not null, part integer not null,
  result text not null, event text not null, code text not null, advice text not null,
  primary key (source, unit, row, part)) strict, without rowid;
create table dead_letters (
  id integer primary key autoincrement, origin text not null, unit text not null,
  row integer not null, event text not null, key_digest text not null, stage text not null,
  code text not null, reason text not null, cursor text not null, attempts integer not null,
  raw blob not null, created_at text not null default (strftime('%Y-%m-%dT%H:%M:%SZ', 'now')))
  strict;
create index dead_letters_key on dead_letters (origin, event, key_digest);
"""


@dataclass(frozen=True, slots=True)
class Known:
    """What the hub acknowledged of one natural key for one event type.

    Attributes:
        revision: how many differing contents were acknowledged.
        digests: field path to keyed digest of the value last acknowledged.
        event_id: the hub's id of the last acknowledged event.
    """

    event: str
    key_digest: str
    revision: int
    digests: Mapping[str, str]
    event_id: str
    aggregate_id: str | None
    trajectory_id: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A row or event given up on: why, and the bytes as they came."""

    origin: str
    unit: str
    row: int
    event: str
    key_digest: str
    stage: str
    code: str
    reason: str
    cursor: str
    attempts: int
    raw: bytes


@dataclass(slots=True)
class Settlement:
    """Everything that one answer of the hub changes; `cursor_name` None leaves the cursor."""

    origin: str
    cursor_name: str | None = None
    cursor: Any = None
    known: list[Known] = field(default_factory=list)
    cases: list[tuple[str, str]] = field(default_factory=list)
    own_numbers: list[tuple[str, str]] = field(default_factory=list)
    aggregates: list[tuple[str, str, str]] = field(default_factory=list)
    results: list[tuple[str, Result]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    finished_unit: str | None = None


class Checkpoint:
    """The state of one connector; one process at a time, one thread.

    Args:
        folder: the state folder; made when missing, mode 0700.

    Raises:
        StateUnusable: another process holds it, or the file cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(folder / "lock")
        path = folder / "state.db"
        self.is_new = not path.exists()
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        try:
            self._db = _opened(path)
        except sqlite3.DatabaseError as error:
            os.close(self._lock)
            raise _unusable(
                f"{path} is beschadigd; zet het terug uit de reservekopie",
                f"{path} is damaged; put it back from the backup",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let another process have it."""
        self._db.close()
        os.close(self._lock)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever acknowledged; only then may a new key be made."""
        found = self._db.execute("select exists (select 1 from known)").fetchone()
        return not found[0]

    def cursor(self, name: str) -> Any:
        """The cursor stored under `name`, None at the beginning."""
        found = self._db.execute("select cursor from cursors where name = ?", (name,)).fetchone()
        return None if found is None else json.loads(found[0])

    def known(self, event: str, key_digest: str) -> Known | None:
        """What was acknowledged for this natural key and event type."""
        row = self._db.execute(
            "select event, key_digest, revision, digests, event_id, aggregate_id, trajectory_id"
            " from known where event = ? and key_digest = ?",
            (event, key_digest),
        ).fetchone()
        if row is None:
            return None
        return Known(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5], row[6])

    def trajectory(self, own_digest: str) -> str | None:
        """The trajectory of the partner's own number, when an answer told it."""
        found = self._db.execute(
            "select trajectory_id from cases where own_digest = ?", (own_digest,)
        ).fetchone()
        return None if found is None else str(found[0])

    def own_number(self, trajectory_id: str) -> str | None:
        """The partner's own number of a trajectory, when an answer told which one it has."""
        found = self._db.execute(
            "select own from own_numbers where trajectory_id = ?", (trajectory_id,)
        ).fetchone()
        return None if found is None else str(found[0])

    def aggregates(self, trajectory_id: str, kind: str) -> tuple[str, ...]:
        """The ids of that kind that were sent or received on this trajectory."""
        rows = self._db.execute(
            "select aggregate_id from aggregates where trajectory_id = ? and kind = ?",
            (trajectory_id, kind),
        )
        return tuple(row[0] for row in rows)

    def results(self, source: str, unit: str) -> tuple[Result, ...]:
        """The settled rows of an unfinished unit, in order."""
        rows = self._db.execute(
            "select row, result, event, code, advice from results"
            " where source = ? and unit = ? order by row, part",
            (source, unit),
        )
        return tuple(Result(*row) for row in rows)

    def dead_letters(self) -> tuple[DeadLetter, ...]:
        """All dead letters, oldest first."""
        rows = self._db.execute(
            "select origin, unit, row, event, key_digest, stage, code, reason, cursor, attempts,"
            " raw from dead_letters order by id"
        )
        return tuple(DeadLetter(*row) for row in rows)

    def settle(self, settlement: Settlement) -> None:
        """Write all of it in one durable transaction, or nothing."""
        with self._db:
            self._db.execute("begin immediate")
            self._write_known(settlement)
            self._write_results(settlement)
            self._write_dead_letters(settlement)
            if settlement.cursor_name is not None:
                self._db.execute(
                    "insert into cursors values (?, ?)"
                    " on conflict (name) do update set cursor = excluded.cursor",
                    (settlement.cursor_name, cursor_text(settlement.cursor)),
                )

    def _write_known(self, settlement: Settlement) -> None:
        self._db.executemany(
            "insert or replace into known values (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    known.event,
                    known.key_digest,
                    known.revision,
                    json.dumps(known.digests, sort_keys=True),
                    known.event_id,
                    known.aggregate_id,
                    known.trajectory_id,
                )
                for known in settlement.known
            ],
        )
        # What was sent after all needs no dead letter, and its bytes need not stay.
        self._db.executemany(
            "delete from dead_letters where origin = ? and event = ? and key_digest = ?",
            [(settlement.origin, known.event, known.key_digest) for known in settlement.known],
        )
        self._db.executemany("insert or replace into cases values (?, ?)", settlement.cases)
        self._db.executemany(
            "insert or replace into own_numbers values (?, ?)", settlement.own_numbers
        )
        self._db.executemany(
            "insert or ignore into aggregates values (?, ?, ?)", settlement.aggregates
        )

    def _write_results(self, settlement: Settlement) -> None:
        if settlement.finished_unit is not None:
            self._db.execute(
                "delete from results where source = ? and unit = ?",
                (settlement.origin, settlement.finished_unit),
            )
        parts: dict[tuple[str, int], int] = {}
        for unit, result in settlement.results:
            part = parts.get((unit, result.row), 0)
            parts[unit, result.row] = part + 1
            self._db.execute(
                "insert or replace into results values (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    settlement.origin,
                    unit,
                    result.row,
                    part,
                    result.result,
                    result.event,
                    result.code,
                    result.advice,
                ),
            )

    def _write_dead_letters(self, settlement: Settlement) -> None:
        for letter in settlement.dead_letters:
            if letter.key_digest:
                # The same row refused again replaces its earlier dead letter.
                self._db.execute(
                    "delete from dead_letters where origin = ? and event = ? and key_digest = ?",
                    (letter.origin, letter.event, letter.key_digest),
                )
            self._db.execute(
                "insert into dead_letters (origin, unit, row, event, key_digest, stage, code,"
                " reason, cursor, attempts, raw) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    letter.origin,
                    letter.unit,
                    letter.row,
                    letter.event,
                    letter.key_digest,
                    letter.stage,
                    letter.code,
                    letter.reason,
                    letter.cursor,
                    letter.attempts,
                    letter.raw,
                ),
            )


def cursor_text(cursor: Any) -> str:
    """A cursor as JSON; raises StateUnusable when it is none or larger than 4 KiB."""
    try:
        text = json.dumps(cursor, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):
        text = ""
    if not text or len(text) > CURSOR_MAX_BYTES:
        raise _unusable(
            "een cursor moet JSON zijn van hoogstens 4 KiB",
            "a cursor must be JSON of at most 4 KiB",
        )
    return text


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=5)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    # A dropped dead letter must not stay readable in a free page.
    db.execute("pragma secure_delete = on")
    version = db.execute("pragma user_version").fetchone()[0]
    if version == 0:
        db.executescript(f"begin; {_TABLES} pragma user_version = {_VERSION}; commit;")
    elif version == 1:
        # The numbers come with the next file: also a row that did not change tells its own.
        db.executescript(f"begin; {_OWN_NUMBERS} pragma user_version = {_VERSION}; commit;")
    elif version != _VERSION:
        db.close()
        raise _unusable(
            f"{path} is van een andere versie van deze koppeling",
            f"{path} is of another version of this connector",
        )
    return db


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise _unusable(
            f"een ander proces gebruikt {path.parent}",
            f"another process uses {path.parent}",
        ) from error
    return descriptor


def _unusable(nl: str, en: str) -> StateUnusable:
    return StateUnusable(Message(nl=f"Toestand: {nl}.", en=f"State: {en}."))
