"""A hub with twenty readers at three doors: seven feeds, seven webhooks and six Kafka topics.

One OCMW has cases. Each has one reader at every door, who is told of each contact with the person:
the organiser to whom it was referred, and two others with a right to look.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx

from connectors.client import HubClient
from connectors.credentials import load_credentials
from connectors.tokens import TokenSource
from connectors.world.organisations import enterprise
from consumers.log import LogAdmin
from gateway.bootstrap import write_credentials
from gateway.embedded.installation import ensure_installation
from gateway.exchange.credentials import new_private_jwk, public_part
from gateway.exchange.registry import Credential
from gateway.exchange.registry_document import parse
from gateway.exchange.registry_store import RegistryStore
from gateway.settings import load
from tests.consumers.receivers import Got, Receiver, Reply
from tests.e2e.running_hub import OCMW, distant_port, running_hub
from tests.registry_fixtures import demo_content
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.settings import HubSettings
    from tests.e2e.running_hub import RunningHub

READERS = {"feed": 7, "webhook": 7, "kafka": 6}
SCOPES = {"feed": "sj_feed_read", "webhook": "sj_feed_read", "kafka": "sj_kafka_read"}
OCMW_URN = "urn:be:kbo:1999000150"
PURPOSES = {
    "activation_referral": ["referral.*", "trajectory.*", "subject.*"],
    "guidance_coordination": ["guidance.*"],
}
FIELDSETS = ["core", "identify", "name", "staff_contact", "guidance"]
PATIENCE_SECONDS = 90.0
LINES, LINE = 15, 200
"""How much is shown of each log of a hub that lost something."""


def readers() -> dict[str, str]:
    """Every reader and its door."""
    return {
        f"lezer-{door}-{number}": door
        for door, many in READERS.items()
        for number in range(1, many + 1)
    }


def urn_of(reader: str) -> str:
    """The organisation of a reader."""
    return f"urn:be:kbo:{enterprise(500 + list(readers()).index(reader))}"


def document(ended: frozenset[str] = frozenset()) -> Any:
    """The demonstration's registry with the readers; the agreements with `ended` are revoked."""
    made = demo_content()
    for reader, door in readers().items():
        made["organisations"].append(_organisation(reader, door))
        made["agreements"].append(_agreement(reader, is_revoked=reader in ended))
    return made


def _organisation(reader: str, door: str) -> dict[str, Any]:
    contact = {"name": "Onthaal", "phone": "+32 000 99 00 00", "email": f"{reader}@example.org"}
    client = {"id": client_of(reader), "name": "Lezer", "scopes": [SCOPES[door]]}
    return {
        "urn": urn_of(reader),
        "name": f"{reader} (verzonnen)",
        "kbo": urn_of(reader).rpartition(":")[2],
        "participants": [
            {
                "id": reader,
                "role": "organiser",
                "name": reader,
                "territory": ["24107"],
                "notice_version": "2026-01",
                "contact": contact,
                "clients": [client],
            }
        ],
    }


def _agreement(reader: str, *, is_revoked: bool) -> dict[str, Any]:
    legal = {"instrument": "protocol_art8", "ref": f"voorbeeld-{reader}", "dpia": "voorbeeld-dpia"}
    made: dict[str, Any] = {
        "agreement_id": f"afspraak-{reader}",
        "parties": [OCMW_URN, urn_of(reader)],
        "legal": {**legal, "dpo_advice": "2026-02-11", "art9_ground": "social_law_9_2_b"},
        "validity": {"from": "2026-01-01", "to": "2030-12-31"},
        "grants": [
            {
                "from": OCMW_URN,
                "to": urn_of(reader),
                "to_role": "organiser",
                "events": events,
                "purpose": purpose,
                "fieldsets": FIELDSETS,
                "territory_nis": ["24107"],
                "doors": list(READERS),
            }
            for purpose, events in PURPOSES.items()
        ],
    }
    return {**made, "status": "revoked"} if is_revoked else made


def client_of(reader: str) -> str:
    """The one client of a reader."""
    return f"{reader}-connector"


@dataclass
class DoorHub:
    """The hub, and what has come out of it so far."""

    hub: RunningHub
    settings: HubSettings
    receiver: Receiver
    came: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def client(self, participant: str) -> HubClient:
        """A partner's client."""
        path = self.hub.data / "clients" / f"{participant}-connector.json"
        return HubClient(str(self.hub.where["gateway"]), load_credentials(path))

    def take(self, reader: str, *event_ids: str) -> None:
        """Note what came to a reader."""
        with self._lock:
            self.came[reader] += event_ids

    def count(self, reader: str) -> int:
        """How many different events have come to a reader."""
        with self._lock:
            return len(set(self.came[reader]))

    def apply(self, content: Any) -> int:
        """Change the registry, as `schakel registry apply` does; when, in microseconds."""
        with opened(self.settings.stores.ledger) as engine:
            RegistryStore(engine, environment="test").apply(parse(content, "test"), "faults")
        return time.time_ns() // 1000

    def wait_for_kafka(self) -> None:
        """Until the broker can be reached; the client library leaves open what is refused."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        address = ("127.0.0.1", int(self.settings.kafka_bootstrap.rpartition(":")[2]))
        while True:
            try:
                socket.create_connection(address, timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            else:
                return

    def said(self) -> str:
        """The last lines of what the hub and each of its processes say: what went on."""
        files = [
            self.settings.data.parent / "hub.log",
            self.settings.data / "kafka" / "broker.log",
            *sorted((self.settings.data / "logs").glob("*.log")),
        ]
        lines = [(one.name, one.read_text("utf-8", "replace").splitlines()) for one in files]
        return "\n".join(
            f"{name}: {line[:LINE]}" for name, found in lines for line in found[-LINES:]
        )

    def subscribe(self, reader: str) -> None:
        """Have a reader called."""
        path = self.hub.data / "clients" / f"{client_of(reader)}.json"
        token = _token(self.hub, path)
        answer = httpx.post(
            f"{self.hub.where['gateway']}/v1/subscriptions",
            json={"url": f"http://127.0.0.1:{self.receiver.port}/{reader}"},
            headers={"authorization": f"Bearer {token}", "idempotency-key": reader},
            timeout=60,
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] == "active", answer.text


def _token(hub: RunningHub, path: Path) -> str:
    with httpx.Client(base_url=str(hub.where["gateway"])) as http:
        return TokenSource(http, load_credentials(path)).token()


@contextmanager
def door_hub(folder: Path) -> Iterator[DoorHub]:
    """A hub with all readers at their doors; everything ends with the block."""
    data = folder / "data"
    file = ensure_installation(data, distant_port())
    with file.open("a", encoding="utf-8") as written:
        written.write("webhook_loopback = true\n")
    made: list[DoorHub] = []

    def answer(got: Got, _number: int) -> Reply:
        event = json.loads(got.body)
        if event["type"].endswith(".challenge"):
            return Reply(200, event["data"]["challenge"].encode())
        made[0].take(got.path.strip("/"), event["id"])
        return Reply(204)

    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver(answer))
        hub = stack.enter_context(running_hub(data))
        made.append(DoorHub(hub, load(data), receiver))
        _introduce(made[0])
        yield made[0]


def _introduce(world: DoorHub) -> None:
    """Register the readers and give them keys and subscriptions."""
    world.apply(document())
    with opened(world.settings.stores.ledger) as engine:
        store = RegistryStore(engine, environment="test")
        for reader in readers():
            key, name = new_private_jwk(), client_of(reader)
            store.rotate_client(name, Credential(jwk=public_part(key)), "faults", overlap_seconds=0)
            path = world.hub.data / "clients" / f"{name}.json"
            write_credentials(path, name, reader, world.settings, private_key=key)
        version = store.version()
    _wait_for_version(world, version)
    for reader, door in readers().items():
        if door == "webhook":
            world.subscribe(reader)
    _wait_for_topics(world)


def _wait_for_topics(world: DoorHub) -> None:
    """Until all who read Kafka may."""
    admin = LogAdmin(world.settings.log_settings("admin"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while len(admin.readers("out.")) < READERS["kafka"]:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        admin.close()


def _wait_for_version(world: DoorHub, version: int) -> None:
    """Until the gateway knows the readers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    wanted = f"schakel_registry_version {float(version)}"
    while wanted not in httpx.get(f"{world.hub.where['management']}/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.1)


__all__ = ["OCMW", "DoorHub", "document", "door_hub", "readers", "urn_of"]
