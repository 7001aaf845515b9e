"""What waits for its time in the ledger's store: clocks of cases, and errands.

Reads without locks; what it writes about a case it decides under the locks of that case, as the
ledger's writer does, so that neither overwrites what the other has just found out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
from sqlalchemy import bindparam, text

from gateway.exchange.clocks import next_due
from gateway.exchange.decision import Errand
from gateway.exchange.driver import transaction
from gateway.exchange.reading import CLOCKS as CLOCK_ROWS
from gateway.exchange.reading import OFFERS, TRAJECTORIES
from gateway.exchange.state_rows import loads_offer, loads_trajectory
from gateway.exchange.written import CLOCKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import BindParameter
    from sqlalchemy.engine import Engine

    from gateway.exchange.clock import Ground
    from gateway.exchange.driver import Driver
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.state import Trajectory

    State = Trajectory | Offer

_ERRANDS = text("select errand from errands where due_at <= :now order by due_at, id limit :limit")
_DUE = text("select target_id from clocks where due_at <= :now order by due_at limit :limit")
_LEFT = text(
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

_errand = msgspec.json.Decoder(Errand).decode


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

    def due(self, now: int, limit: int) -> list[State]:
        """The states of cases with a clock that is due, the longest due first."""
        with self._reader.connect() as connection:
            due = connection.execute(_DUE, {"now": now, "limit": limit})
            ids = list(due.scalars())
            if not ids:
                return []
            paths = connection.execute(_TRAJECTORIES, {"ids": ids}).scalars()
            offers = connection.execute(_OFFERS, {"ids": ids}).scalars()
            found: list[State] = [loads_trajectory(one) for one in paths]
            found += [loads_offer(one) for one in offers]
        place = {one: number for number, one in enumerate(ids)}
        return sorted(found, key=lambda one: place[one.id])

    def waiting(self, now: int) -> Waiting:
        """How much is due."""
        with self._reader.connect() as connection:
            return Waiting(*connection.execute(_LEFT, {"now": now}).one())

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

    def put_off(self, target_id: str, is_due: Callable[[State], bool], now: int) -> None:
        """Try a case again later, the later the more often it was refused.

        Args:
            target_id: the trajectory or offer.
            is_due: whether the state, read under its lock, is still due for what was refused.
            now: business time.
        """
        with transaction(self._engine) as driver:
            states, _ = self._lock(driver, [target_id])
            if not any(is_due(one) for one in states):
                return
            refused = 0
            for (before,) in driver.execute(
                "select refused from clocks where target_id = ?", (target_id,)
            ):
                refused = before
            until = now + (HOUR_US << min(refused, MOST_DOUBLED))
            driver.write((CLOCKS, [(target_id, until, refused + 1)]))

    def derive(self, targets: Sequence[str], ground: Ground) -> None:
        """Write anew when the earliest clock of these cases is due."""
        with transaction(self._engine) as driver:
            states, known = self._lock(driver, targets)
            found = [(one.id, next_due(one, ground)) for one in states]
            driver.write((CLOCKS, [(*one, 0) for one in found if one[1] != known.get(one[0])]))

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
    ) -> tuple[list[State], dict[str, int | None]]:
        ids = list(targets)
        paths, offers, dues = driver.read((TRAJECTORIES, ids), (OFFERS, ids), (CLOCK_ROWS, ids))
        states: list[State] = [loads_trajectory(state) for _, state in paths]
        states += [loads_offer(state) for _, state in offers]
        return states, dict(dues)
