"""The containers together are a hub: what one partner publishes, the other receives."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.e2e.running_hub import referral

if TYPE_CHECKING:
    from connectors.client import HubClient
    from tests.containers.conftest import ContainedHub

pytestmark = [pytest.mark.containers, pytest.mark.timeout(540)]

DELIVERY_SECONDS = 120.0


def test_a_referral_reaches_the_recipients_feed(hub: ContainedHub) -> None:
    """OCMW Tienen publishes; by PostgreSQL, relay, Kafka and route the organiser receives it."""
    with (
        hub.client("ocmw-tienen-connector") as sender,
        hub.client("wijkwerk-hageland-connector") as recipient,
    ):
        receipt = sender.publish(referral())
        delivered = _await_event(recipient, str(receipt.event_id))
    assert delivered == "Amina"


def _await_event(client: HubClient, event_id: str) -> str:
    """The given name in the event, once it is in the feed.

    Raises:
        AssertionError: it did not come in time.
    """
    deadline = time.monotonic() + DELIVERY_SECONDS
    seen: list[str] = []
    while time.monotonic() < deadline:
        events = list(client.feed_events())
        seen = [str(event.id) for event in events]
        if event_id in seen:
            return str(events[seen.index(event_id)].data["person"]["given_name"])
        time.sleep(0.3)
    raise AssertionError(f"{event_id} did not come; the feed has {seen}")
