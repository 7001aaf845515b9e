"""Orders to erase in the ledger's store: found, kept, and what they take away there.

Each call is one transaction; everything raises the driver's errors when the database is down.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import orjson

from consumers.database import is_postgres
from gateway.exchange.driver import Insert, Lookup, transaction
from gateway.exchange.erasure import Erasure, Told, dumps, loads
from gateway.exchange.person_ids import ids_of
from gateway.exchange.state_rows import loads_trajectory
from gateway.exchange.written import AUDIT, ERRANDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Engine

    from gateway.exchange.decision import Errand
    from gateway.exchange.driver import Driver
    from gateway.exchange.state import Trajectory

_ROWS = Insert(
    "erasures",
    (("id", "text"), ("organisation", "text"), ("stage", "text"), ("due_at", "bigint"),
     ("ordered_at", "bigint"), ("erasure", "bytea")),
    "id",
)  # fmt: skip
_TOLD = Insert(
    "erasure_told",
    (("erasure_id", "text"), ("participant", "text"), ("told_at", "bigint"),
     ("confirmed_at", "bigint"), ("reminded", "int")),
)  # fmt: skip
_DUE = "select id from erasures where due_at <="
_ONE = Lookup("erasures", "erasure", "id", lock=True)
_CASES = Lookup("trajectories", "id, state", "id")
_OF_SUBJECT = Lookup("trajectories", "id, state", "subject_id")
_SENT = Lookup("ledger", "sender_key", "sender_key")
_WAITING = Lookup("errands", "id", "id")
_DIGESTS = Lookup("blind_index", "digest, kind, participant", "subject_id")
_REFERENCES = Lookup("subject_references", "reference, participant", "subject_id")
_json = msgspec.json.Encoder().encode
_NOTICES = Lookup("ledger", "event_id, event_name, sender_key", "event_id")


class ErasureStore:
    """The tables `erasures` and `erasure_told`, and the rows of a person beside the ledger.

    Args:
        engine: of the ledger's store, writing.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def person_of(self, trajectory_id: str) -> tuple[str, ...]:
        """The ids under which the hub knows the person of a case; none when there is no case."""
        with transaction(self._engine) as driver:
            (cases,) = driver.read((_CASES, [trajectory_id]))
            persons = ids_of(driver, {loads_trajectory(state).subject_id for _, state in cases})
            return tuple(sorted(one for ids in persons.values() for one in ids))

    def cases_of(self, subject_ids: Sequence[str], organisation: str) -> list[Trajectory]:
        """The person's cases on which something of the organisation's was recorded."""
        with transaction(self._engine) as driver:
            (rows,) = driver.read((_OF_SUBJECT, list(subject_ids)))
            return [
                loads_trajectory(state)
                for case, state in sorted(rows)
                if driver.execute(
                    "select 1 from ledger where trajectory_id = ? and producer_org = ?"
                    " and event_name <> 'subject.erased' limit 1",
                    (case, organisation),
                )
            ]

    def events_of(self, erasure: Erasure) -> dict[str, int]:
        """How many events of each type were sealed under the controller."""
        with transaction(self._engine) as driver:
            found: Counter[str] = Counter()
            for case in erasure.trajectory_ids:
                rows = driver.execute(
                    "select event_name, count(*) from ledger where trajectory_id = ?"
                    " and producer_org = ? and event_name <> 'subject.erased'"
                    " group by event_name",
                    (case, erasure.organisation),
                )
                found.update(dict(rows))
            return dict(sorted(found.items()))

    def add(
        self, erasure: Erasure, told: Iterable[Told], errands: Iterable[Errand], reason: str
    ) -> bool:
        """Keep a new order with its first announcement and its audit line; False when known."""
        with transaction(self._engine) as driver:
            (known,) = driver.read((_ONE, [erasure.id]))
            if known:
                return False
            line = (erasure.ordered_at, erasure.client_id, "subject.erase", erasure.id, reason)
            driver.write((_ROWS, [_row(erasure, erasure.ordered_at)]), (AUDIT, [line]))
            _announce(driver, erasure, told, errands)
            return True

    def find(self, erasure_id: str) -> Erasure | None:
        """One order."""
        with transaction(self._engine) as driver:
            (rows,) = driver.read((_ONE, [erasure_id]))
            return loads(rows[0][0]) if rows else None

    def behind_notice(self, event_id: str) -> str | None:
        """The order that a `subject.erased` of this event id tells of."""
        with transaction(self._engine) as driver:
            (rows,) = driver.read((_NOTICES, [event_id]))
            for _, name, key in rows:
                if name == "subject.erased":
                    return str(key.split(":")[1])
        return None

    def due(self, now: int) -> list[str]:
        """Orders that something is to be done about."""
        # Asked every second: a transaction of the engine would take SQLite's write lock for it.
        mark = "%s" if is_postgres(self._engine) else "?"
        pooled = self._engine.raw_connection()
        try:
            cursor = pooled.cursor()
            cursor.execute(f"{_DUE} {mark} order by due_at, id limit 100", (now,))
            found = [one for (one,) in cursor.fetchall()]
            pooled.commit()
        finally:
            pooled.close()
        return found

    def listed(self, organisation: str, participant: str) -> list[tuple[Erasure, bool]]:
        """What the organisation ordered (True), and what its participant was told of (False)."""
        with transaction(self._engine) as driver:
            ordered = driver.execute(
                "select erasure from erasures where organisation = ?"
                " order by ordered_at desc limit 500",
                (organisation,),
            )
            told = driver.execute(
                "select e.erasure from erasure_told t join erasures e on e.id = t.erasure_id"
                " where t.participant = ? order by t.told_at desc limit 500",
                (participant,),
            )
            return [(loads(row), True) for (row,) in ordered] + [
                (loads(row), False) for (row,) in told
            ]

    def told(self, erasure_id: str) -> list[Told]:
        """The receivers of an order, by id."""
        with transaction(self._engine) as driver:
            rows = driver.execute(
                "select participant, told_at, confirmed_at, reminded from erasure_told"
                " where erasure_id = ? order by participant",
                (erasure_id,),
            )
            return [Told(*row) for row in rows]

    def is_announced(self, erasure: Erasure, ids: Sequence[str]) -> bool | None:
        """Whether these errands were recorded; None when one was refused."""
        keys = {f"hub/{one}" for one in ids}
        with transaction(self._engine) as driver:
            waiting, sent = driver.read((_WAITING, list(ids)), (_SENT, sorted(keys)))
        if waiting or erasure.stage != "announcing":
            return not waiting
        return True if keys == {key for (key,) in sent} else None

    def keep(
        self,
        erasure: Erasure,
        due_at: int | None,
        told: Iterable[Told] = (),
        errands: Iterable[Errand] = (),
    ) -> None:
        """Note how far it is, with another announcement if there is one."""
        with transaction(self._engine) as driver:
            driver.write((_ROWS, [_row(erasure, due_at)]))
            _announce(driver, erasure, told, errands)

    def confirm(self, erasure_id: str, participant: str, now: int) -> bool:
        """Note a receipt, once; False when this participant was never told."""
        with transaction(self._engine) as driver:
            known = driver.execute(
                "select confirmed_at from erasure_told where erasure_id = ? and participant = ?",
                (erasure_id, participant),
            )
            if known and known[0][0] is None:
                driver.execute(
                    "update erasure_told set confirmed_at = ?"
                    " where erasure_id = ? and participant = ?",
                    (now, erasure_id, participant),
                )
                driver.execute(
                    "update erasures set due_at = ? where id = ? and stage = 'waiting'",
                    (now, erasure_id),
                )
            return bool(known)

    def clear(self, erasure: Erasure, after: Erasure, due_at: int, *, is_last: bool) -> None:
        """Take away what finds the person for the controller, and note how far it is.

        Traits go whoever brought them; an INSZ's digest stays while others have data.
        """
        own = set(erasure.own)
        with transaction(self._engine) as driver:
            digests, references = driver.read(
                (_DIGESTS, list(erasure.subject_ids)), (_REFERENCES, list(erasure.subject_ids))
            )
            gone = [one for one, _, who in digests if is_last or who in own]
            named = [one for one, who in references if is_last or who in own]
            driver.delete("blind_index", "digest", gone)
            driver.delete("likeness", "subject_id", list(erasure.subject_ids))
            driver.delete("subject_references", "reference", named)
            driver.delete("idempotency", "key", _answers(driver, erasure))
            driver.write((_ROWS, [_row(after, due_at)]))


def _row(erasure: Erasure, due_at: int | None) -> tuple[object, ...]:
    head = (erasure.id, erasure.organisation, erasure.stage)
    return (*head, due_at, erasure.ordered_at, dumps(erasure))


def _announce(
    driver: Driver, erasure: Erasure, told: Iterable[Told], errands: Iterable[Errand]
) -> None:
    for one in told:
        driver.write((_TOLD, [(erasure.id, *one)]))
        driver.execute(
            "update erasure_told set reminded = ? where erasure_id = ? and participant = ?",
            (one.reminded, erasure.id, one.participant),
        )
    driver.write((ERRANDS, [(one.id, one.due_at, _json(one)) for one in errands]))


def _answers(driver: Driver, erasure: Erasure) -> list[str]:
    """Kept answers of the controller that name one of its events in these cases."""
    ids: set[str] = set()
    for case in erasure.trajectory_ids:
        rows = driver.execute(
            "select event_id from ledger where trajectory_id = ? and producer_org = ?",
            (case, erasure.organisation),
        )
        ids.update(one for (one,) in rows)
    found = []
    for participant in erasure.own:
        # The ids of participants hold nothing that `like` reads as a pattern.
        rows = driver.execute(
            "select key, answer from idempotency where key like ?", (f"{participant}/%",)
        )
        found += [key for key, answer in rows if _named(answer) & ids]
    return found


def _named(answer: bytes) -> set[str]:
    return {one["event_id"] for one in orjson.loads(answer) if "event_id" in one}
