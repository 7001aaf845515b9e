"""Destroying data keys, so that what they sealed opens nowhere any more (architecture §7).

Whoever keeps keys of the same person gets them wrapped anew under a fresh person's key.
The old one is left in copies that only an older key-encryption key unwraps, and rotation destroys
that one: from then on no copy of a destroyed key, in whatever file or log, can be opened.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.exchange.encryption import KEY_BYTES, unwrap, wrap, wrap_named
from gateway.exchange.key_state import be_alone, bury, note_destruction
from gateway.exchange.keys import KeyNeed, purpose_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sqlalchemy.engine import Connection, Engine

    from gateway.exchange.encryption import KeyEncryption

_DATA = sa.table(
    "data_keys",
    *(sa.column(one) for one in ("key_id", *KeyNeed._fields, "wrapped")),
)
_SUBJECTS = sa.table(
    "subject_keys", *(sa.column(one) for one in ("subject_id", "kek_id", "wrapped"))
)


class Destroyed(NamedTuple):
    """What one destruction did.

    Attributes:
        data_keys: how many were destroyed.
        subject_keys: persons of whom no organisation has a key left.
        kept: data keys of others about these persons, which still open.
    """

    data_keys: int = 0
    subject_keys: int = 0
    kept: int = 0


class KeyEraser:
    """Destroys keys in the key store; everything raises SQLAlchemyError when it is away.

    Args:
        engine: the keys' own store, writing.
        kek: the key-encryption key.
        forget: empties this process's own memory of keys, so that what it has just destroyed
            opens here no more; other processes hear of it by their `KeyWatch`.
    """

    def __init__(
        self, engine: Engine, kek: KeyEncryption, forget: Callable[[], None] = lambda: None
    ) -> None:
        self._engine = engine
        self._kek = kek
        self._forget = forget

    def erase(self, subject_ids: Collection[str], producer: str, now_us: int) -> Destroyed:
        """Destroy one organisation's keys about these persons, and let none be made again.

        One durable commit. Done again it destroys nothing more.
        """
        with self._engine.begin() as connection:
            be_alone(connection)
            bury(connection, subject_ids, producer, now_us)
            which = sa.and_(
                _DATA.c.subject_id.in_(sorted(subject_ids)), _DATA.c.producer_org == producer
            )
            destroyed = self._destroy(connection, which, now_us)
        self._forget()
        return destroyed

    def shred(
        self,
        aggregate_ids: Collection[str],
        now_us: int,
        *,
        producer: str | None = None,
        part: str | None = None,
    ) -> Destroyed:
        """Destroy the keys of these aggregates, of one organisation or part when it is named.

        New events of theirs get new keys. One durable commit, and idempotent.
        """
        with self._engine.begin() as connection:
            be_alone(connection)
            which: Any = _DATA.c.aggregate_id.in_(sorted(aggregate_ids))
            if producer is not None:
                which = sa.and_(which, _DATA.c.producer_org == producer)
            if part is not None:
                which = sa.and_(which, _DATA.c.part == part)
            destroyed = self._destroy(connection, which, now_us)
        self._forget()
        return destroyed

    def holds_any(self, subject_ids: Collection[str]) -> bool:
        """Whether any organisation still has a key about these persons."""
        with self._engine.begin() as connection:
            query = sa.select(_DATA.c.key_id).where(_DATA.c.subject_id.in_(sorted(subject_ids)))
            return connection.execute(query.limit(1)).first() is not None

    def held(self, aggregate_ids: Collection[str]) -> set[tuple[str, str, str]]:
        """Whose keys of these aggregates there are: (aggregate, organisation, part)."""
        where = _DATA.c.aggregate_id.in_(sorted(aggregate_ids))
        query = sa.select(_DATA.c.aggregate_id, _DATA.c.producer_org, _DATA.c.part).where(where)
        with self._engine.connect() as connection:
            return {(row[0], row[1], row[2]) for row in connection.execute(query)}

    def _destroy(self, connection: Connection, which: Any, now_us: int) -> Destroyed:
        found = connection.execute(sa.select(_DATA.c.key_id, _DATA.c.subject_id).where(which)).all()
        subjects = sorted({subject for _, subject in found})
        if not found:
            return Destroyed()
        connection.execute(sa.delete(_DATA).where(which))
        kept = [self._rekey(connection, one) for one in subjects]
        note_destruction(connection, now_us)
        return Destroyed(len(found), sum(1 for one in kept if not one), sum(kept))

    def _rekey(self, connection: Connection, subject_id: str) -> int:
        """Put what is left of a person under a fresh key; how many keys that are."""
        left = connection.execute(sa.select(_DATA).where(_DATA.c.subject_id == subject_id)).all()
        where = _SUBJECTS.c.subject_id == subject_id
        if not left:
            connection.execute(sa.delete(_SUBJECTS).where(where))
            return 0
        row = connection.execute(
            sa.select(_SUBJECTS.c.kek_id, _SUBJECTS.c.wrapped).where(where)
        ).one()
        old = AESGCM(self._kek.unwrap(row.kek_id, bytes(row.wrapped), subject_id))
        made = secrets.token_bytes(KEY_BYTES)
        new = AESGCM(made)
        for one in left:
            purpose = purpose_of(KeyNeed(*one[1:5]))
            wrapped = wrap(new, unwrap(old, bytes(one.wrapped), purpose), purpose)
            connection.execute(
                sa.update(_DATA).where(_DATA.c.key_id == one.key_id).values(wrapped=wrapped)
            )
        kek_id, wrapped = wrap_named(self._kek, made, subject_id)
        connection.execute(sa.update(_SUBJECTS).where(where).values(kek_id=kek_id, wrapped=wrapped))
        return len(left)
