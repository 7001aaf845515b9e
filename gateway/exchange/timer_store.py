"""What waits for its time in the ledger's store: clocks of cases, and errands.

Reads without locks; what it writes about a case it decides under the locks of that case, as the
ledger's writer does, so that neither overwrites what the other has just found out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import bindparam, text

from gateway.exchange.clocks import due_now, next_due
from gateway.exchange.decision import Errand
from gateway.exchange.driver import transaction
from gateway.exchange.reading import CLOCKS as CLOCK_ROWS
from gateway.exchange.reading import OFFERS, TRAJECTORIES
from gateway.exchange.state_rows import loads_offer, loads_trajectory
from gateway.exchange.written import CLOCKS, clock_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import BindParameter
    from sqlalchemy.engine import Engine

    from gateway.exchange.clock import Ground
    from gateway.exchange.driver import Driver
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.state import Trajectory

    State = Trajectory | Offer

_ERRANDS = text("select errand from errands where due_at <= :now order by due_at, id limit :limit")
_DUE = text(
    "select target_id, put_off from clocks where due_at <= :now order by due_at limit :limit"
)
LEFT = text(
    "select (select count(*) from clocks where due_at <= :now),"
    " (select count(*) from errands where due_at <= :now)"
    " + (select count(*) from rounds where due_at <= :now),"
    " (select count(*) from clocks where refused > 0)"
)
_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_TRAJECTORIES = text("select state from trajectories where id in :ids").bindparams(_IDS)
_OFFERS = text("select state from offers where id in :ids").bindparams(_IDS)
HOUR_US = 3_600_000_000
MOST_DOUBLED = 5
"""What was refused is tried again after one hour, then two, up to 32."""

_dumps = msgspec.json.Encoder().encode
_errand = msgspec.json.Decoder(Errand).decode


class PutOff(NamedTuple):
    """Until when a clock waits whose event was refused, and how many times it was."""

    until: int
    refused: int


_put_off = msgspec.json.Decoder(dict[str, PutOff]).decode


class Due(NamedTuple):
    """A case with a clock that is due, and until when others of its clocks wait, by key."""

    state: State
    put_off: dict[str, int]


class Waiting(NamedTuple):
    """How many cases are due, how many errands and rounds, and how many cases were put off."""

    clocks: int
    errands: int
    put_off: int


class TimerStore:
    """The tables `clocks`, `errands` and `clock_sweep`. Raises when the database is down.

    Args:
        reader: of the ledger's store.
        engine: of the ledger's store, writing.
    """

    def __init__(self, reader: Engine, engine: Engine) -> None:
        self._reader = reader
        self._engine = engine

    def errands(self, now: int, limit: int) -> list[Errand]:
        """Errands that are due, the oldest first."""
        with self._reader.connect() as connection:
            rows = connection.execute(_ERRANDS, {"now": now, "limit": limit})
            return [_errand(errand) for (errand,) in rows]

    def due(self, now: int, limit: int) -> list[Due]:
        """Cases with a clock that is due, the longest due first."""
        with self._reader.connect() as connection:
            due = connection.execute(_DUE, {"now": now, "limit": limit})
            waits = {one: _waits(put_off) for one, put_off in due}
            if not waits:
                return []
            ids = list(waits)
            paths = connection.execute(_TRAJECTORIES, {"ids": ids}).scalars()
            offers = connection.execute(_OFFERS, {"ids": ids}).scalars()
            found: list[State] = [loads_trajectory(one) for one in paths]
            found += [loads_offer(one) for one in offers]
        states = {one.id: one for one in found}
        return [Due(states[one], until) for one, until in waits.items() if one in states]

    def waiting(self, now: int) -> Waiting:
        """How much is due."""
        with self._reader.connect() as connection:
            return Waiting(*connection.execute(LEFT, {"now": now}).one())

    def forget(self, errands: Sequence[str]) -> None:
        """Delete errands that were done."""
        if errands:
            with transaction(self._engine) as driver:
                driver.delete("errands", "id", list(errands))

    def delay(self, errands: Sequence[str], now: int) -> None:
        """Try errands again an hour later; the hub failed at them, so they are not forgotten."""
        if errands:
            with transaction(self._engine) as driver:
                for one in errands:
                    driver.execute(
                        "update errands set due_at = ? where id = ?", (now + HOUR_US, one)
                    )

    def put_off(self, target_id: str, clock_id: str, ground: Ground, now: int) -> None:
        """Try a clock again later, the later the more often it was refused; the others go on.

        Nothing is written when it is not due any more by the state as it is under its lock.
        """
        with transaction(self._engine) as driver:
            states, _ = self._lock(driver, [target_id])
            for state in states:
                due = {one.id: one.key for one in due_now(state, ground, now)}
                if clock_id in due:
                    self._write_put_off(driver, state, due[clock_id], ground, now)

    def _write_put_off(
        self, driver: Driver, state: State, key: str, ground: Ground, now: int
    ) -> None:
        rows = driver.execute("select put_off from clocks where target_id = ?", (state.id,))
        waiting = {one: put for (stored,) in rows for one, put in _loads(stored).items()}
        refused = waiting[key].refused if key in waiting else 0
        waiting[key] = PutOff(now + (HOUR_US << min(refused, MOST_DOUBLED)), refused + 1)
        due = next_due(state, ground, {one: put.until for one, put in waiting.items()})
        driver.write((CLOCKS, [(state.id, due, len(waiting), _dumps(waiting))]))

    def derive(self, targets: Sequence[str], ground: Ground) -> None:
        """Write anew when the earliest clock of these cases is due; what was put off is tried."""
        with transaction(self._engine) as driver:
            states, known = self._lock(driver, targets)
            found = [(one.id, next_due(one, ground)) for one in states]
            driver.write((CLOCKS, clock_rows(found, known)))

    def every_case(self, page: int) -> Iterator[list[str]]:
        """The ids of all trajectories and offers, a page at a time."""
        for table in ("trajectories", "offers"):
            query = text(f"select id from {table} where id > :after order by id limit :page")  # noqa: S608 - our own names
            after = ""
            while True:
                with self._reader.connect() as connection:
                    values = {"after": after, "page": page}
                    ids = list(connection.execute(query, values).scalars())
                if not ids:
                    break
                yield ids
                after = ids[-1]

    def swept_under(self) -> str | None:
        """Under which rules every row was last derived."""
        with self._reader.connect() as connection:
            row = connection.execute(text("select rules from clock_sweep where id = 1"))
            found: str | None = row.scalar()
            return found

    def sweep_done(self, rules: str) -> None:
        """Note that every row was derived under these rules."""
        with transaction(self._engine) as driver:
            driver.execute(
                "insert into clock_sweep (id, rules) values (1, ?)"
                " on conflict (id) do update set rules = excluded.rules",
                (rules,),
            )

    def _lock(
        self, driver: Driver, targets: Sequence[str]
    ) -> tuple[list[State], dict[str, tuple[int | None, int]]]:
        ids = list(targets)
        paths, offers, dues = driver.read((TRAJECTORIES, ids), (OFFERS, ids), (CLOCK_ROWS, ids))
        states: list[State] = [loads_trajectory(state) for _, state in paths]
        states += [loads_offer(state) for _, state in offers]
        return states, {one: (due, refused) for one, due, refused in dues}


def _loads(stored: bytes | None) -> dict[str, PutOff]:
    return {} if stored is None else _put_off(stored)


def _waits(stored: bytes | None) -> dict[str, int]:
    return {one: put.until for one, put in _loads(stored).items()}
