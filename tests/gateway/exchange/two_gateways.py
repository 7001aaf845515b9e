"""Two gateways on one PostgreSQL: their processes, what they publish, and how one is held up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import orjson
import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0
CASES, PEOPLE, CONTACTS, PER_REQUEST = 10, 4, 120, 3
# Not the relay's and not the migrations' number.
HOLD_LOCK = 0x5C4A4BFF
NUDGE = threading.Event()

Event = dict[str, Any]
Request = list[Event]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a gateway said about one event; `sent` is the sender's id."""

    sent: str
    status: str
    code: str | None
    event_id: str | None


class Gateway:
    """A gateway process that this one talks to; its answers are collected as they come."""

    def __init__(self, url: str, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.gateway.exchange.writing_gateway", url, str(folder)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._changed = threading.Condition()
        self._asked = self._done = 0
        self._ready = self._ended = False
        self._answers: list[Answer] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The process id, which its database sessions are named after."""
        return self._process.pid

    @property
    def answers(self) -> list[Answer]:
        """Everything answered until now."""
        with self._changed:
            return list(self._answers)

    @property
    def is_busy(self) -> bool:
        """Whether something handed in was not finished yet."""
        with self._changed:
            return self._done < self._asked and not self._ended

    @property
    def is_unfinished(self) -> bool:
        """Whether it ended before it had answered everything."""
        with self._changed:
            return self._done < self._asked and self._ended

    def publish(self, requests: list[Request]) -> None:
        """Hand requests in; does not wait for the answers."""
        assert self._process.stdin is not None
        self._wait(lambda: self._ready)
        with self._changed:
            self._asked += 1
        self._process.stdin.write(orjson.dumps(requests) + b"\n")
        self._process.stdin.flush()

    def finish(self) -> None:
        """Wait until everything handed in was answered."""
        self._wait(lambda: self._done == self._asked)

    def answered(self, count: int) -> None:
        """Wait for at least so many answers."""
        self._wait(lambda: len(self._answers) >= count)

    def kill(self) -> None:
        """End it without warning; what it said before still counts."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()

    def close(self) -> int:
        """Let it end and wait; its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        code = self._process.wait(PATIENCE_SECONDS)
        self._reader.join()
        self._process.stdout.close()
        return code

    def _wait(self, condition: Callable[[], bool]) -> None:
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._ended, PATIENCE_SECONDS)
            assert condition(), "the gateway ended or hangs"

    def _read(self) -> None:
        try:
            for line in self._process.stdout or ():
                with self._changed:
                    self._hear(orjson.loads(line))
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _hear(self, told: dict[str, Any]) -> None:
        if "ready" in told:
            self._ready = True
        elif "done" in told:
            self._done += 1
        else:
            event_id = told.get("event_id")
            self._answers.append(Answer(told["id"], told["status"], told["code"], event_id))


@contextmanager
def gateways(url: str, folder: Path) -> Iterator[tuple[Gateway, Gateway]]:
    """Two of them, side by side; both end with the block."""
    pair = Gateway(url, folder), Gateway(url, folder)
    try:
        yield pair
    finally:
        codes = [one.close() for one in pair]
    assert set(codes) <= {0, -signal.SIGKILL}


def referral(sent: str, own: str) -> Event:
    """The sender's first event of a case, by its own number."""
    return {"name": "referral.created", "id": sent, "source_record_id": own}


def contact(sent: str, own: str) -> Event:
    """A later event of that case."""
    return {"name": "guidance.contact_recorded", "id": sent, "source_record_id": own}


def beginnings(gateway: str) -> list[Request]:
    """Every case is begun by both gateways, in orders of their own.

    By its own number, by the same event sent twice, and by what is known of the person.
    """
    made = [[referral(f"{gateway}-begins-{one}", f"case-{one}")] for one in range(CASES)]
    made += [[referral(f"both-begin-{one}", f"case-{one}")] for one in range(CASES)]
    for one in range(PEOPLE):
        person = {"given_name": "Amina", "family_name": f"T{one}", "phone": f"+3200012345{one}"}
        data = {"programme": "wijk_werken", "person": person}
        made.append([{"name": "referral.created", "id": f"{gateway}-meets-{one}", "data": data}])
    random.Random(gateway).shuffle(made)  # noqa: S311 - an order, not a secret
    return made


def contacts(gateway: str) -> list[Request]:
    """Later events of all the cases, several cases a request, in no order; some sent to both."""
    choose = random.Random(gateway)  # noqa: S311 - an order, not a secret
    sent = [f"both-{one}" for one in range(CONTACTS // 4)]
    sent += [f"{gateway}-{one}" for one in range(CONTACTS)]
    choose.shuffle(sent)
    # The same event is about the same case, whoever takes it.
    events = [contact(one, f"case-{int(one.partition('-')[2]) % CASES}") for one in sent]
    return [events[start : start + PER_REQUEST] for start in range(0, len(events), PER_REQUEST)]


class Hold:
    """Keeps the transactions of one gateway open when they are about to commit.

    By then its rows have their numbers.
    A trigger at the commit waits for a lock that this session holds.
    """

    def __init__(self, url: str, gateway: Gateway) -> None:
        self._session = psycopg.connect(url, autocommit=True, options="-c search_path=exchange")
        self._session.execute("select pg_advisory_lock(%s)", (HOLD_LOCK,))
        self._session.execute(
            f"create function wait_to_commit() returns trigger language plpgsql as $$ begin"
            f" if current_setting('application_name') = 'schakel-{gateway.pid}' then"
            f" perform pg_advisory_xact_lock_shared({HOLD_LOCK}); end if;"
            f" return null; end $$".encode()
        )
        self._session.execute(
            "create constraint trigger held after insert on outbox deferrable initially deferred"
            " for each row execute function wait_to_commit()"
        )

    def is_holding(self) -> bool:
        """Whether a transaction waits."""
        found = self._session.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and not granted"
            " and database = (select oid from pg_database where datname = current_database())"
        ).fetchone()
        return found is not None and found[0] > 0

    def release(self) -> None:
        """Let it commit, and hold nothing any more. Idempotent."""
        if not self._session.closed:
            self._session.execute("select pg_advisory_unlock(%s)", (HOLD_LOCK,))
            self._session.execute("drop function wait_to_commit cascade")
            self._session.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody tells of."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        NUDGE.wait(0.01)


class Crossing:
    """Two gateways take the same cases in opposite orders and meet in the middle.

    A session of the test stands on the middle one until both wait, so that a gateway that took
    its rows in the order of its request would hold what the other needs next.

    Args:
        url: the database.
        digests: under which the cases are found, by their numbers.
    """

    def __init__(self, url: str, digests: dict[str, str]) -> None:
        self._url = url
        self._digests = digests

    def meet(self, pair: tuple[Gateway, Gateway], event: Callable[[str, str], Event]) -> None:
        """Both publish one request about all the cases, and both finish."""
        by_digest = sorted(self._digests, key=lambda own: self._digests[own])
        middle = self._digests[by_digest[len(by_digest) // 2]]
        with standing_on(self._url, middle, waiting=len(pair)):
            for gateway, cases in zip(pair, (by_digest, by_digest[::-1]), strict=True):
                gateway.publish([[event(f"{gateway.pid}-{uuid4()}", own) for own in cases]])
        for gateway in pair:
            gateway.finish()


@contextmanager
def standing_on(url: str, digest: str, waiting: int) -> Iterator[None]:
    """Hold a digest, known or new, until so many others wait for a lock after the block."""
    with psycopg.connect(url, options="-c search_path=exchange") as session:
        session.execute("select from blind_index where digest = %s for update", (digest,))
        # For one that does not exist yet; rolled back below.
        session.execute(
            "insert into blind_index (digest, kind, target_id) values (%s, 'own', '')"
            " on conflict do nothing",
            (digest,),
        )
        yield
        until(lambda: sessions_waiting(url) == waiting)
        session.rollback()


def sessions_waiting(url: str) -> int:
    """How many sessions wait for a lock."""
    with psycopg.connect(url) as session:
        found = session.execute(
            "select count(*) from pg_stat_activity"
            " where wait_event_type = 'Lock' and datname = current_database()"
        ).fetchone()
        return int(found[0]) if found is not None else 0


def deadlocks(url: str, pair: tuple[Gateway, Gateway]) -> int:
    """How many PostgreSQL counted; each session reports its own when it ends, at the latest."""
    names = [f"schakel-{one.pid}" for one in pair]
    with psycopg.connect(url, autocommit=True) as session:

        def sessions() -> bool:
            found = session.execute(
                "select from pg_stat_activity where application_name = any(%s)", (names,)
            )
            return found.rowcount > 0

        until(lambda: not sessions())
        counted = session.execute(
            "select deadlocks from pg_stat_database where datname = current_database()"
        ).fetchone()
        return int(counted[0]) if counted is not None else 0
