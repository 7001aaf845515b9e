"""A whole hub as a child process, as an operator starts it, with clients of the demo registry."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.client import HubClient
from connectors.credentials import load_credentials
from connectors.errors import HubUnavailable
from gateway.settings import HUB_FILE
from tests.ports import distant_ports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.answers import Receipt

SCHAKEL = str(Path(sys.executable).parent / "schakel")
OCMW, ORGANISER, VDAB = "ocmw-tienen", "wijkwerk-hageland", "vdab"
ORGANISER_URN = "urn:be:kbo:1999000249"


@dataclass
class RunningHub:
    """One hub; `kill_gateway` and `pause_kafka` are what a bad day does to it."""

    data: Path
    process: subprocess.Popen[str]
    where: dict[str, Any]

    def client(self, participant: str) -> HubClient:
        """A partner's client."""
        path = self.data / "clients" / f"{participant}-connector.json"
        return HubClient(str(self.where["gateway"]), load_credentials(path))

    def pid(self, name: str) -> int:
        """The process id of gateway, relay, route or the broker."""
        file = "kafka/broker.pid" if name == "kafka" else f"run/{name}.pid"
        return int((self.data / file).read_text("ascii"))

    def kill(self, name: str) -> None:
        """End one process without warning; `schakel up` starts it again."""
        os.kill(self.pid(name), signal.SIGKILL)

    @contextmanager
    def kafka_stopped(self) -> Iterator[None]:
        """Kafka stands still for the length of the block."""
        pid = self.pid("kafka")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end and wait."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def distant_port() -> int:
    """A free port for a hub of a test, and not the first: each other hub looks for that one too."""
    return distant_ports(1)[0]


@contextmanager
def running_hub(
    data: Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[RunningHub]:
    """Start a hub on an empty folder; everything ends with the block.

    Args:
        data: the folder.
        options: of `schakel up`; without any it has the demo registry.
        environment: what its processes find besides this one's own.
    """
    chosen = options or ("--with", "demo")
    port = () if (data / HUB_FILE).exists() else ("--port", str(distant_port()))
    data.mkdir(parents=True, exist_ok=True)
    with (data.parent / "hub.log").open("a", encoding="utf-8") as log:
        process = subprocess.Popen(
            [SCHAKEL, "up", "--data", str(data), *chosen, *port],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        watch = _watch(process.pid)
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            assert line, (data.parent / "hub.log").read_text("utf-8")
            yield RunningHub(data, process, json.loads(line))
        finally:
            watch.kill()  # before the hub's number can be another process's
            watch.communicate()
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=60)
            if process.stdout is not None:
                process.stdout.close()


def _watch(pid: int) -> subprocess.Popen[bytes]:
    """Ends the hub when this process is gone without having said so, as when it was killed.

    A hub that is left behind makes everything slower that is tested or measured after it.
    """
    end = 'cat >/dev/null; kill "$1"'
    return subprocess.Popen(["/bin/sh", "-c", end, "watch", str(pid)], stdin=subprocess.PIPE)


def event(name: str, sender: str, data: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    """A CloudEvent as a partner sends it."""
    return {
        "specversion": "1.0",
        "id": attributes.pop("id", str(uuid.uuid4())),
        "source": f"urn:schakel:participant:{sender}",
        "type": f"be.schakel.activation.v1.{name}",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "datacontenttype": "application/json",
        "data": data,
        **attributes,
    }


def referral(number: int = 0) -> dict[str, Any]:
    """A referral of OCMW Tienen to the organiser, about an invented person."""
    data = {
        "programme": "wijk_werken",
        "reason_codes": ["work_rhythm"],
        "target_org": ORGANISER_URN,
        "person": {
            "given_name": "Amina",
            "family_name": "Testers",
            "phone": f"+3200012{number:04d}",
            "postcode": "3300",
        },
        "contact_person": {"name": "Onthaal activering"},
        "informed": {
            "on": "2026-11-01",
            "channel": "oral",
            "notice_version": "2026-01",
            "language": "nl",
            "by_role": "welfare_centre",
        },
    }
    return event("referral.created", OCMW, data)


def publish_until_answered(client: HubClient, sent: dict[str, Any], patience: float) -> Receipt:
    """Send the same call again until the hub says yes or no, as the client promises to.

    Raises:
        HubUnavailable: it never answered.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return client.publish(sent)
        except HubUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def inbox(client: HubClient, wanted: set[str], patience: float) -> Counter[str]:
    """How often each event came, once all that are wanted have come or patience is over."""
    deadline = time.monotonic() + patience
    while True:
        seen: Counter[str] = Counter()
        after: str | None = None
        while True:
            page = client.feed(after, limit=500)
            seen.update(str(one.id) for one in page.events)
            if not page.events or page.next == after:
                break
            after = page.next
        if wanted <= set(seen) or time.monotonic() > deadline:
            return seen
        time.sleep(0.3)
