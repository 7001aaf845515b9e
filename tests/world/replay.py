"""Reads the log from its beginning into an empty read side, and tells two read sides apart.

What the hub's own route and evidence wrote while the world was played has to be what they write
when they read everything again.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
import sqlalchemy as sa

from consumers import evidence
from consumers.database import open_engine
from consumers.log import LogConsumer
from consumers.migrating import upgrade
from gateway.exchange.route import TOPICS, Route
from gateway.installing import CONSUMERS_MIGRATIONS
from gateway.registry_parts import RegistryParts, business_clock
from gateway.settings import load
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Engine

    from gateway.settings import HubSettings

ROUTE = "route"
PATIENCE_SECONDS = 120.0
INBOXES = (
    "select participant, coalesce(trajectory_id, ''), event_id, event_name, agreement_id, "
    "relations, nis, programme, backfill from inbox "
    "order by participant, coalesce(trajectory_id, event_id), seq"
)
"""Order is promised in a trajectory, and none beyond; what a door did is no part of a replay."""
FACTS = (
    "select topic, partition, record_offset, indicator, month, nis, programme, channel, code, "
    "count, days, detail, value, rule_set from facts order by topic, partition, record_offset"
)
PARKED = "select count(*) from parked"


@dataclass(frozen=True, slots=True)
class ReadSide:
    """What one read side holds, as hashes, with how many rows each stands for."""

    inboxes: str
    inbox_rows: int
    facts: str
    fact_rows: int
    parked: int


def of_hub(data: Path) -> ReadSide:
    """The read side that the hub on this folder has, once it has taken in all that was recorded."""
    settings = load(data)
    _wait_until_relayed(settings)
    return _looked_at(settings.stores.consumers)


def replayed(data: Path, folder: Path) -> ReadSide:
    """The read side that comes of the hub's whole log in an empty store."""
    settings = load(data)
    _wait_until_relayed(settings)
    fresh = f"sqlite:///{folder / 'replayed.db'}"
    upgrade(fresh, CONSUMERS_MIGRATIONS / "consumers")
    registry = RegistryParts(settings)
    registry.live.refresh()
    clock = business_clock(settings, registry.ledger_reader)
    store = open_engine(fresh)
    log = _log(settings, TOPICS, "inboxes")
    route = Route(log, registry.ledger_reader, store, registry.live.current, clock)
    _drain(log, route.step)
    log = _log(settings, (evidence.TOPIC,), "facts")
    _drain(log, evidence.Evidence(log, store, clock).step)
    store.dispose()
    registry.close()
    return _looked_at(fresh)


def _log(settings: HubSettings, names: tuple[str, ...], what: str) -> LogConsumer:
    """A reader from the earliest record on, in a group that nobody read with before.

    The route's certificate may read with groups that begin like its own.
    """
    group = f"{ROUTE}.replay-{what}-{uuid7()}"
    return LogConsumer(settings.log_settings(ROUTE), names, group, f"{group}-1")


def _drain(log: LogConsumer, step: Callable[[], int]) -> None:
    """Read until nothing is left."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while time.monotonic() < deadline:
            lag = None if step() else log.lag()
            if lag and not any(lag.values()):
                return
        message = "the log was not read to its end in time"
        raise AssertionError(message)
    finally:
        log.close()


def _wait_until_relayed(settings: HubSettings) -> None:
    """Wait until the ledger has nothing that the log lacks."""
    engine = open_engine(settings.stores.ledger, read_only=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while _count(engine, "select count(*) from outbox"):
            assert time.monotonic() < deadline, "the relay did not finish in time"
            time.sleep(0.1)
    finally:
        engine.dispose()


def _looked_at(url: str) -> ReadSide:
    engine = open_engine(url, read_only=True)
    try:
        inboxes, inbox_rows = _hash(engine, INBOXES)
        facts, fact_rows = _hash(engine, FACTS)
        return ReadSide(inboxes, inbox_rows, facts, fact_rows, _count(engine, PARKED))
    finally:
        engine.dispose()


def _hash(engine: Engine, query: str) -> tuple[str, int]:
    digest, rows = hashlib.sha256(), 0
    with engine.connect() as connection:
        for row in connection.execute(sa.text(query)):
            digest.update(orjson.dumps([str(value) for value in row]))
            rows += 1
    return digest.hexdigest(), rows


def _count(engine: Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(sa.text(query)).scalar_one())


def settled(data: Path, wanted: ReadSide) -> ReadSide:
    """The hub's read side, waited for until it has as many rows as the replay found."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = of_hub(data)
        counts = (found.inbox_rows, found.fact_rows)
        if counts == (wanted.inbox_rows, wanted.fact_rows) or time.monotonic() > deadline:
            return found
        time.sleep(0.2)
