"""Replacing the key-encryption key, so that what was destroyed stays destroyed (architecture §7).

A new key is made current, everything wrapped is wrapped anew a slice at a time, and then the older
keys are destroyed. Events are never touched: their data keys stay what they are.
Killed at any point, the next run goes on from there: what is wrapped under an older key, and which
older keys there still are, is all it needs to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from gateway.exchange import audit, key_state
from gateway.exchange.encryption import unusable, wrap_named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Connection, Engine

    from gateway.exchange.encryption import KeyLife

SLICE = 500
HOUR_US = 3_600_000_000
ROTATE_AFTER_US = 12 * HOUR_US
"""An erasure is complete at most 24 hours later; half of that is left for a hub that was down."""
ACT = "keys.rotate"

_TABLES = (("subject_keys", "subject_id"), ("hub_keys", "name"))


class Rotated(NamedTuple):
    """What a run did: the key that is current now, how much it rewrapped, what it destroyed."""

    current: str
    rewrapped: int
    destroyed: tuple[str, ...]


class KeyRotation:
    """Rotates; several processes at once do it together. Raises SQLAlchemyError, KeysUnusable.

    Args:
        engine: the keys' own store, writing.
        kek: what is replaced.
        ledger: the ledger's store, writing, for the audit line.
        others: rewrap what lies outside the key store, such as the issuer's signing keys.
        slice_size: rows of one transaction.
    """

    def __init__(
        self,
        engine: Engine,
        kek: KeyLife,
        ledger: Engine,
        others: Sequence[Callable[[], None]] = (),
        slice_size: int = SLICE,
    ) -> None:
        self._engine = engine
        self._kek = kek
        self._ledger = ledger
        self._others = others
        self._slice = slice_size

    def is_due(self, now_us: int) -> bool:
        """Whether an erasure has waited long enough, or a rotation was left half done."""
        state = key_state.read_state(self._engine)
        since = state.pending_since
        return (since is not None and now_us >= since + ROTATE_AFTER_US) or len(self._kek.ids()) > 1

    def when_due(self, now_us: int) -> bool:
        """Rotate by the clock, as the hub itself; whether it did."""
        if not self.is_due(now_us):
            return False
        self.run(now_us, actor=audit.HUB, reason="due after an erasure", only_needed=True)
        return True

    def run(
        self,
        now_us: int,
        *,
        actor: str,
        reason: str,
        only_needed: bool = False,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Rotated:
        """Rotate once, or finish what was begun; nothing that was destroyed waits afterwards.

        Args:
            now_us: business time.
            actor: for the audit line.
            reason: for the audit line.
            only_needed: make a new key only when something destroyed waits for it.
            progress: called with (rewrapped, to rewrap) after each slice.
        """
        rewrapped = 0
        destroyed: list[str] = []
        if len(self._kek.ids()) > 1:
            rewrapped, destroyed = self._finish(now_us, progress)
        is_asked = not only_needed and not destroyed
        if is_asked or key_state.read_state(self._engine).is_pending:
            self._renew()
            more, gone = self._finish(now_us, progress)
            rewrapped, destroyed = rewrapped + more, [*destroyed, *gone]
        done = Rotated(self._kek.current_id, rewrapped, tuple(destroyed))
        with self._ledger.begin() as connection:
            audit.record(
                connection, actor=actor, act=ACT, target=done.current, reason=reason, now_us=now_us
            )
        return done

    def _renew(self) -> None:
        with self._engine.begin() as connection:
            key_state.be_alone(connection)
            if len(self._kek.ids()) == 1:  # else another process was first
                self._kek.renew()
                key_state.note_renewal(connection)

    def _finish(self, now_us: int, progress: Callable[[int, int], None]) -> tuple[int, list[str]]:
        whole, done = self._left(), 0
        for table, column in _TABLES:
            while made := self._rewrap(table, column):
                done += made
                progress(done, max(whole, done))
        for rewrap in self._others:
            rewrap()
        with self._engine.begin() as connection:
            key_state.be_alone(connection)
            if any(self._rows(connection, table, column, 1) for table, column in _TABLES):
                raise unusable("er bleven oude verpakkingen over", "old wrappings were left over")
            older = list(self._kek.ids()[:-1])
            for one in older:
                self._kek.destroy(one)
            if older:
                key_state.note_completion(connection, now_us)
        return done, older

    def _left(self) -> int:
        current = self._kek.current_id
        with self._engine.connect() as connection:
            return sum(
                connection.execute(
                    sa.text(f"select count(*) from {table} where kek_id <> :current"),  # noqa: S608 - our own names
                    {"current": current},
                ).scalar_one()
                for table, _ in _TABLES
            )

    def _rewrap(self, table: str, column: str) -> int:
        """One slice in one transaction; how many rows it had."""
        change = sa.text(
            f"update {table} set kek_id = :kek, wrapped = :wrapped"  # noqa: S608 - our own names
            f" where {column} = :name and kek_id = :old"
        )
        with self._engine.begin() as connection:
            key_state.make_keys(connection)
            rows = self._rows(connection, table, column, self._slice)
            for name, old, wrapped in rows:
                key = self._kek.unwrap(old, bytes(wrapped), name)
                kek_id, made = wrap_named(self._kek, key, name)
                values = {"kek": kek_id, "wrapped": made, "name": name, "old": old}
                connection.execute(change, values)
        return len(rows)

    def _rows(self, connection: Connection, table: str, column: str, limit: int) -> Sequence[Any]:
        query = sa.text(
            f"select {column}, kek_id, wrapped from {table}"  # noqa: S608 - our own names
            f" where kek_id <> :current order by {column} limit :limit"
        )
        return connection.execute(query, {"current": self._kek.current_id, "limit": limit}).all()


def holds_keys(keys: Engine, ledger: Engine) -> bool:
    """Whether anything is kept that only the key-encryption key opens."""
    sealed = ((ledger, "signing_keys"), (ledger, "proof_keys"))
    places = ((keys, "subject_keys"), (keys, "hub_keys"), *sealed)
    return any(_has_rows(engine, table) for engine, table in places)


def _has_rows(engine: Engine, table: str) -> bool:
    with engine.connect() as connection:
        query = sa.text(f"select 1 from {table} limit 1")  # noqa: S608 - our own names
        return connection.execute(query).first() is not None
