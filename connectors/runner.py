"""Runs one connector: sources to the hub, inbox to sinks, and the only cursors there are.

The order is always the same: the hub answers, then the answer and the cursor are written in one
transaction.
A crash anywhere gives at most the unanswered tail again, under the same event ids.
One thread; sources and sinks take turns.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from connectors.backoff import backoff_seconds
from connectors.checkpoint import Checkpoint
from connectors.delivery import Delivery, Inbox
from connectors.errors import ConnectorError
from connectors.identity import Identities, load_key
from connectors.publishing import Hub, Publisher, Stopped
from connectors.pump import BATCH, Pump

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from threading import Event as Flag

    from connectors.mapping import RowMap
    from connectors.sdk import Config, Connector

_log = structlog.get_logger(__name__)
FEED_EVERY_SECONDS = 1.0
KEY_FILE = "ids.key"


class HubDoor(Hub, Inbox, Protocol):
    """Both directions of the hub; `HubClient` is the real one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A connector with its settings and maps, ready to run."""

    connector: Connector
    config: Config
    maps: Mapping[str, RowMap]


@dataclass(slots=True)
class Totals:
    """What one run moved."""

    records: int = 0
    delivered: int = 0


class Runner:
    """Runs one plan with one state.

    Args:
        plan: what to run.
        state: opened checkpoint.
        ids: under the state's key.
        hub: the hub for this client.
        participant: whose events the sources make.
        stop: set to end; every wait ends with it.
        give_up_seconds: for a run that must end: how long to wait for the hub, or a sink, in all.
        batch: most events to one call.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        state: Checkpoint,
        ids: Identities,
        hub: HubDoor,
        participant: str,
        stop: Flag,
        give_up_seconds: float | None = None,
        batch: int = BATCH,
    ) -> None:
        self._plan = plan
        self._stop = stop
        self.totals = Totals()
        publisher = Publisher(hub, self._pause, give_up_seconds=give_up_seconds)
        self._pumps = [
            Pump(
                source,
                plan.config,
                plan.maps,
                state=state,
                ids=ids,
                publisher=publisher,
                participant=participant,
                batch=batch,
            )
            for source in plan.connector.sources
        ]
        self._deliveries = [
            Delivery(
                sink,
                plan.config,
                state=state,
                ids=ids,
                inbox=hub,
                pause=self._pause,
                give_up_seconds=give_up_seconds,
            )
            for sink in plan.connector.sinks
        ]

    def once(self) -> Totals:
        """Drain every source and the inbox once, then return.

        Raises:
            ConnectorError: something cannot go on; what was answered is kept.
        """
        try:
            for delivery in self._deliveries:
                self.totals.delivered += delivery.drain()
            for pump in self._pumps:
                self.totals.records += pump.drain()
            for delivery in self._deliveries:
                self.totals.delivered += delivery.drain(is_patient=True)
        except Stopped:
            _log.info("stopped")
        return self.totals

    def run(self) -> Totals:
        """Run until `stop` is set.

        Raises:
            ConnectorError: waiting would not help (credentials, state, a hub that is none).
        """
        due = [0.0] * len(self._pumps)
        failures = 0
        try:
            while not self._stop.is_set():
                try:
                    self._turn(due)
                    failures = 0
                except (ConnectorError, Stopped):
                    raise
                except Exception as error:  # noqa: BLE001 - the edge around an author's code
                    # Only the kind of error: an author's message may hold a row.
                    failures += 1
                    _log.error("connector_failed", kind=type(error).__name__, failures=failures)
                    self._pause(backoff_seconds(failures, 0.5))
        except Stopped:
            pass
        _log.info("stopped")
        return self.totals

    def _turn(self, due: list[float]) -> None:
        for index, pump in enumerate(self._pumps):
            if time.monotonic() >= due[index]:
                self.totals.records += pump.drain()
                due[index] = time.monotonic() + self._plan.connector.sources[index].every_seconds
        for delivery in self._deliveries:
            self.totals.delivered += delivery.drain()
        following = min([*due, time.monotonic() + FEED_EVERY_SECONDS])
        if not self._deliveries:
            following = min(due)
        self._pause(max(0.05, following - time.monotonic()))

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise Stopped


def open_state(folder: Path, connector: str) -> tuple[Checkpoint, Identities]:
    """Open the state of a connector and the key of its ids, made together the first time.

    Raises:
        StateUnusable: in use, damaged, or its key is gone.
    """
    state = Checkpoint(folder)
    try:
        ids = Identities(load_key(folder / KEY_FILE, may_create=state.is_empty), connector)
    except ConnectorError:
        state.close()
        raise
    return state, ids
