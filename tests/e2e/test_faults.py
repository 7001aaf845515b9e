"""What was acknowledged arrives exactly once, whatever process is killed meanwhile."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from tests.e2e.running_hub import (
    OCMW,
    ORGANISER,
    RunningHub,
    inbox,
    publish_until_answered,
    referral,
)

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = 60


def _publish_while(hub: RunningHub, disturb: Callable[[], None]) -> list[str]:
    """Publish from one partner while something goes wrong; the hub's ids of what it accepted."""
    accepted: list[str] = []

    def load() -> None:
        with hub.client(OCMW) as client:
            for number in range(EVENTS):
                receipt = publish_until_answered(client, referral(number), patience=60)
                accepted.append(receipt.event_id)

    thread = threading.Thread(target=load)
    thread.start()
    while len(accepted) < EVENTS // 4 and thread.is_alive():
        time.sleep(0.01)
    disturb()
    thread.join(timeout=120)
    assert not thread.is_alive()
    return accepted


def _arrived(hub: RunningHub, accepted: list[str]) -> None:
    """Each accepted event is in the recipient's inbox exactly once."""
    with hub.client(ORGANISER) as client:
        seen = inbox(client, set(accepted), patience=90)

    assert len(accepted) == len(set(accepted)) == EVENTS
    assert {one: seen[one] for one in accepted} == dict.fromkeys(accepted, 1)


def test_gateway_killed_under_load_loses_and_repeats_nothing(hub: RunningHub) -> None:
    """The gateway is killed with kill -9 and starts again by itself."""
    _arrived(hub, _publish_while(hub, lambda: hub.kill("gateway")))


def test_relay_and_route_killed_under_load_lose_and_repeat_nothing(hub: RunningHub) -> None:
    """The workers are killed with kill -9 and start again by themselves."""

    def disturb() -> None:
        hub.kill("relay")
        hub.kill("route")

    _arrived(hub, _publish_while(hub, disturb))


def test_publishing_goes_on_while_kafka_stands_still(hub: RunningHub) -> None:
    """Kafka stops; events are acknowledged all the same and arrive when it goes on."""
    with hub.kafka_stopped(), hub.client(OCMW) as client:
        accepted = [client.publish(referral(number)).event_id for number in range(EVENTS)]

    _arrived(hub, accepted)
