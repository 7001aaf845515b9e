"""The key store: who may still be read, kept apart from the data (`design/architecture.md` §7).

A data key is one per (aggregate, producing organisation, part) and is wrapped by its subject's
key, which is wrapped by the key-encryption key.
Deleting a wrapped key is what erasure does, so nothing unwrapped is ever written.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consumers.database import is_postgres
from gateway.errors import ErasedHere
from gateway.exchange.encryption import KEY_BYTES, KeyEncryption, unusable, unwrap, wrap, wrap_named
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_state import erased_of, make_keys
from gateway.exchange.records import any_of, mark_of
from schemas.errors import Message
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Engine

CACHED_KEYS = 20_000


class KeyNeed(NamedTuple):
    """What a data key is for; `part` is `main` or `staff`."""

    subject_id: str
    aggregate_id: str
    producer_org: str
    part: str


@dataclass(frozen=True, slots=True)
class DataKey:
    """An unwrapped data key, ready to encrypt."""

    key_id: str
    key: bytes = field(repr=False)
    cipher: AESGCM = field(repr=False, compare=False)


class _Cache:
    """The most recently used keys; safe to use from several threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._items: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Any:
        with self._lock:
            found = self._items.get(key)
            if found is not None:
                self._items.move_to_end(key)
            return found

    def put(self, key: Any, value: Any) -> None:
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            if len(self._items) > self._limit:
                self._items.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._items.clear()


class KeyStore:
    """Makes, finds and unwraps keys.

    Methods raise SQLAlchemyError when the store cannot be reached, KeysUnusable when a key in it
    does not fit, and ErasedHere when one is asked for that an erasure keeps from being made. All
    are safe to call from several threads and processes at once.

    Args:
        engine: the keys' own store, writing.
        kek: the key-encryption key: its file, or another `KeyEncryption`.
    """

    def __init__(
        self, engine: Engine, kek: Path | KeyEncryption, *, cached_keys: int = CACHED_KEYS
    ) -> None:
        self._engine = engine
        self._kek: KeyEncryption = FileKeyEncryption(kek) if isinstance(kek, Path) else kek
        self._by_need = _Cache(cached_keys)
        self._by_id = _Cache(cached_keys)
        self._subjects = _Cache(cached_keys)
        self._named = _Cache(cached_keys)

    def data_keys(self, needs: Iterable[KeyNeed]) -> dict[KeyNeed, DataKey]:
        """The keys for these needs; those that do not exist are made in one durable commit.

        They are durable when this returns, so a ledger that commits afterwards never holds a
        record whose key was lost. A key that is never used is harmless.
        """
        wanted = dict.fromkeys(needs)
        found = {need: key for need in wanted if (key := self._by_need.get(need[1:])) is not None}
        missing = [need for need in wanted if need not in found]
        if missing:
            made = self._find_or_make(missing)
            for need in missing:
                found[need] = self._remember(need, *made[need])
        return found

    def open(self, key_id: str) -> bytes | None:
        """The bytes of a data key; None when it was erased."""
        found = self.cipher(key_id)
        return found.key if found is not None else None

    def cipher(self, key_id: str) -> DataKey | None:
        """A data key by its id, ready to decrypt; None when it was erased."""
        cached: DataKey | None = self._by_id.get(key_id)
        return cached if cached is not None else self.ciphers((key_id,)).get(key_id)

    def ciphers(self, key_ids: Iterable[str]) -> dict[str, DataKey]:
        """Data keys by id, all missing ones in one query; erased ones are left out."""
        found: dict[str, DataKey] = {}
        missing: list[str] = []
        for key_id in key_ids:
            cached = self._by_id.get(key_id)
            if cached is None:
                missing.append(key_id)
            else:
                found[key_id] = cached
        if missing:
            found.update(self._load(missing))
        return found

    def pseudonym_key(self, participant: str) -> bytes:
        """The key of a participant's pairwise pseudonyms, made when first asked for."""
        return self._hub_key(f"pseudonym:{participant}")

    def blind_index_key(self) -> bytes:
        """The key of the blind indexes and of the senders' own numbers."""
        return self._hub_key("blind_index")

    def disclosure_log_key(self) -> bytes:
        """The key under which the disclosure log's exports name a person."""
        return self._hub_key("disclosure_log")

    def forget_cached(self) -> None:
        """Drop every unwrapped key from memory, as erasure asks of every process."""
        for cache in (self._by_need, self._by_id, self._subjects, self._named):
            cache.clear()

    def _load(self, key_ids: Sequence[str]) -> dict[str, DataKey]:
        rows = self._read(
            "select d.key_id, d.subject_id, d.aggregate_id, d.producer_org, d.part, d.wrapped,"
            " s.kek_id, s.wrapped from data_keys d"
            " join subject_keys s on s.subject_id = d.subject_id where ",
            "d.key_id",
            key_ids,
        )
        found = {}
        for key_id, *need, wrapped, kek_id, subject_wrapped in rows:
            asked = KeyNeed(*need)
            subject = self._subject(asked.subject_id, kek_id, subject_wrapped)
            found[key_id] = self._remember(
                asked, key_id, unwrap(subject, wrapped, purpose_of(asked))
            )
        return found

    def _remember(self, need: KeyNeed, key_id: str, key: bytes) -> DataKey:
        made = DataKey(key_id, key, AESGCM(key))
        self._by_need.put(need[1:], made)
        self._by_id.put(key_id, made)
        return made

    def _find_or_make(self, needs: Sequence[KeyNeed]) -> dict[KeyNeed, tuple[str, bytes]]:
        with self._engine.begin() as connection:
            found = self._existing(connection, needs)
            missing = sorted(need for need in needs if need not in found)
            if missing:
                make_keys(connection)
                made = self._make(connection, missing)
                # Another gateway may have made the same key first, and then that one holds.
                found.update(made if made is not None else self._existing(connection, missing))
        return found

    def _existing(
        self, connection: Connection, needs: Sequence[KeyNeed]
    ) -> dict[KeyNeed, tuple[str, bytes]]:
        where, value = any_of(connection, "d.aggregate_id", sorted({n.aggregate_id for n in needs}))
        rows = connection.exec_driver_sql(
            "select d.aggregate_id, d.producer_org, d.part, d.key_id, d.wrapped, d.subject_id,"  # noqa: S608
            " s.kek_id, s.wrapped from data_keys d"
            f" join subject_keys s on s.subject_id = d.subject_id where {where}",
            (value,),
        )
        stored = {tuple(row[:3]): row[3:] for row in rows}
        found = {}
        for need in needs:
            row = stored.get(need[1:])
            if row is not None:
                key_id, wrapped, subject_id, kek_id, subject_wrapped = row
                # After a merge the key stays under the subject it was made for.
                made_for = need._replace(subject_id=subject_id)
                subject = self._subject(subject_id, kek_id, subject_wrapped)
                found[need] = (key_id, unwrap(subject, wrapped, purpose_of(made_for)))
        return found

    def _subjects_for(self, connection: Connection, needs: Sequence[KeyNeed]) -> dict[str, AESGCM]:
        ids = sorted({need.subject_id for need in needs})
        now, fresh = time.time_ns() // 1000, {}
        for one in ids:
            if self._subjects.get(one) is None:
                fresh[one] = secrets.token_bytes(KEY_BYTES)
        wrapped = {one: wrap_named(self._kek, key, one) for one, key in fresh.items()}
        rows = [(one, *wrapped[one], now) for one in fresh]
        columns = "subject_keys (subject_id, kek_id, wrapped, created_at)"
        if len(rows) == len(ids) and _insert_rows(connection, columns, rows):
            return {
                one: self._cached_subject(one, wrapped[one][1], key) for one, key in fresh.items()
            }
        if len(rows) < len(ids):
            _insert_rows(connection, columns, rows)
        # Also those in memory: a subject erased elsewhere has no row, and must not come back.
        where, value = any_of(connection, "subject_id", ids)
        stored = connection.exec_driver_sql(
            f"select subject_id, kek_id, wrapped from subject_keys where {where}",  # noqa: S608
            (value,),
        )
        return {one: self._subject(one, kek_id, sealed) for one, kek_id, sealed in stored}

    def _make(
        self, connection: Connection, needs: Sequence[KeyNeed]
    ) -> dict[KeyNeed, tuple[str, bytes]] | None:
        """Make the keys; None when another process made one of them meanwhile."""
        gone = erased_of(connection, {need.subject_id for need in needs})
        if any((need.subject_id, need.producer_org) in gone for need in needs):
            raise _buried()
        subjects = self._subjects_for(connection, needs)
        now = time.time_ns() // 1000
        rows, made = [], {}
        for need in needs:
            subject = subjects.get(need.subject_id)
            if subject is None:
                raise unusable("de persoon is gewist", "the person was erased")
            key_id, key = uuid7(), secrets.token_bytes(KEY_BYTES)
            rows.append((key_id, *need, wrap(subject, key, purpose_of(need)), now))
            made[need] = (key_id, key)
        columns = "key_id, subject_id, aggregate_id, producer_org, part, wrapped, created_at"
        return made if _insert_rows(connection, f"data_keys ({columns})", rows) else None

    def _subject(self, subject_id: str, kek_id: str, wrapped: bytes) -> AESGCM:
        cached: tuple[bytes, AESGCM] | None = self._subjects.get(subject_id)
        if cached is not None and cached[0] == wrapped:
            return cached[1]
        return self._cached_subject(
            subject_id, wrapped, self._kek.unwrap(kek_id, wrapped, subject_id)
        )

    def _cached_subject(self, subject_id: str, wrapped: bytes, key: bytes) -> AESGCM:
        cipher = AESGCM(key)
        self._subjects.put(subject_id, (wrapped, cipher))
        return cipher

    def _hub_key(self, name: str) -> bytes:
        key: bytes | None = self._named.get(name)
        if key is None:
            key = self._stored_hub_key(name) or self._make_hub_key(name)
            self._named.put(name, key)
        return key

    def _stored_hub_key(self, name: str) -> bytes | None:
        rows = self._read("select kek_id, wrapped from hub_keys where ", "name", (name,))
        return self._kek.unwrap(rows[0][0], rows[0][1], name) if rows else None

    def _make_hub_key(self, name: str) -> bytes:
        with self._engine.begin() as connection:
            make_keys(connection)
            row = (
                name,
                *wrap_named(self._kek, secrets.token_bytes(KEY_BYTES), name),
                time.time_ns() // 1000,
            )
            _insert_rows(connection, "hub_keys (name, kek_id, wrapped, created_at)", [row])
        stored = self._stored_hub_key(name)
        if stored is None:
            raise unusable("een sleutel verdween", "a key vanished")
        return stored

    def _read(self, select: str, column: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        # Not through `engine.begin`: that takes SQLite's write lock, and a reader needs none.
        pooled = self._engine.raw_connection()
        try:
            cursor = pooled.cursor()
            if is_postgres(self._engine):
                cursor.execute(f"{select}{column} = any(%s)", (list(values),))
            else:
                marks = ", ".join("?" * len(values))
                cursor.execute(f"{select}{column} in ({marks})", tuple(values))
            return list(cursor.fetchall())
        finally:
            pooled.close()


def _buried() -> ErasedHere:
    """A refusal and no fault: the same call would find the same for ever."""
    return ErasedHere(
        Message(
            nl="Uw organisatie liet haar gegevens over deze persoon wissen. "
            "Een nieuwe toeleiding begint een nieuw dossier.",
            en="Your organisation had its data about this person erased. "
            "A new referral begins a new case.",
        ),
        leg="lifecycle",
    )


def purpose_of(need: KeyNeed) -> str:
    """What a wrapped data key is bound to."""
    return "\x1f".join(need)


def _insert_rows(connection: Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> bool:
    """Insert what is not there yet; whether all was inserted."""
    if not rows:
        return True
    marks = ", ".join([mark_of(connection)] * len(rows[0]))
    statement = f"insert into {into} values ({marks}) on conflict do nothing"  # noqa: S608
    return connection.exec_driver_sql(statement, list(rows)).rowcount == len(rows)
