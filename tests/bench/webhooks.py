"""Webhook subscriptions of a measured hub, as partners make them, and the hub that allows them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx

from gateway.embedded.certificates import Certificates, ensure_certificates
from gateway.embedded.installation import ensure_installation
from schemas.moments import to_rfc3339
from tests.bench.cases import BUDGETS
from tests.e2e.running_hub import distant_port, running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bench.cases import Bench
    from tests.e2e.running_hub import RunningHub

CONNECTIONS: Final = 16
FASTEST: Final = {"concurrency": CONNECTIONS, "rate": 5_000}
"""The most that a subscription may ask for."""


@contextmanager
def measured_hub(folder: Path) -> Iterator[RunningHub]:
    """A hub that calls receivers on this machine and spares no participant's budget."""
    data = folder / "data"
    with ensure_installation(data, distant_port()).open("a", encoding="utf-8") as written:
        written.write("webhook_loopback = true\n")
    trusted = {"SSL_CERT_FILE": str(certificates(folder).authority)}
    with running_hub(data, environment={**BUDGETS, **trusted}) as hub:
        yield hub


def certificates(folder: Path) -> Certificates:
    """Those of the receivers, which the hub's processes trust and nobody else does."""
    return ensure_certificates(folder / "receivers", ("broker",))


@dataclass(slots=True)
class Webhooks:
    """Makes subscriptions and takes them away."""

    bench: Bench
    _keys: Iterator[int] = field(default_factory=count)

    @contextmanager
    def subscribed(self, participant: str, url: str, **wanted: Any) -> Iterator[str]:
        """A subscription that has passed its challenge, until the block ends."""
        answer = self._call("POST", participant, "", {"url": url, **wanted})
        made = answer.json()
        assert made["state"] == "active", made
        try:
            yield str(made["id"])
        finally:
            self._call("DELETE", participant, f"/{made['id']}")

    def _call(self, method: str, participant: str, path: str, body: Any = None) -> httpx.Response:
        headers = {
            "authorization": f"Bearer {self.bench.token(participant)}",
            "idempotency-key": f"bench-{time.time_ns()}-{next(self._keys)}",
        }
        url = f"{self.bench.hub.where['gateway']}/v1/subscriptions{path}"
        answer = httpx.request(method, url, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer


def moment() -> str:
    """Now, as a subscription's `since`."""
    return to_rfc3339(time.time_ns() // 1000)
