"""The sealer: numbers what the ledger accepted as leaves of one Merkle tree, a page at a time.

One at a time, every two seconds, beside the relay; it decides nothing and holds no key. It takes
events that have no leaf by their ids, and writes leaves and nodes in one transaction: killed
anywhere, nothing or all of that is there. The seat spares work; that there is one tree, also when
a seat was lost unnoticed, follows from the leaves' numbers being unique.
`gateway/exchange/heads.py` signs what grew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import structlog
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from consumers import bulk
from gateway.errors import TreeDiffers
from gateway.exchange.driver import is_down
from gateway.exchange.frontier import LEVELS, Frontier, Node, depth_of, edge_of
from gateway.exchange.proof_tables import LEAVES, NODES, UNSEALED
from gateway.exchange.records import any_of
from gateway.exchange.stored_tree import size_of, tree_differs
from schemas.leaf import GENESIS, Leaf

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection, Engine

    from gateway.exchange.seats import Seat

log = structlog.get_logger(__name__)

# One number for every sealer of a database.
SEALER_LOCK: Final = 0x5C4A4B53
CHUNK: Final = 1_000
EVERY_SECONDS: Final = 2.0
BROKEN_SECONDS: Final = 60.0
GIVE_WAY_SECONDS: Final = 0.05
"""Between two chunks on SQLite, where callers wait for the same lock."""


class _Waiting(Struct, frozen=True, gc=False):
    """The columns of a ledger row that its leaf is made of."""

    seq: int
    participant: str
    event_id: str
    recorded_at: int
    decision: str
    agreement_id: str | None
    agreement_hash: str | None
    record_sha256: bytes
    commitment: bytes


_COLUMNS: Final = ", ".join(_Waiting.__struct_fields__)


@dataclass(slots=True)
class _Numbered:
    """What one transaction writes; leaves as rows of their table."""

    event_ids: list[str]
    leaves: list[tuple[int, int, str, int, bytes]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)


class Sealer:
    """One sealer. Used by one thread.

    Args:
        engine: the ledger's store, writing.
        reader: the same store, reading.
        seat: held by the one sealer.

    Attributes:
        seat, stop: as given.
        sealed: leaves numbered by this sealer.
    """

    def __init__(
        self,
        engine: Engine,
        reader: Engine,
        *,
        seat: Seat,
        stop: threading.Event,
        chunk: int = CHUNK,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self.seat = seat
        self.stop = stop
        self._chunk = chunk
        self._frontier: Frontier | None = None
        self._last: dict[str, tuple[int, bytes]] = {}
        self.sealed = 0

    def run(self) -> None:
        """Number until asked to stop; raises what `turn` raises."""
        try:
            while not self.stop.is_set():
                self.stop.wait(self.turn())
        finally:
            self.seat.leave()

    def step(self) -> int:
        """Number one chunk; how many leaves there were.

        Raises:
            TreeDiffers: nodes that the tree must have are missing.
            IntegrityError: another sealer was first; nothing was written.
        """
        with self._reader.connect() as connection:
            frontier = self._frontier or self._loaded(connection)
            rows = self._waiting(connection)
            numbered = self._number(connection, frontier, rows)
        if not rows:
            return 0
        try:
            self._write(numbered)
        except BaseException:
            # The memory is ahead of the tables, or another sealer was: begin from what they say.
            self._forget()
            raise
        self.sealed += len(rows)
        return len(rows)

    def turn(self) -> float:
        """Number one chunk if the seat is ours; the seconds to wait before the next turn.

        Raises nothing that a database which comes back would cure.
        """
        try:
            if not self.seat.take():
                self._forget()
                return EVERY_SECONDS
            return GIVE_WAY_SECONDS if self.step() >= self._chunk else EVERY_SECONDS
        except IntegrityError:
            log.warning("sealer_not_alone")
            self.seat.leave()
        except TreeDiffers as error:
            log.error("sealer_tree_differs", code=error.code)  # noqa: TRY400 - told, not traced
            self._forget()
            return BROKEN_SECONDS
        except Exception as error:
            if not is_down(error):
                raise
            log.warning("sealer_ledger_unavailable", error=type(error).__name__)
            self._forget()
            self.seat.leave()
        return EVERY_SECONDS

    def _forget(self) -> None:
        self._frontier = None
        self._last = {}

    def _loaded(self, connection: Connection) -> Frontier:
        size = size_of(connection)
        edges = [_edge(connection, size, depth) for depth in range(depth_of(size))]
        self._frontier = Frontier(size, edges)
        return self._frontier

    def _waiting(self, connection: Connection) -> list[_Waiting]:
        """Events without a leaf, in the ledger's order."""
        ids = connection.execute(
            select(UNSEALED.c.event_id).order_by(UNSEALED.c.event_id).limit(self._chunk)
        )
        where, value = any_of(connection, "event_id", [one for (one,) in ids])
        statement = f"select {_COLUMNS} from ledger where {where} order by seq"  # noqa: S608
        return [_Waiting(*row) for row in connection.exec_driver_sql(statement, (value,)).all()]

    def _number(
        self, connection: Connection, frontier: Frontier, rows: Sequence[_Waiting]
    ) -> _Numbered:
        self._know(connection, {row.participant for row in rows})
        numbered = _Numbered([row.event_id for row in rows])
        for row in rows:
            count, previous = self._last[row.participant]
            found = leaf_of(row, count + 1, previous).hash()
            self._last[row.participant] = (count + 1, found)
            numbered.leaves.append((frontier.size, row.seq, row.participant, count + 1, found))
            numbered.nodes += frontier.append(found)
        return numbered

    def _know(self, connection: Connection, participants: Iterable[str]) -> None:
        for one in participants:
            if one not in self._last:
                newest = (
                    select(LEAVES.c.count, LEAVES.c.leaf_hash)
                    .where(LEAVES.c.participant == one)
                    .order_by(LEAVES.c.count.desc())
                    .limit(1)
                )
                count, last = connection.execute(newest).first() or (0, GENESIS)
                self._last[one] = (count, bytes(last))

    def _write(self, numbered: _Numbered) -> None:
        nodes = [(one.level, one.index, one.hash) for one in numbered.nodes]
        with self._engine.begin() as connection:
            bulk.insert(connection, LEAVES, numbered.leaves)
            where, value = any_of(connection, "event_id", numbered.event_ids)
            connection.exec_driver_sql(f"delete from unsealed where {where}", (value,))  # noqa: S608
            bulk.insert(connection, NODES, nodes)


def leaf_of(row: Any, count: int, previous: bytes) -> Leaf:
    """The leaf of a ledger row that has the columns of a receipt.

    Args:
        row: with `participant`, `event_id` and so on, as the ledger's columns are called.
        count: its number among the participant's own records.
        previous: leaf hash of the one before.
    """
    return Leaf(
        participant=row.participant,
        count=count,
        previous=previous,
        event_id=row.event_id,
        recorded_at=row.recorded_at,
        decision=row.decision,
        agreement=row.agreement_id,
        agreement_hash=row.agreement_hash,
        record_sha256=bytes(row.record_sha256),
        commitment=bytes(row.commitment),
    )


def _edge(connection: Connection, size: int, depth: int) -> list[bytes]:
    first, end = edge_of(size, depth)
    if depth == 0:
        query = select(LEAVES.c.leaf_hash).where(LEAVES.c.idx >= first, LEAVES.c.idx < end)
        query = query.order_by(LEAVES.c.idx)
    else:
        query = select(NODES.c.hash).where(
            NODES.c.level == depth * LEVELS, NODES.c.idx >= first, NODES.c.idx < end
        )
        query = query.order_by(NODES.c.idx)
    found = [bytes(one) for (one,) in connection.execute(query)]
    if len(found) != end - first:
        raise tree_differs()
    return found
