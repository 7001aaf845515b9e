"""Rounds in the ledger's store: one page is read, its errands and its place written, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace
from sqlalchemy import text

from gateway.exchange.driver import Insert, Lookup, transaction
from gateway.exchange.rounds import DAY_US, Round, errands
from gateway.exchange.state_rows import loads_offer, loads_trajectory
from gateway.exchange.written import ERRANDS, ROUNDS
from schemas import territory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Engine

    from gateway.exchange.driver import Driver
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.registry import Registry
    from gateway.exchange.state import Trajectory

PAGE = 500
_DUE = text("select id from rounds where due_at <= :now order by due_at, id")
_ONE = Lookup("rounds", "due_at, round", "id", lock=True)
_KEPT = Insert(ROUNDS.table, ROUNDS.columns, "id")

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Round).decode


class RoundStore:
    """The table `rounds`. Raises when the database is down.

    Args:
        reader: of the ledger's store.
        engine: of the ledger's store, writing.
        page: cases of one transaction.
    """

    def __init__(self, reader: Engine, engine: Engine, page: int = PAGE) -> None:
        self._reader = reader
        self._engine = engine
        self._page = page

    def plan(self, rounds: Iterable[Round]) -> None:
        """Write rounds that are not known yet; one that was done is not begun again."""
        rows = [(one.id, one.due_at, _encode(one)) for one in rounds]
        if rows:
            with transaction(self._engine) as driver:
                driver.write((ROUNDS, rows))

    def advance(self, registry: Registry, now: int, enough: int) -> int:
        """Go on with what is due until there are enough errands; how many there are."""
        made = 0
        for one in self._due(now):
            while made < enough:
                found = self._step(one, registry, now)
                if found is None:
                    break
                made += found
        return made

    def _due(self, now: int) -> list[str]:
        with self._reader.connect() as connection:
            return list(connection.execute(_DUE, {"now": now}).scalars())

    def _step(self, round_id: str, registry: Registry, now: int) -> int | None:
        """One page; None when the round is not due any more."""
        with transaction(self._engine) as driver:
            ((row,),) = driver.read((_ONE, [round_id]))
            found = _decode(row[1])
            if row[0] is None or row[0] > now:
                return None  # another gateway was first
            page = self._read(driver, found)
            left = errands(found, (state for _, state in page), registry, now)
            due_at: int | None = found.due_at
            if page:
                found = replace(found, after=page[-1][0])
            elif found.again:
                due_at = now + DAY_US
                found = replace(found, after="", again=found.again - 1, due_at=due_at)
            else:
                due_at = None
            driver.write(
                (_KEPT, [(found.id, due_at, _encode(found))]),
                (ERRANDS, [(one.id, one.due_at, _encode(one)) for one in left]),
            )
            return len(left)

    def _read(self, driver: Driver, found: Round) -> list[tuple[str, Trajectory | Offer]]:
        """The next cases, in the order of their ids."""
        places = territory.codes_within(found.nis) if found.nis else []
        where = f" and territory_nis in ({_marks(places)})" if places else ""
        rows = driver.execute(
            f"select id, state from {found.table} where id > ?{where}"  # noqa: S608 - our own names
            f" and status in ({_marks(found.states)}) order by id limit {self._page}",
            (found.after, *places, *found.states),
        )
        load = loads_offer if found.table == "offers" else loads_trajectory
        return [(one, load(state)) for one, state in rows]


def _marks(values: Iterable[str]) -> str:
    return ", ".join("?" for _ in values)
