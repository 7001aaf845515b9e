"""The whole hub on one machine: broker, gateway, relay, route and doors in one data folder.

`schakel up` runs one of these. The gateway starts first, because the broker asks for its key set;
then the broker, its topics, and the workers. Everything ends with this process.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import httpx

from gateway.embedded.broker import Broker
from gateway.embedded.broker_watch import BrokerWatch
from gateway.embedded.installation import ensure_installation
from gateway.embedded.kafka_process import require_ports_free
from gateway.embedded.locks import hold
from gateway.embedded.resources import cache_folder
from gateway.embedded.roles import Role
from gateway.errors import DataInUse, HubNotReady
from gateway.provisioning import provision
from gateway.settings import LOOPBACK, HubSettings, load
from schemas.cli import say
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HUB_LOCK = ".hub.lock"
ROLES = ("gateway", "relay", "route", "deliver", "kafka-door")
READY_SECONDS = 120.0
TICK_SECONDS = 0.25


class Hub:
    """One hub on one data folder.

    Args:
        data: its data folder, made when missing.
        port: the gateway's port at the first start.
        report: takes progress sentences.
    """

    def __init__(self, data: Path, *, port: int | None, report: Callable[[str], None]) -> None:
        cache_folder(os.environ)  # what cannot work is said before anything is written
        ensure_installation(data, port)
        self.settings: HubSettings = load(data)
        self._report = report
        self._lock = _exclusive(self.settings.data)
        self._roles = {name: Role(name, self.settings.data, self._lock, report) for name in ROLES}
        self.broker = Broker(
            self.settings.data,
            client_port=_port(self.settings.kafka_client_address),
            internal_port=_port(self.settings.kafka_bootstrap),
            controller_port=self.settings.kafka_controller_port,
            issuer=self.settings.issuer,
            jwks_url=self._keys_url,
            report=report,
        )
        self._broker_watch = BrokerWatch(self.broker, lambda: self._is_ok(self._keys_url), report)
        # One for all that is asked: each client reads anew whom it may trust, which takes longer
        # than a question.
        self._http = httpx.Client(timeout=1.0)

    @property
    def _keys_url(self) -> str:
        return f"{self.settings.issuer}/oauth/jwks"

    @property
    def management_url(self) -> str:
        """Where health, readiness and metrics answer."""
        return f"http://{LOOPBACK}:{self.settings.management_port}"

    def ready_line(self) -> dict[str, object]:
        """What `schakel up` prints once the first event can come."""
        return {
            "ready": True,
            "gateway": self.settings.base_url,
            "kafka": self.settings.kafka_client_address,
            "management": self.management_url,
        }

    def start(self) -> None:
        """Start everything and wait until the first event can be taken; blocks.

        Raises:
            SchakelError: one sentence says what is wrong; nothing is left running.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        # Our own children are gone, for they hold the lock: it would be a stranger that answers.
        require_ports_free(self.settings.port, self.settings.management_port)
        self._report(say("Start de gateway", "Starting the gateway"))
        self._roles["gateway"].start()
        self._wait_for(self._keys_url, "gateway")
        self._report(say("Start Kafka", "Starting Kafka"))
        self.broker.start()
        provision(self.settings)
        self._report(
            say("Start relay, route en deuren", "Starting the relay, the route and the doors")
        )
        for name in ROLES[1:]:
            self._roles[name].start()
        self._wait_for(f"{self.management_url}/readyz", "gateway")

    def _wait_for(self, url: str, name: str) -> None:
        role, deadline = self._roles[name], time.monotonic() + READY_SECONDS
        while True:
            # First whether it runs: what answers may be another program on its port.
            if role.has_ended() or time.monotonic() > deadline:
                raise _not_ready(role)
            if self._is_ok(url):
                return
            time.sleep(0.05)

    def wait_for_registry(self, version: int) -> None:
        """Wait until the gateway knows this version of the registry; blocks a few seconds.

        Raises:
            HubNotReady: it did not within two minutes.
        """
        gateway, deadline = self._roles["gateway"], time.monotonic() + READY_SECONDS
        while self._known_version() < version:
            if gateway.has_ended() or time.monotonic() > deadline:
                raise _not_ready(gateway)
            time.sleep(0.1)

    def _known_version(self) -> int:
        try:
            lines = self._http.get(f"{self.management_url}/metrics").text.splitlines()
        except httpx.HTTPError:
            return -1
        found = (line for line in lines if line.startswith("schakel_registry_version "))
        return int(float(next(found, "x -1").split()[1]))

    def _is_ok(self, url: str) -> bool:
        try:
            return self._http.get(url).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def watch(self) -> None:
        """Restart what ended; call it every quarter of a second."""
        for role in self._roles.values():
            role.watch()
        self._broker_watch.tick()

    def stop(self) -> None:
        """Drain and stop all children: first the way in, then what follows it; idempotent."""
        for name in ROLES:
            self._roles[name].stop()
        self.broker.stop()
        self._http.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _exclusive(data: Path) -> int:
    """Hold the data folder; two hubs on one would each send the other's events.

    Raises:
        DataInUse: another hub runs on it.
    """
    lock = hold(data / HUB_LOCK)
    if lock is None:
        raise DataInUse(
            Message(
                nl=f"Op {data} draait al een hub. Stop die eerst of kies een andere map.",
                en=f"A hub already runs on {data}. Stop it first or choose another folder.",
            )
        )
    return lock


def _not_ready(role: Role) -> HubNotReady:
    return HubNotReady(
        Message(
            nl=f"{role.name} is niet gestart. De reden staat in {role.log}.",
            en=f"{role.name} did not start. The reason is in {role.log}.",
        )
    )
