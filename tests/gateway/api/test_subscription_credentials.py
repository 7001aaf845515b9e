"""A receiver that wants tokens, and an owner that replaces what the hub gets them with."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.exchange import audit
from tests.consumers.receivers import Got, Receiver, Reply
from tests.gateway.api.test_subscriptions import (
    ADMIN,
    PATH,
    arrive,
    create,
    lose_what_webhooks_seal,
    post,
)
from tests.gateway.api.whole_hub import OCMW, STRANGER, Hub, hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hub"]

RETRY_SECONDS = 3600


class Guarded:
    """Gives a token for the one secret that counts now, and takes messages with that token only."""

    def __init__(self) -> None:
        self.secret = "first"
        self.wants_token = True
        self.taken: list[Got] = []

    def __call__(self, got: Got, _number: int) -> Reply:
        """Token endpoint and receiver in one."""
        headers = {name.lower(): value for name, value in got.headers.items()}
        authorization = headers.get("authorization", "")
        if got.path == "/token":
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
            if pair != f"hub:{self.secret}":
                return Reply(401)
            token = {"access_token": f"for-{self.secret}", "token_type": "Bearer"}
            return Reply(200, json.dumps(token).encode())
        if self.wants_token and authorization != f"Bearer for-{self.secret}":
            return Reply(401)
        event = json.loads(got.body)
        if event["type"].endswith(".challenge"):
            return Reply(200, event["data"]["challenge"].encode())
        if not event["type"].endswith(".test"):
            self.taken.append(got)
        return Reply(204)


@pytest.fixture
def guarded() -> Guarded:
    """How the receiver behaves."""
    return Guarded()


@pytest.fixture
def receiver(guarded: Guarded) -> Iterator[Receiver]:
    """The receiver."""
    with Receiver(guarded) as made:
        yield made


def credentials(receiver: Receiver, secret: str) -> dict[str, Any]:
    """As they are asked for."""
    endpoint = f"http://127.0.0.1:{receiver.port}/token"
    return {"token_endpoint": endpoint, "client_id": "hub", "client_secret": secret}


def subscribed(hub: Hub, receiver: Receiver) -> str:
    """The path of a subscription whose receiver wants tokens."""
    made = create(hub, receiver.url, oauth=credentials(receiver, "first"))
    assert made.json()["state"] == "active", made.text
    return f"{PATH}/{made.json()['id']}"


def test_other_credentials_count_from_the_next_attempt_on(
    hub: Hub, receiver: Receiver, guarded: Guarded
) -> None:
    """A secret that ended is replaced; nothing is lost, and no answer shows either."""
    mine = subscribed(hub, receiver)
    guarded.secret = "second"
    event_id = arrive(hub)
    hub.deliver()
    before = len(guarded.taken)
    replaced = post(hub, OCMW, f"{mine}/oauth", {"oauth": credentials(receiver, "second")})
    tested = hub.call(OCMW, "POST", f"{mine}/test").json()
    hub.clock.advance(RETRY_SECONDS)
    hub.deliver()

    assert before == 0
    assert (replaced.status_code, replaced.json()["oauth"]) == (200, True)
    assert "second" not in replaced.text
    assert tested["delivered"]
    assert [json.loads(one.body)["id"] for one in guarded.taken] == [event_id]


def test_null_sends_without_a_token(hub: Hub, receiver: Receiver, guarded: Guarded) -> None:
    """A receiver that no longer asks for one."""
    mine = subscribed(hub, receiver)
    guarded.wants_token = False
    replaced = post(hub, OCMW, f"{mine}/oauth", {"oauth": None})
    arrive(hub)
    hub.deliver()
    (got,) = guarded.taken

    assert (replaced.status_code, replaced.json()["oauth"]) == (200, False)
    assert "authorization" not in {name.lower() for name in got.headers}


def test_credentials_that_were_lost_are_replaced_and_it_goes_on(
    hub: Hub, receiver: Receiver, guarded: Guarded, tmp_path: Path
) -> None:
    """Both secrets lay under a key that is gone; each is asked for by its name."""
    mine = subscribed(hub, receiver)
    event_id = arrive(hub)
    lose_what_webhooks_seal(hub, tmp_path)
    hub.deliver()
    post(hub, OCMW, f"{mine}/secret", {"grace_hours": 0})
    hub.deliver()
    seen = hub.call(OCMW, "GET", mine).json()
    post(hub, OCMW, f"{mine}/oauth", {"oauth": credentials(receiver, "first")})
    hub.deliver()

    assert (seen["state"], seen["reason"]) == ("suspended", "credentials_lost")
    assert "/oauth" in seen["why"]["nl"]
    assert "/oauth" in seen["why"]["en"]
    assert [json.loads(one.body)["id"] for one in guarded.taken] == [event_id]
    assert hub.call(OCMW, "GET", mine).json()["state"] == "active"


def test_an_address_inside_is_refused(hub: Hub, receiver: Receiver) -> None:
    """With the field named, and what was there stays."""
    mine = subscribed(hub, receiver)
    inside = {**credentials(receiver, "x"), "token_endpoint": "https://10.0.0.1/token"}
    refused = post(hub, OCMW, f"{mine}/oauth", {"oauth": inside})

    assert refused.status_code == 422
    assert [one["name"] for one in refused.json()["invalidParams"]] == ["oauth.token_endpoint"]
    assert hub.call(OCMW, "POST", f"{mine}/test").json()["delivered"]


def test_it_is_its_owners_alone_and_is_noted(hub: Hub, receiver: Receiver) -> None:
    """A stranger finds nothing, an administrator may not; auditors see that it was done."""
    mine = subscribed(hub, receiver)
    wanted = {"oauth": credentials(receiver, "first")}

    assert post(hub, STRANGER, f"{mine}/oauth", wanted).status_code == 404
    assert post(hub, ADMIN, f"{mine}/oauth", wanted).status_code == 403
    assert post(hub, OCMW, f"{mine}/oauth", wanted).status_code == 200
    assert post(hub, OCMW, f"{mine}/oauth", {}).status_code == 400
    with hub.route.ledger.connect() as connection:
        lines = audit.lines(connection, target=mine.removeprefix(f"{PATH}/"))
    assert [one.act for one in lines].count("webhook.oauth") == 1
