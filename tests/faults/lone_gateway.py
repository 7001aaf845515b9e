"""A gateway process by itself, without Kafka, with clients of the demo registry."""

from __future__ import annotations

import os
import resource
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from connectors.credentials import load_credentials
from connectors.tokens import TokenSource
from consumers.clock import SystemClock
from gateway.bootstrap import ADMIN, ADMIN_FILE
from gateway.embedded.demo import prepare
from gateway.embedded.installation import ensure_installation
from gateway.embedded.locks import hold
from gateway.embedded.roles import Role
from gateway.exchange.registry_store import RegistryStore
from gateway.exchange.route import Route
from gateway.settings import HubSettings, load
from tests.e2e.running_hub import distant_port
from tests.gateway.api.fakes import NoLog
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from connectors.credentials import Credentials

PATIENCE_SECONDS = 60.0
ONE = "application/cloudevents+json"


@dataclass
class LoneGateway:
    """One gateway process on a data folder, and what a bad day does to it."""

    settings: HubSettings
    role: Role

    @property
    def management(self) -> str:
        """Where health and readiness answer."""
        return f"http://127.0.0.1:{self.settings.management_port}"

    @property
    def pid(self) -> int:
        """The gateway's process."""
        pid = self.role.child.pid if self.role.child is not None else None
        assert pid is not None
        return pid

    def client(self, participant: str) -> httpx.Client:
        """A client of the gateway that has a token already."""
        http = httpx.Client(base_url=self.settings.base_url, timeout=PATIENCE_SECONDS)
        http.headers["authorization"] = f"Bearer {self.token(participant)}"
        return http

    def token(self, participant: str, answers: list[httpx.Response] | None = None) -> str:
        """A fresh token of a participant's connector; what the hub answered goes to `answers`."""
        hooks = {"response": [] if answers is None else [answers.append]}
        with httpx.Client(base_url=self.settings.base_url, event_hooks=hooks) as http:
            return TokenSource(http, self._credentials(participant)).token()

    def _credentials(self, participant: str) -> Credentials:
        data = self.settings.data
        if participant == ADMIN:
            return load_credentials(data / ADMIN_FILE)
        return load_credentials(data / "clients" / f"{participant}-connector.json")

    def failing(self) -> list[str]:
        """What readiness names as failing; empty when the gateway is ready."""
        answer = httpx.get(f"{self.management}/readyz", timeout=PATIENCE_SECONDS)
        failing: list[str] = answer.json().get("failing", [])
        assert (answer.status_code == 200) == (not failing)
        return failing

    def wait_until_ready(self) -> None:
        """Return once readiness is true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                failing = self.failing()
            except httpx.TransportError:
                failing = ["no answer"]
            if not failing:
                return
            assert time.monotonic() < deadline, (failing, self.role.log.read_text("utf-8")[-3000:])
            time.sleep(0.1)

    def wait_until_failing(self, parts: list[str]) -> None:
        """Return once readiness names exactly these."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (failing := self.failing()) != parts:
            assert time.monotonic() < deadline, failing
            time.sleep(0.1)

    @contextmanager
    def no_file_may_grow(self) -> Iterator[None]:
        """No file of the gateway may get longer than a page: every write to disk fails."""
        whole = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (4096, whole[1]))
        try:
            yield
        finally:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, whole)

    def place(self, *event_ids: str) -> None:
        """Place events in the inboxes of their recipients, as the route does."""
        stores = self.settings.stores
        with (
            opened(stores.ledger, read_only=True) as ledger,
            opened(stores.consumers) as consumers,
        ):
            registry = RegistryStore(ledger, environment="test").load()
            Route(NoLog(), ledger, consumers, lambda: registry, SystemClock()).reroute(event_ids)

    def rows(self, table: str) -> int:
        """How many rows a table of the ledger's store has."""
        return self.number("ledger", f"select count(*) from {table}")  # noqa: S608

    def number(self, store: str, query: str) -> int:
        """The one number that a query on a store gives."""
        with (
            opened(getattr(self.settings.stores, store), read_only=True) as engine,
            engine.connect() as connection,
        ):
            return int(connection.exec_driver_sql(query).scalar() or 0)

    def recorded(self, sender: str, event_ids: Iterable[str]) -> Counter[str]:
        """How many ledger rows each of a sender's own event ids has."""
        query = f"select sender_key from ledger where participant = '{sender}'"  # noqa: S608
        with (
            opened(self.settings.stores.ledger, read_only=True) as engine,
            engine.connect() as connection,
        ):
            found = connection.exec_driver_sql(query).scalars().all()
        wanted = set(event_ids)
        sent = (str(one).partition("/")[2] for one in found)
        return Counter(one for one in sent if one in wanted)


def publish(client: httpx.Client, event: dict[str, Any]) -> httpx.Response:
    """Publish one event, once."""
    return client.post("/v1/events", json=event, headers={"content-type": ONE})


@contextmanager
def lone_gateway(data: Path, database_url: str | None = None) -> Iterator[LoneGateway]:
    """Start a gateway on an empty folder, with the demo registry; it ends with the block."""
    hub_file = ensure_installation(data, distant_port())
    if database_url is not None:
        with hub_file.open("a", encoding="utf-8") as file:
            file.write(f'database_url = "{database_url}"\n')
    settings = load(data)
    lock = hold(data / ".hub.lock")
    assert lock is not None
    role = Role("gateway", settings.data, lock, lambda _sentence: None)
    made = LoneGateway(settings, role)
    role.start()
    try:
        made.wait_until_ready()
        version = prepare(settings, lambda _sentence: None)
        _wait_for_registry(made, version)
        yield made
    finally:
        role.stop()
        os.close(lock)


def _wait_for_registry(gateway: LoneGateway, version: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while f"schakel_registry_version {float(version)}" not in (
        httpx.get(f"{gateway.management}/metrics").text
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
