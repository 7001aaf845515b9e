"""The containers together are a hub: what one partner publishes, the other receives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.containers.conftest import DELIVERY_SECONDS, await_answer
from tests.e2e.running_hub import inbox, referral

if TYPE_CHECKING:
    from pathlib import Path

    from tests.containers.conftest import ContainedHub
    from tests.containers.stack import Stack

pytestmark = [pytest.mark.containers, pytest.mark.timeout(540)]

SENDER, RECIPIENT = "ocmw-tienen-connector", "wijkwerk-hageland-connector"


def test_a_referral_reaches_the_recipients_feed(hub: ContainedHub) -> None:
    """OCMW Tienen publishes; by PostgreSQL, relay, Kafka and route the organiser receives it."""
    event_id = publish(hub, 1)

    assert delivered(hub, {event_id}) == {event_id: 1}
    with hub.client(RECIPIENT) as recipient:
        (event,) = (one for one in recipient.feed_events() if str(one.id) == event_id)
    assert event.data["person"]["given_name"] == "Amina"


def test_a_killed_gateway_loses_nothing(hub: ContainedHub, stack: Stack) -> None:
    """What was acknowledged is delivered once, and known as sent, after the gateway died."""
    sent = [referral(number) for number in range(10, 20)]
    with hub.client(SENDER) as sender:
        receipts = [sender.publish(event) for event in sent]

    stack.command("kill", "gateway")
    stack.command("start", "gateway")
    await_answer(hub)

    wanted = {str(one.event_id) for one in receipts}
    assert delivered(hub, wanted) == dict.fromkeys(wanted, 1)
    with hub.client(SENDER) as sender:
        again = sender.publish(sent[-1])
    assert (again.body["status"], again.event_id) == ("duplicate", receipts[-1].event_id)


def test_renewed_certificates_are_used(hub: ContainedHub, stack: Stack) -> None:
    """After the steps that deploy/README.md gives, new keys are in use and events flow."""
    before = stack.inside("relay", "cat", "/tls/relay.pem")

    stack.command("run", "--rm", "--no-deps", "-T", "certificates", "--renew")
    stack.command("restart", "kafka", "relay", "route")

    assert stack.inside("relay", "cat", "/tls/relay.pem") != before
    event_id = publish(hub, 2)
    assert delivered(hub, {event_id}) == {event_id: 1}


def test_a_backup_brings_everything_back(hub: ContainedHub, stack: Stack, tmp_path: Path) -> None:
    """After all volumes are gone, the archives hold what was delivered and what was accepted."""
    before = publish(hub, 3)
    assert delivered(hub, {before}) == {before: 1}
    stack.command("stop", "kafka")
    underway = publish(hub, 4)

    stack.backup("save", str(tmp_path))
    stack.command("down", "-v")
    stack.backup("load", str(tmp_path))
    await_answer(hub)

    assert delivered(hub, {before, underway}) == {before: 1, underway: 1}


def test_a_backup_is_not_loaded_over_what_is_there(stack: Stack, tmp_path: Path) -> None:
    """Where volumes exist, loading refuses and touches nothing."""
    with pytest.raises(AssertionError, match="nothing was loaded"):
        stack.backup("load", str(tmp_path))


def publish(hub: ContainedHub, number: int) -> str:
    """Send one referral; the id that the hub acknowledged."""
    with hub.client(SENDER) as sender:
        return str(sender.publish(referral(number)).event_id)


def delivered(hub: ContainedHub, wanted: set[str]) -> dict[str, int]:
    """How often each of these came to the organiser, once all came or patience is over."""
    with hub.client(RECIPIENT) as recipient:
        seen = inbox(recipient, wanted, DELIVERY_SECONDS)
    return {one: seen[one] for one in wanted}
