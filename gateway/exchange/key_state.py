"""What every process agrees on about the key store: who may make keys now, and what was destroyed.

Whoever makes keys shares a lock that whoever destroys or renews takes alone.
So no key is ever made under one that is on its way out, and none comes back after its erasure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection, Engine

KEYS_LOCK = 0x5C4A4B32
"""One arbitrary number, as the migrations have one."""

_STATE = sa.table(
    "key_state",
    *(
        sa.column(name)
        for name in (
            "id", "version", "destroyed", "covered", "completed", "pending_since", "rotated_at"
        )
    ),
)  # fmt: skip
_ERASED = sa.table(
    "erased_keys", *(sa.column(name) for name in ("subject_id", "producer_org", "erased_at"))
)


class KeyState(NamedTuple):
    """The store's one row of state.

    Attributes:
        version: grows with every destruction, so that processes forget what they hold.
        destroyed: how many destructions there were.
        covered: how many of them the current key-encryption key is younger than.
        completed: how many of them no older key-encryption key outlives.
        pending_since: microseconds of the first one that is not completed.
        rotated_at: microseconds of the last completed rotation.
    """

    version: int
    destroyed: int
    covered: int
    completed: int
    pending_since: int | None
    rotated_at: int | None

    @property
    def is_pending(self) -> bool:
        """Whether an older key-encryption key could still undo an erasure."""
        return self.completed < self.destroyed


def make_keys(connection: Connection) -> None:
    """Wait until nobody destroys or renews, and keep them waiting to the transaction's end."""
    _lock(connection, "pg_advisory_xact_lock_shared")


def be_alone(connection: Connection) -> None:
    """Wait until nobody makes keys, and keep them waiting to the transaction's end."""
    _lock(connection, "pg_advisory_xact_lock")


def _lock(connection: Connection, function: str) -> None:
    # A writer's transaction on SQLite has the one write lock already.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f"select {function}(:number)"), {"number": KEYS_LOCK})


def read_state(engine: Engine) -> KeyState:
    """The state now. Takes no write lock; raises SQLAlchemyError when the store is away."""
    # Not through a transaction of the engine: on SQLite that takes the write lock.
    pooled = engine.raw_connection()
    try:
        cursor = pooled.cursor()
        cursor.execute(f"select {', '.join(KeyState._fields)} from key_state")  # noqa: S608
        (row,) = cursor.fetchall()
        pooled.commit()
    finally:
        pooled.close()
    return KeyState(*row)


def state_of(connection: Connection) -> KeyState:
    """The state as this transaction sees it."""
    names = [_STATE.c[name] for name in KeyState._fields]
    return KeyState(*connection.execute(sa.select(*names)).one())


def note_destruction(connection: Connection, now_us: int) -> None:
    """Count one destruction, so that memories are emptied and a rotation follows."""
    connection.execute(
        sa.update(_STATE).values(
            version=_STATE.c.version + 1,
            destroyed=_STATE.c.destroyed + 1,
            pending_since=sa.func.coalesce(_STATE.c.pending_since, now_us),
        )
    )


def note_renewal(connection: Connection) -> None:
    """Everything destroyed until now lies before the key-encryption key that is made now."""
    connection.execute(sa.update(_STATE).values(covered=_STATE.c.destroyed))


def note_completion(connection: Connection, now_us: int) -> None:
    """The older key-encryption keys are gone; what was destroyed meanwhile still waits."""
    state = state_of(connection)
    since = now_us if state.destroyed > state.covered else None
    connection.execute(
        sa.update(_STATE).values(completed=_STATE.c.covered, pending_since=since, rotated_at=now_us)
    )


def bury(connection: Connection, subject_ids: Iterable[str], producer: str, now_us: int) -> None:
    """Keep this organisation's keys about these persons from being made again. Idempotent."""
    known = erased_of(connection, subject_ids)
    rows = [
        {"subject_id": one, "producer_org": producer, "erased_at": now_us}
        for one in sorted(set(subject_ids))
        if (one, producer) not in known
    ]
    if rows:
        connection.execute(sa.insert(_ERASED), rows)


def erased_of(connection: Connection, subject_ids: Iterable[str]) -> set[tuple[str, str]]:
    """Of these persons, which organisation's keys were erased: (subject, organisation)."""
    query = sa.select(_ERASED.c.subject_id, _ERASED.c.producer_org).where(
        _ERASED.c.subject_id.in_(sorted(set(subject_ids)))
    )
    return {(subject, producer) for subject, producer in connection.execute(query)}
