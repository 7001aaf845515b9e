"""Webhooks over HTTP on the real exchange: made, challenged, delivered to, and set right."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import standardwebhooks

from connectors.webhooks import verify_webhook
from consumers import dead_letters, inbox
from consumers.database import Stores
from consumers.dead_letters import DeadLetter
from consumers.signatures import new_secret
from gateway.api import letter_acts
from gateway.api.outward_calls import MOST_OF_ONE, MOST_OUTWARD
from gateway.api.subscription_desk import where_to
from gateway.exchange import audit
from gateway.exchange.key_file import FileKeyEncryption
from gateway.exchange.key_rotation import KeyRotation
from schemas.moments import to_rfc3339
from tests.consumers.receivers import Got, Receiver, Reply
from tests.gateway.api.parties import PARTNER
from tests.gateway.api.samples import CANARY, body
from tests.gateway.api.whole_hub import OCMW, STRANGER, Hub, hub
from tests.store_fixtures import opened

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

__all__ = ["hub"]

ADMIN = f"{PARTNER}+sj_admin"
PATH = "/v1/subscriptions"


class Behaviour:
    """A receiver that passes the challenge, and answers events as told."""

    def __init__(self, status: int = 200, *, passes: bool = True) -> None:
        self.status = status
        self.passes = passes
        self.events: list[Got] = []

    def __call__(self, got: Got, _number: int) -> Reply:
        """The answer to one message."""
        event = json.loads(got.body)
        if event["type"].endswith(".challenge"):
            word = event["data"]["challenge"] if self.passes else "?"
            return Reply(200, json.dumps({"challenge": word}).encode())
        self.events.append(got)
        return Reply(self.status)


def post(hub: Hub, who: str, path: str, content: Any, key: str | None = None) -> httpx.Response:
    """One call with a JSON body."""
    headers = {"content-type": "application/json", **({"idempotency-key": key} if key else {})}
    return hub.call(who, "POST", path, content=body(content), headers=headers)


def create(hub: Hub, url: str, key: str = "s-1", **more: Any) -> httpx.Response:
    """A subscription of the OCMW's."""
    return post(hub, OCMW, PATH, {"url": url, **more}, key)


def lose_what_webhooks_seal(hub: Hub, folder: Path) -> None:
    """Replace the key-encryption key, and leave what webhooks sealed under the older one."""
    with opened(Stores.sqlite(folder).ledger) as ledger:
        rotation = KeyRotation(hub.key_engine, FileKeyEncryption(folder / "kek"), ledger)
        rotation.run(hub.clock.now_us(), actor="operator", reason="asked")


def arrive(hub: Hub) -> str:
    """A referral in the OCMW's inbox; its event id."""
    event_id = str(hub.refer().json()["receipt"]["event_id"])
    hub.route.reroute([event_id])
    return event_id


def test_a_subscription_gets_what_its_feed_gets(hub: Hub) -> None:
    """Signed with the secret that was shown once, through the door webhook."""
    behaviour = Behaviour()
    with Receiver(behaviour) as receiver:
        made = create(hub, receiver.url)
        again = create(hub, receiver.url)
        event_id = arrive(hub)
        hub.deliver()
    (fed,) = hub.call(OCMW, "GET", "/v1/feed").json()["events"]
    (got,) = behaviour.events

    assert (made.status_code, made.json()["state"]) == (201, "active")
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert "secret" not in again.json()
    sent = standardwebhooks.Webhook(made.json()["secret"]).verify(got.body, dict(got.headers))
    assert sent == fed
    assert sent["id"] == event_id
    read = verify_webhook(got.headers, got.body, made.json()["secret"])
    assert (read.id, read.data) == (event_id, fed["data"])
    listed = hub.call(OCMW, "GET", f"{PATH}/{made.json()['id']}/deliveries").json()["deliveries"]
    assert [(one["event_id"], one["state"]) for one in listed] == [(event_id, "delivered")]


def test_who_does_not_answer_the_challenge_gets_nothing(hub: Hub) -> None:
    """It stays pending with the reason, and resuming asks again."""
    behaviour = Behaviour(passes=False)
    with Receiver(behaviour) as receiver:
        made = create(hub, receiver.url).json()
        arrive(hub)
        hub.deliver()
        paused = post(hub, OCMW, f"{PATH}/{made['id']}/pause", {})
        behaviour.passes = True
        resumed = post(hub, OCMW, f"{PATH}/{made['id']}/resume", {}).json()
        hub.deliver()

    assert (made["state"], made["reason"]) == ("pending", "challenge_not_repeated")
    assert (paused.status_code, paused.json()["code"]) == (409, "subscription_state")
    assert resumed["state"] == "active"
    assert len(behaviour.events) == 1


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"url": "http://10.0.0.1/x"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://a..b/hook"}, "url"),
        (
            {"oauth": {"token_endpoint": f"https://{'a' * 64}.example.org/", "client_id": "a",
                       "client_secret": "b"}},
            "oauth.token_endpoint",
        ),
        ({"event_types": ["referral.creatd"]}, "event_types"),
        ({"programmes": ["nope"]}, "programmes"),
        ({"municipalities": ["99999"]}, "municipalities"),
        ({"secret": "whsec_short"}, "secret"),
        (
            {"oauth": {"token_endpoint": "https://[::1]:99/", "client_id": "a",
                       "client_secret": "b"}, "url": "https://hook.invalid/"},
            None,
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(hub: Hub, change: dict[str, Any], name: str | None) -> None:
    """With the field named; loopback is allowed here, what lies inside is not."""
    response = create(hub, change.pop("url", "https://hook.invalid/"), **change)
    if name is None:
        assert response.json()["state"] == "pending"
    else:
        assert response.status_code == 422
        assert [one["name"] for one in response.json()["invalidParams"]] == [name]


def test_it_is_nobody_elses(hub: Hub) -> None:
    """A stranger gets the same answer as for none; an administrator sees it and no secret."""
    with Receiver(Behaviour()) as receiver:
        made = create(hub, receiver.url).json()
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/deliveries"),
        ("GET", "/dead-letters"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/test"),
    ):
        real = hub.call(STRANGER, method, f"{PATH}/{made['id']}{path}")
        invented = hub.call(STRANGER, method, f"{PATH}/0195550e{path}")
        assert (real.status_code, invented.status_code) == (404, 404), path
    assert hub.call(STRANGER, "GET", PATH).json() == {"subscriptions": []}
    (seen,) = hub.call(ADMIN, "GET", PATH).json()["subscriptions"]
    assert (seen["participant"], "secret" in seen) == (OCMW, False)
    assert post(hub, ADMIN, f"{PATH}/{made['id']}/secret", {}).status_code == 403


def test_without_a_key_or_with_another_body(hub: Hub) -> None:
    """A creation needs a mark of its own, which stands for one content."""
    with Receiver(Behaviour()) as receiver:
        create(hub, receiver.url)
        other = create(hub, receiver.url, rate=5)
        none = post(hub, OCMW, PATH, {"url": receiver.url})

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (none.status_code, none.json()["code"]) == (400, "idempotency_key_required")


def test_a_dead_letter_is_seen_tried_redriven_and_noted(hub: Hub) -> None:
    """By the owner or an administrator, without payload; the auditors read who and why."""
    behaviour = Behaviour(422)
    with Receiver(behaviour) as receiver:
        made = create(hub, receiver.url).json()
        event_id = arrive(hub)
        hub.deliver()
        here = f"{PATH}/{made['id']}/dead-letters"
        (letter,) = hub.call(OCMW, "GET", here).json()["dead_letters"]
        whole = hub.call(ADMIN, "GET", f"{here}/{letter['id']}")
        journey = hub.call(OCMW, "GET", f"/v1/events/{event_id}").json()
        dry = post(hub, ADMIN, f"{here}/redrive", {"code": "http_422", "dry_run": True}).json()
        unexplained = post(hub, OCMW, f"{here}/redrive", {})
        behaviour.status = 200
        done = post(hub, ADMIN, f"{here}/redrive", {"reason": "receiver mended"}).json()
        hub.deliver()

    assert (letter["event_id"], letter["code"], letter["state"]) == (event_id, "http_422", "open")
    assert [one["code"] for one in whole.json()["failed"]] == ["http_422"]
    assert CANARY not in whole.text
    own = next(one for one in journey["recipients"] if one["participant"] == OCMW)
    assert (own["state"], own["reason"]) == ("failed", "http_422")
    assert (dry["count"], dry["dry_run"], dry["sample"][0]["id"]) == (1, True, letter["id"])
    assert unexplained.json()["invalidParams"][0]["name"] == "reason"
    assert done["count"] == 1
    assert [got.headers["webhook-id"] for got in behaviour.events] == [event_id] * 2
    assert hub.call(OCMW, "GET", here).json()["dead_letters"] == []
    with hub.route.ledger.connect() as connection:
        (line,) = audit.lines(connection, act="dead_letters.redrive")
    assert (line.target, line.reason) == (made["id"], "receiver mended")
    later = hub.call(OCMW, "GET", f"/v1/events/{event_id}").json()
    own = next(one for one in later["recipients"] if one["participant"] == OCMW)
    assert own["state"] == "delivered"
    assert [(one["state"], one["attempts"]) for one in own["deliveries"]] == [("delivered", 2)]


def test_many_dead_letters_are_redriven_oldest_first(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call does no more than its bound and says where it stopped; the next goes on there.

    What is given up on again meanwhile waits for somebody to look at it, and is not chosen anew.
    """
    monkeypatch.setattr(letter_acts, "SLICE", 2)
    monkeypatch.setattr(letter_acts, "MOST_AT_ONCE", 4)
    behaviour = Behaviour(422)
    with Receiver(behaviour) as receiver:
        made = create(hub, receiver.url).json()
        for number in range(5):
            answer = hub.refer(f"k-{number}", family_name=f"Testers-{number}").json()
            hub.route.reroute([answer["receipt"]["event_id"]])
        hub.deliver()
        sent = [got.headers["webhook-id"] for got in behaviour.events]
        here = f"{PATH}/{made['id']}/dead-letters"
        dry = post(hub, OCMW, f"{here}/redrive", {"dry_run": True}).json()
        asked = {"reason": "receiver mended"}
        first = post(hub, OCMW, f"{here}/redrive", asked).json()
        hub.deliver()
        last = post(hub, OCMW, f"{here}/redrive", {**asked, "after": first["after"]}).json()
    again = [one["event_id"] for one in first["sample"] + last["sample"]]

    assert (dry["count"], dry["more"]) == (5, False)
    assert (first["count"], first["more"]) == (4, True)
    assert (last["count"], last["more"], last["after"]) == (1, False, None)
    # A suspended receiver is probed with two: these are given up on again.
    assert [got.headers["webhook-id"] for got in behaviour.events[5:]] == again[:2]
    assert again == sorted(sent)
    assert [one["event_id"] for one in dry["sample"]] == again[:2]
    wrong = post(hub, OCMW, f"{here}/redrive", {**asked, "after": "x:y"})
    assert wrong.json()["invalidParams"][0]["code"] == "cursor_invalid"


def test_a_choice_of_more_than_one_call_does_is_told_as_it_is(hub: Hub) -> None:
    """The dry run counts all of it, and a call says that there are more."""
    with Receiver(Behaviour()) as receiver:
        made = create(hub, receiver.url).json()
    one = DeadLetter("", OCMW, made["id"], 0, "e", "referral.created", None, None, "http_422", 1,
                     None, 5)  # fmt: skip
    letters = [replace(one, id=f"{number:06}", seq=number) for number in range(1, 10_002)]
    with hub.turns.writing.begin() as connection:
        dead_letters.add(connection, letters)
    here = f"{PATH}/{made['id']}/dead-letters"
    dry = post(hub, OCMW, f"{here}/discard", {"dry_run": True}).json()
    lost = post(hub, OCMW, f"{here}/redrive", {"dry_run": True}).json()
    first = post(hub, OCMW, f"{here}/discard", {"reason": "test"}).json()
    left = hub.call(OCMW, "GET", here).json()["dead_letters"]
    again = {"reason": "test", "after": first["after"]}
    last = post(hub, OCMW, f"{here}/discard", again).json()

    assert (dry["count"], lost["count"], lost["no_longer_kept"]) == (10_001, 0, 10_001)
    assert (first["count"], first["more"]) == (10_000, True)
    assert [found["id"] for found in left] == ["010001"]
    assert (last["count"], last["more"]) == (1, False)


def test_a_journey_says_what_waits_and_until_when(hub: Hub) -> None:
    """A disclosure line is written before the bytes leave, so it alone is no delivery."""
    with Receiver(Behaviour(500)) as receiver:
        create(hub, receiver.url)
        event_id = arrive(hub)
        hub.deliver()
        journey = hub.call(OCMW, "GET", f"/v1/events/{event_id}").json()

    own = next(one for one in journey["recipients"] if one["participant"] == OCMW)
    assert (own["state"], own["reason"]) == ("pending", "http_500")
    (one,) = own["deliveries"]
    assert one["next_attempt_at"] == to_rfc3339(hub.clock.now_us() + 100_000)
    assert own["why"]["en"]


def test_test_replay_rotate_and_delete(hub: Hub) -> None:
    """Each does what it says; after a deletion nothing is sent."""
    behaviour = Behaviour()
    with Receiver(behaviour) as receiver:
        made = create(hub, receiver.url).json()
        mine = f"{PATH}/{made['id']}"
        tested = hub.call(OCMW, "POST", f"{mine}/test").json()
        since = to_rfc3339(hub.clock.now_us() - 1)
        event_id = arrive(hub)
        hub.deliver()
        replayed = post(hub, OCMW, f"{mine}/replay", {"since": since}).json()
        hub.deliver()
        fresh = new_secret()
        rotated = post(hub, OCMW, f"{mine}/secret", {"secret": fresh, "grace_hours": 1}).json()
        hub.call(OCMW, "POST", f"{mine}/test")
        last = behaviour.events[-1]
        assert hub.call(OCMW, "DELETE", mine).status_code == 204
        hub.deliver()
    with hub.route.ledger.connect() as connection:
        lines = audit.lines(connection, target=made["id"])
    acts = [line.act for line in lines[::-1]]
    assert acts == ["webhook.activate", "webhook.secret", "webhook.remove"]
    assert {(line.actor, line.reason) for line in lines} == {(f"{OCMW}-client", "to 127.0.0.1")}

    assert tested["delivered"] is True
    ids = [one.headers["webhook-id"] for one in behaviour.events]
    assert ids[1:3] == [event_id] * 2
    assert (replayed["rows"], rotated["secret"]) == (1, fresh)
    for secret in (fresh, made["secret"]):
        standardwebhooks.Webhook(secret).verify(last.body, dict(last.headers))
        assert verify_webhook(last.headers, last.body, [new_secret(), secret]).id
    assert hub.call(OCMW, "GET", mine).status_code == 404


def test_its_owner_sees_that_a_secret_is_lost_and_replaces_it(hub: Hub, tmp_path: Path) -> None:
    """Sealed under a key that is gone: the subscription says so, and calls that need it do."""
    behaviour = Behaviour()
    with Receiver(behaviour) as receiver:
        made = create(hub, receiver.url).json()
        mine = f"{PATH}/{made['id']}"
        event_id = arrive(hub)
        lose_what_webhooks_seal(hub, tmp_path)
        hub.deliver()
        seen = hub.call(OCMW, "GET", mine).json()
        journey = hub.call(OCMW, "GET", f"/v1/events/{event_id}").json()
        tested = hub.call(OCMW, "POST", f"{mine}/test")
        before = len(behaviour.events)
        fresh = post(hub, OCMW, f"{mine}/secret", {"grace_hours": 0}).json()["secret"]
        hub.deliver()
        (got,) = behaviour.events

    assert (seen["state"], seen["reason"], seen["attention"]) == ("suspended", "secret_lost", True)
    assert "/secret" in seen["why"]["nl"]
    assert "/secret" in seen["why"]["en"]
    own = next(one for one in journey["recipients"] if one["participant"] == OCMW)
    assert (own["state"], own["reason"]) == ("pending", "secret_lost")
    assert (tested.status_code, tested.json()["code"]) == (409, "secret_lost")
    assert before == 0
    assert verify_webhook(got.headers, got.body, fresh).id == event_id
    assert hub.call(OCMW, "GET", mine).json()["state"] == "active"


def test_what_left_the_inbox_unsent_is_said(hub: Hub) -> None:
    """A subscription that stood still too long says so, and the rest still comes."""
    behaviour = Behaviour()
    with Receiver(behaviour) as receiver:
        made = create(hub, receiver.url).json()
        mine = f"{PATH}/{made['id']}"
        hub.call(OCMW, "POST", f"{mine}/pause")
        arrive(hub)
        with hub.route.consumers.begin() as connection:
            inbox.forget(connection, before=hub.clock.now_us() + 1)
        seen = hub.call(OCMW, "GET", mine).json()
        hub.call(OCMW, "POST", f"{mine}/resume")
        hub.deliver()

    assert (made["missed"], made["attention"]) == (False, False)
    assert (seen["state"], seen["missed"], seen["attention"]) == ("paused", True, True)
    assert behaviour.events == []


def test_any_host_can_be_noted() -> None:
    """A host with a word about health is left out of the line, and refused nothing."""
    assert where_to("https://hook.example.org:8443/x") == "to hook.example.org"
    assert where_to("https://depressie.example.org/x") == "to a host that is not shown"


def test_slow_receivers_hold_up_no_other_call(hub: Hub) -> None:
    """Of one participant so many calls wait for receivers; one more is told to come back."""
    release, waiting = threading.Event(), threading.Semaphore(0)

    passed = Behaviour()

    def slow(got: Got, number: int) -> Reply:
        if number:
            waiting.release()
            release.wait(10)
        return passed(got, number)

    with Receiver(slow, serial=False) as receiver, ThreadPoolExecutor(MOST_OF_ONE) as callers:
        made = create(hub, receiver.url).json()
        path = f"{PATH}/{made['id']}/test"
        calls = [callers.submit(hub.call, OCMW, "POST", path) for _ in range(MOST_OF_ONE)]
        for _ in calls:
            assert waiting.acquire(timeout=10)
        one_more = hub.call(OCMW, "POST", path)
        listed = hub.call(OCMW, "GET", PATH)
        with hub.outward.waiting("another participant"):
            release.set()
        done = [call.result().status_code for call in calls]

    assert (one_more.status_code, one_more.json()["code"]) == (429, "too_many_at_once")
    assert one_more.headers["retry-after"] == "1"
    assert listed.status_code == 200
    assert done == [200] * MOST_OF_ONE


def test_a_busy_hub_makes_no_subscription_that_it_cannot_challenge(hub: Hub) -> None:
    """The same call is answered with the secret once there is room; 503 left nothing behind."""
    with Receiver(Behaviour()) as receiver:
        with ExitStack() as busy:
            for number in range(MOST_OUTWARD):
                busy.enter_context(hub.outward.waiting(f"participant-{number}"))
            refused = [
                create(hub, receiver.url, alerts=alerts) for alerts in (None, {"url": receiver.url})
            ]
            listed = hub.call(OCMW, "GET", PATH).json()["subscriptions"]
        made = create(hub, receiver.url)

    assert [(one.status_code, one.json()["code"]) for one in refused] == [(503, "overloaded")] * 2
    assert listed == []
    assert (made.status_code, made.json()["state"]) == (201, "active")
    assert made.json()["secret"].startswith("whsec_")


def test_a_repeated_creation_waits_for_nobody(hub: Hub) -> None:
    """It is answered with what was made, however many calls wait for receivers."""
    with Receiver(Behaviour()) as receiver:
        made = create(hub, receiver.url)
        with hub.outward.waiting(OCMW), hub.outward.waiting(OCMW):
            again = create(hub, receiver.url)
            other = create(hub, receiver.url, rate=5)

    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
