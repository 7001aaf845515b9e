"""The gateway and Kafka end together, as when a machine runs out of memory."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from connectors.errors import HubUnavailable
from tests.e2e.running_hub import OCMW, ORGANISER, referral, running_hub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.2
Found = TypeVar("Found")


def _until(ask: Callable[[], Found | None]) -> Found:
    """What is answered once there is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            found = ask()
        except HubUnavailable:
            found = None
        if found is not None:
            return found
        assert time.monotonic() < deadline
        time.sleep(PAUSE_SECONDS)


def test_both_come_back_and_kafka_after_its_keys(tmp_path: Path) -> None:
    """An event goes through, and Kafka was not started in vain.

    It reads the gateway's keys when it starts and gives up without them; a hub that waited for it
    meanwhile left the gateway where it was.
    """
    sent = referral(1)
    with running_hub(tmp_path / "data") as hub:
        hub.kill("gateway")
        hub.kill("kafka")
        with hub.client(OCMW) as sender, hub.client(ORGANISER) as reader:
            (answer,) = _until(lambda: sender.publish_batch([sent]))
            assert answer.receipt is not None
            event_id = answer.receipt.event_id
            page = _until(lambda: found if (found := reader.feed(None)).events else None)
    said = (tmp_path / "hub.log").read_text("utf-8")

    assert event_id in [one.id for one in page.events]
    assert said.count("Kafka viel uit") == 1
    assert "Nieuwe poging" not in said
