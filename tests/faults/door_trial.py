"""Cases with three readers each, at three doors, while what writes to the doors is killed.

The seed decides who reads which case, which process is killed when, and whose agreement is revoked
in the middle; how long things take decides the rest.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.errors import HubUnavailable
from consumers.log import LogConsumer, LogUnavailable
from gateway.exchange import records
from tests.e2e.running_hub import OCMW, event, referral
from tests.faults.door_checker import Doors, door_violations
from tests.faults.door_world import PATIENCE_SECONDS, document, readers, urn_of
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.answers import ItemAnswer
    from connectors.client import HubClient
    from tests.faults.checker import Violation
    from tests.faults.door_world import DoorHub

WORKERS = ("kafka", "gateway", "deliver", "kafka-door")
DOOR_OF = {"deliver": "webhook", "kafka-door": "kafka", "kafka": "kafka"}
"""Where a killed process may write again what it had written."""
CASE_EVENTS = 20
CASES_AT_ONCE = 10
REVOKED_AT = 0.6
"""Share of the events after which agreements are revoked, one at each door."""
PAUSE_SECONDS = 0.1
EVENTS_A_SECOND = 50
"""What a loaded machine gives to three readers each, at the very least."""
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class _Case:
    """A case, who reads it, and to whom it is referred."""

    number: int
    target: str
    others: tuple[str, ...]

    @property
    def readers(self) -> frozenset[str]:
        return frozenset({self.target, *self.others})


@dataclass
class DoorTrial:
    """One run.

    Args:
        world: a hub of its own.
        seed: decides all that is left to chance.
        events: how many contacts are told to three readers each; a multiple of 20.
        rounds: how often each process is killed.
        limit_us: how long after its agreement ended something may be rendered for a reader.
    """

    world: DoorHub
    seed: int
    events: int
    rounds: int = 1
    limit_us: int = 2_000_000
    acknowledged: set[str] = field(default_factory=set)
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    ended: dict[str, int] = field(default_factory=dict)
    seen: Doors = field(init=False)
    _failed: list[str] = field(default_factory=list)
    _done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> list[Violation]:
        """Publish, kill, revoke, and wait until everything has come; what is wrong."""
        threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._publish, self._disturb, self._revoke, self._read_feeds)
        ]
        for one in threads:
            one.start()
        for one in threads[:3]:
            one.join()
        assert not self._failed, self._failed
        self.seen = self._settled()
        self._done.set()
        threads[3].join()
        assert not self._failed, self._failed
        return door_violations(self.seen)

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - the edge of a thread: the trial has to know
            self._failed.append(f"{work.__name__}: {type(error).__name__}: {error}")

    def _publish(self) -> None:
        chance = self._chance("cases")
        many = -(-self.events // CASE_EVENTS)
        with self.world.client(OCMW) as client:
            for first in range(0, many, CASES_AT_ONCE):
                numbers = range(first, min(first + CASES_AT_ONCE, many))
                cases = [self._case(number, chance) for number in numbers]
                names = self._opened(client, cases)
                for _ in range(CASE_EVENTS):
                    sent = [_contact(name) for name in names]
                    for answer in self._until_recorded(client, sent):
                        assert answer.receipt is not None
                        self.acknowledged.add(answer.receipt.event_id)

    def _case(self, number: int, chance: random.Random) -> _Case:
        """One reader at each door; none is referred to whose agreement will end."""
        by_door: dict[str, list[str]] = {}
        for reader, door in readers().items():
            by_door.setdefault(door, []).append(reader)
        while True:
            chosen = [chance.choice(found) for found in by_door.values()]
            targets = [one for one in chosen if one not in self._to_end()]
            if targets:
                target = chance.choice(targets)
                return _Case(number, target, tuple(one for one in chosen if one != target))

    def _to_end(self) -> frozenset[str]:
        """The first reader at each door."""
        return frozenset(one for one in readers() if one.endswith("-1"))

    def _opened(self, client: HubClient, cases: Sequence[_Case]) -> list[str]:
        """Refer these people and let the readers look; the trajectories."""
        sent = []
        for case in cases:
            made = referral(case.number)
            made["data"]["target_org"] = urn_of(case.target)
            made["data"]["person"]["family_name"] = f"Testers{case.number}"
            sent.append(made)
        names = []
        for case, answer in zip(cases, self._until_recorded(client, sent), strict=True):
            assert answer.receipt is not None
            name = str(answer.receipt.trajectory_id)
            self.readers[name] = case.readers
            names.append(name)
        rights = [
            event(
                "trajectory.viewing_right_granted",
                OCMW,
                {"participant": one, "ground": "case_conference"},
                trajectoryid=name,
            )
            for case, name in zip(cases, names, strict=True)
            for one in case.others
        ]
        self._until_recorded(client, rights)
        return names

    def _until_recorded(
        self, client: HubClient, sent: list[dict[str, Any]]
    ) -> tuple[ItemAnswer, ...]:
        """Send the same batch until all of it is in the ledger."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answers = client.publish_batch(sent)
            except HubUnavailable:
                assert time.monotonic() < deadline, "the hub takes nothing any more"
                time.sleep(PAUSE_SECONDS)
                continue
            refused = [one for one in answers if not one.is_recorded]
            assert not refused, refused[0]
            return answers

    def _disturb(self) -> None:
        """Kill each process so often, each at an instant that the seed decides."""
        chance = self._chance("kills")
        plan = sorted((chance.uniform(0.05, 0.95), one) for one in WORKERS * self.rounds)
        for share, name in plan:
            self._wait_for(share)
            self._kill(name)

    def _kill(self, name: str) -> None:
        """Kill it as soon as it runs; what was killed just before is being started again."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.world.hub.kill(name)
            except (ProcessLookupError, FileNotFoundError, ValueError):
                assert time.monotonic() < deadline, f"{name} was not started again"
                time.sleep(PAUSE_SECONDS)
            else:
                self.killed[name] += 1
                return

    def _revoke(self) -> None:
        self._wait_for(REVOKED_AT)
        at = self.world.apply(document(self._to_end()))
        self.ended = dict.fromkeys(self._to_end(), at)

    def _wait_for(self, share: float) -> None:
        while len(self.acknowledged) < share * self.events and not self._failed:
            time.sleep(0.02)

    def _read_feeds(self) -> None:
        names = [one for one, door in readers().items() if door == "feed"]
        clients = {one: self.world.client(one) for one in names}
        after: dict[str, str | None] = dict.fromkeys(names)
        while not self._done.is_set():
            for name, client in clients.items():
                try:
                    page = client.feed(after[name], limit=200)
                except HubUnavailable:
                    time.sleep(PAUSE_SECONDS)
                    continue
                self.world.take(name, *(one.id for one in page.events))
                after[name] = page.next or after[name]
            self._done.wait(0.2)
        for client in clients.values():
            client.close()

    def _settled(self) -> Doors:
        """What is to be judged, once nothing is lost any more or patience is over."""
        names = [one for one, door in readers().items() if door == "kafka"]
        topics = [f"out.{one}.v1" for one in names]
        admin = self.world.settings.log_settings("admin")
        self.world.wait_for_kafka()
        consumer = LogConsumer(admin, topics, "faults.doors", "one")
        deadline = time.monotonic() + PATIENCE_SECONDS + self.events / EVENTS_A_SECOND
        try:
            while True:
                self._take_from(consumer)
                seen = self._seen()
                is_lost = any(one.invariant == "D1 lost" for one in door_violations(seen))
                if not is_lost or self._failed or time.monotonic() > deadline:
                    return seen
        finally:
            consumer.close()

    def _take_from(self, consumer: LogConsumer) -> None:
        """Everything that is in the topics now."""
        try:
            while found := consumer.poll(1.0):
                for one in found:
                    reader = one.topic.removeprefix("out.").removesuffix(".v1")
                    self.world.take(reader, dict(one.headers)["ce_id"].decode())
        except LogUnavailable:
            time.sleep(PAUSE_SECONDS)

    def _seen(self) -> Doors:
        rows, excluded = self._ledger()
        stopped, rendered = self._consumers()
        return Doors(
            rows=rows,
            acknowledged=frozenset(self.acknowledged),
            readers=dict(self.readers),
            door=readers(),
            came={name: list(ids) for name, ids in self.world.came.items()},
            kills=self._kills(),
            ended=dict(self.ended),
            rendered=rendered,
            stopped=stopped | excluded,
            limit_us=self.limit_us,
        )

    def _kills(self) -> dict[str, int]:
        """How often one of the processes was killed that write to each door."""
        found: Counter[str] = Counter()
        for name, times in self.killed.items():
            if name in DOOR_OF:
                found[DOOR_OF[name]] += times
        return dict(found)

    def _ledger(self) -> tuple[list[tuple[str, str]], frozenset[tuple[str, str]]]:
        """Every row, and whom an agreement that had ended left out."""
        query = "select event_id from ledger order by seq"
        with (
            opened(self.world.settings.stores.ledger, read_only=True) as engine,
            engine.connect() as connection,
        ):
            ids = [str(one) for one in connection.exec_driver_sql(query).scalars()]
            found = {
                one.event_id: one
                for first in range(0, len(ids), ROWS_AT_ONCE)
                for one in records.rows_by_ids(
                    connection, ids[first : first + ROWS_AT_ONCE]
                ).values()
            }
        rows = [(one, str(found[one].trajectory_id)) for one in ids]
        excluded = frozenset(
            (to.participant, one)
            for one in ids
            for to in found[one].recipients
            if to.excluded is not None
        )
        return rows, excluded

    def _consumers(self) -> tuple[frozenset[tuple[str, str]], list[tuple[str, str, int]]]:
        """What the inboxes say is stopped or was not sent, and when what was rendered for whom."""
        stopped = (
            "select i.participant, i.event_id from inbox i"
            " left join kafka_positions k on k.participant = i.participant"
            " where i.stopped_leg is not null or i.seq > k.seq"
        )
        rendered = "select participant, event_id, disclosed_at from disclosures"
        with (
            opened(self.world.settings.stores.consumers, read_only=True) as engine,
            engine.connect() as connection,
        ):
            return (
                frozenset((one[0], one[1]) for one in connection.exec_driver_sql(stopped)),
                [(one[0], one[1], one[2]) for one in connection.exec_driver_sql(rendered)],
            )

    def _chance(self, about: str) -> random.Random:
        return random.Random(f"{self.seed}/{about}")  # noqa: S311 - to be repeated


def _contact(trajectory: str) -> dict[str, Any]:
    data = {"kind": "phone", "on": "2026-11-01", "duration_min": 10, "signal": "none"}
    return event("guidance.contact_recorded", OCMW, data, trajectoryid=trajectory)
