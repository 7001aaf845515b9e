"""Once a day: destroys the keys of what is not kept any longer, a page of cases at a time.

How far a day's run has got is kept, so that a crash repeats a page at most, which does nothing
twice; several gateways share one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from consumers import disclosures, inbox
from consumers.clock import MICROSECONDS_PER_DAY, date_of, datetime_of
from gateway.exchange import audit
from gateway.exchange.driver import Insert, Lookup, transaction
from gateway.exchange.person_ids import ids_of
from gateway.exchange.retention import Shred, shreds
from gateway.exchange.state_rows import loads_trajectory
from schemas.retention import CASE, DISCLOSURE, INBOX, periods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Engine

    from gateway.exchange.driver import Driver
    from gateway.exchange.key_erasure import KeyEraser
    from gateway.exchange.registry import Registry

PAGE = 200
ACT = "retention.shred"
FINDING = ("blind_index", "likeness", "subject_references")
"""What finds a person; it goes with the last key about them."""
_RUN = Insert(
    "retention_runs",
    (("day", "text"), ("after", "text"), ("keys", "bigint"), ("finished_at", "bigint")),
)
_RUNS = Lookup("retention_runs", "after, keys, finished_at", "day", lock=True)
_FINDING = tuple(Lookup(table, "subject_id", "subject_id") for table in FINDING)
_AGGREGATES = Lookup("aggregates", "trajectory_id, aggregate_id", "trajectory_id")


class RetentionJob:
    """The run of each day; safe in several gateways at once.

    Args:
        ledger: of the ledger's store, writing.
        consumers: of the consumers' store, writing.
        eraser: destroys keys.
        registry: the newest snapshot.
        page: cases of one step.
    """

    def __init__(
        self,
        ledger: Engine,
        consumers: Engine,
        eraser: KeyEraser,
        registry: Callable[[], Registry],
        page: int = PAGE,
    ) -> None:
        self._ledger = ledger
        self._consumers = consumers
        self._eraser = eraser
        self._registry = registry
        self._page = page
        self._finished = ""

    def due(self, now: int) -> Iterator[Shred]:
        """Everything that is over now, whether its keys were destroyed or not; changes nothing."""
        after = ""
        while page := self._cases(after):
            yield from self._shreds([one for one, _ in page], page, now)
            after = page[-1][0]

    def when_due(self, now: int) -> bool:
        """One step of today's run; whether there was one to take."""
        day = date_of(now).isoformat()
        if day == self._finished:
            return False
        with transaction(self._ledger) as driver:
            driver.write((_RUN, [(day, "", 0, None)]))
            ((after, keys, finished_at),) = driver.read((_RUNS, [day]))[0]
        if finished_at is not None:
            self._finished = day
            return False
        page = self._cases(after)
        gone = self._destroy(page, now)
        if page:
            with transaction(self._ledger) as driver:
                _advance(driver, day, page[-1][0], gone)
        else:
            self._finish(day, keys, now)
        return True

    def _cases(self, after: str) -> list[tuple[str, bytes]]:
        with transaction(self._ledger) as driver:
            rows = driver.execute(
                "select id, state from trajectories where id > ? order by id limit ?",
                (after, self._page),
            )
            return [(one, state) for one, state in rows]

    def _shreds(self, ids: list[str], page: list[tuple[str, bytes]], now: int) -> Iterator[Shred]:
        with transaction(self._ledger) as driver:
            (rows,) = driver.read((_AGGREGATES, ids))
        within: dict[str, list[str]] = {one: [one] for one in ids}
        for case, aggregate in rows:
            within[case].append(aggregate)
        for one, state in page:
            yield from shreds(loads_trajectory(state), within[one], self._registry(), now)

    def _destroy(self, page: list[tuple[str, bytes]], now: int) -> int:
        """Destroy what of these cases is over; how many keys. What went before costs one look."""
        found = list(self._shreds([case for case, _ in page], page, now))
        held = self._eraser.held({one for some in found for one in some.aggregate_ids})
        waiting = [one for one in found if any(_is_of(one, key) for key in held)]
        gone = sum(
            self._eraser.shred(
                one.aggregate_ids, now, producer=one.producer, part=one.part
            ).data_keys
            for one in waiting
        )
        self._forget({one.subject_id for one in found if one.what == CASE})
        return gone

    def _forget(self, subject_ids: set[str]) -> None:
        """Take away what finds these persons, under each id of theirs, once nobody has a key.

        Asked of all whose case is over, as a run may have ended after their keys were destroyed.
        """
        if not subject_ids:
            return
        with transaction(self._ledger) as driver:
            persons = set(ids_of(driver, subject_ids).values())
            ids = sorted(one for person in persons for one in person)
            found = {
                one
                for rows in driver.read(*((table, ids) for table in _FINDING))
                for (one,) in rows
            }
            for person in persons:
                if not person.isdisjoint(found) and not self._eraser.holds_any(person):
                    for table in FINDING:
                        driver.delete(table, "subject_id", sorted(person))

    def _finish(self, day: str, keys: int, now: int) -> None:
        """Forget old inbox rows and disclosures, and leave a line when something went."""
        before = {
            what: now - periods()[what].months * 31 * MICROSECONDS_PER_DAY
            for what in (INBOX, DISCLOSURE)
        }
        with self._consumers.begin() as connection:
            rows = inbox.forget(connection, before=before[INBOX])
            lines = disclosures.forget(connection, before=before[DISCLOSURE])
        with self._ledger.begin() as connection:
            done = connection.execute(
                sa.text(
                    "update retention_runs set finished_at = :now"
                    " where day = :day and finished_at is null"
                ),
                {"now": now, "day": day},
            )
            if done.rowcount and (keys or rows or lines):
                reason = f"{keys} keys, {rows} inbox rows, {lines} disclosure lines"
                audit.record(
                    connection, actor=audit.HUB, act=ACT, target=day, reason=reason, now_us=now
                )


def _is_of(one: Shred, key: tuple[str, str, str]) -> bool:
    aggregate, producer, part = key
    return (
        aggregate in one.aggregate_ids
        and one.producer in (None, producer)
        and one.part in (None, part)
    )


def _advance(driver: Driver, day: str, after: str, gone: int) -> None:
    driver.execute(
        "update retention_runs set after = ?, keys = keys + ? where day = ? and after < ?",
        (after, gone, day, after),
    )


def shown(one: Shred) -> dict[str, str | None]:
    """One line of the list of what is over."""
    period = periods()[one.what]
    return {
        "what": one.what,
        "trajectory_id": one.trajectory_id,
        "organisation": one.producer,
        "since": datetime_of(one.since).date().isoformat(),
        "kept_until": period.ends(date_of(one.since)).isoformat(),
    }
