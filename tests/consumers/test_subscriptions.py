"""Subscriptions, dead letters and leases on both databases."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
import standardwebhooks

from consumers import dead_letters, deliveries, leases, signatures, subscriptions
from consumers.dead_letters import Choice, Counted
from consumers.errors import CredentialsLost, SecretLost
from consumers.scope import WHOLE_HUB, Scope
from consumers.tables import inbox
from consumers.webhook_secrets import Oauth
from tests.consumers.receivers import Got, Receiver, Reply, always
from tests.consumers.webhook_world import (
    OCMW,
    ORGANISER,
    SECRET,
    PlainSeal,
    World,
    event_id,
    on_sqlite,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

OK = Reply(200)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """On SQLite."""
    with on_sqlite(tmp_path) as made:
        yield made


@pytest.fixture
def either(engine_of: Callable[..., Engine]) -> Iterator[World]:
    """On either database."""
    made = World(engine_of("consumers", read_only=True), engine_of("consumers"))
    yield made
    made.close()


def test_a_dead_letter_is_redriven_to_the_one_that_failed(either: World) -> None:
    """Rendered anew under the same id, for that subscription alone; the line says who and why."""
    refused = Reply(422, b"unknown code")
    is_well = False

    def answer(got: Got, _number: int) -> Reply:
        return OK if is_well or got.headers["webhook-id"] != event_id(1) else refused

    with Receiver(answer) as receiver, Receiver(always(OK)) as other:
        made, beside = either.subscribe(receiver.url), either.subscribe(other.url)
        sent = either.arrive(0, 1, 2)
        either.settle()
        letters = either.letters(made)
        is_well = True
        with either.writing.begin() as connection:
            would = dead_letters.failed(connection, [*letters, *letters])
            done = dead_letters.redrive(
                connection, letters, by="c-1", why="mended", now=either.clock.now_us()
            )
        either.settle()

    ids = [one.headers["webhook-id"] for one in receiver.got]
    assert ids == [*sent, sent[1]]
    assert would == done == letters
    assert len(other.got) == 3
    assert either.copies.asked.count(sent[1]) == 3
    assert either.letters(made) == either.letters(beside) == []
    with either.reading.connect() as connection:
        (ended,) = dead_letters.find(
            connection, Scope(OCMW), made, Choice(), state=dead_letters.REDRIVEN
        )
    assert (ended.ended_by, ended.why, ended.tries) == ("c-1", "mended", 1)
    assert ended == replace(
        letters[0], state="redriven", ended_at=ended.ended_at, ended_by="c-1", why="mended"
    )


def replay(world: World, subscription_id: str) -> None:
    """Send again all that the inbox has."""
    with world.writing.begin() as connection:
        subscriptions.change(connection, WHOLE_HUB, subscription_id, position=0)
    world.settle()


def test_a_replay_ends_the_dead_letters_of_what_it_sends(either: World) -> None:
    """One that fails again has one open dead letter, the newest; one that is delivered has none."""
    statuses = {event_id(0): 422, event_id(1): 422, event_id(2): 422}
    with Receiver(lambda got, _n: Reply(statuses[got.headers["webhook-id"]])) as receiver:
        made = either.subscribe(receiver.url)
        sent = either.arrive(0, 1, 2)
        either.settle()
        first = either.letters(made)
        statuses[event_id(0)] = 200
        either.copies.stopped = {event_id(1)}
        either.clock.advance(60)
        replay(either, made)

    (left,) = either.letters(made)
    assert (left.event_id, left.tries) == (sent[2], 2)
    assert left.id not in {one.id for one in first}
    with either.reading.connect() as connection:
        ended = dead_letters.find(
            connection, Scope(OCMW), made, Choice(), state=dead_letters.REDRIVEN
        )
    assert {one.id for one in ended} == {one.id for one in first}
    assert {(one.ended_by, one.why, one.ended_at) for one in ended} == {
        ("hub", "replay", either.clock.now_us())
    }


def test_a_redrive_says_what_it_sends_again(either: World) -> None:
    """Not what a replay delivered since it was chosen, whose dead letter only ends."""
    is_well = False
    with Receiver(lambda _got, _n: OK if is_well else Reply(422)) as receiver:
        made = either.subscribe(receiver.url)
        either.arrive(0, 1)
        either.settle()
        chosen = either.letters(made)
        is_well = True
        either.copies.broken = {event_id(1)}
        replay(either, made)
        with either.reading.connect() as connection:
            would = dead_letters.failed(connection, [*chosen, *chosen])
        with either.writing.begin() as connection:
            done = dead_letters.redrive(connection, chosen, by="c-1", why="mended", now=5)

    assert would == done == []
    assert either.states(made) == {"000": "delivered", "001": "pending"}


def test_dead_letters_are_chosen_by_what_they_have(either: World) -> None:
    """By code, event, trajectory, time and id; never those of another participant."""
    with Receiver(lambda _got, number: Reply(422 if number % 2 else 409)) as receiver:
        made = either.subscribe(receiver.url, concurrency=1)
        either.arrive(0, 1, 2)
        either.settle()
        noon = either.clock.now_us() + 1
        either.clock.advance(60)
        either.arrive(3, event_name="referral.accepted")
        either.settle()
    letters = either.letters(made)

    def chosen(scope: Scope = WHOLE_HUB, **given: object) -> list[str]:
        choice = Choice(**given)  # type: ignore[arg-type]  # each test names its own
        with either.reading.connect() as connection:
            found = dead_letters.find(connection, scope, made, choice)
        return [one.event_id[-1] for one in found[::-1]]

    assert chosen() == ["0", "1", "2", "3"]
    assert chosen(code="http_409") == ["0", "2"]
    assert chosen(event_name="referral.accepted") == chosen(since=noon) == ["3"]
    assert chosen(until=noon) == ["0", "1", "2"]
    assert chosen(trajectory_id="nowhere") == []
    assert chosen(ids=(letters[2].id,)) == ["2"]
    assert chosen(Scope(ORGANISER)) == []
    with either.reading.connect() as connection:
        assert dead_letters.counts(connection, Scope(OCMW)) == {made: 4}
        assert dead_letters.counts(connection, Scope(ORGANISER)) == {}
        assert len(dead_letters.kept(connection, letters)) == 4


def test_the_oldest_come_in_the_order_of_their_events(either: World) -> None:
    """Whenever they were given up on, page by page, and counted as a whole."""
    with Receiver(always(Reply(422))) as receiver:
        made = either.subscribe(receiver.url, concurrency=1)
        either.arrive(0, 1, 2)
        either.settle()
        first = either.letters(made)[0]
        with either.writing.begin() as connection:
            dead_letters.redrive(connection, [first], by="c-1", why="mended", now=5)
        either.settle()
    scope, everything = Scope(OCMW), Choice()
    with either.reading.connect() as connection:
        newest = dead_letters.find(connection, scope, made, everything)
        page = dead_letters.oldest(connection, scope, made, everything, after=None, limit=2)
        after = dead_letters.place_of(page[-1])
        rest = dead_letters.oldest(connection, scope, made, everything, after=after, limit=2)
        counted = dead_letters.counted(connection, scope, made, everything)
        none = dead_letters.counted(connection, Scope(ORGANISER), made, everything)
    with either.writing.begin() as connection:
        connection.execute(sa.delete(inbox).where(inbox.c.seq == page[0].seq))
        dead_letters.redrive(connection, rest, by="c-1", why="mended", now=5)
        left = dead_letters.counted(connection, scope, made, everything)

    assert [one.event_id[-1] for one in newest] == ["0", "2", "1"]
    assert [one.event_id[-1] for one in [*page, *rest]] == ["0", "1", "2"]
    assert (counted, none) == (Counted(3, 3, 3), Counted(0, 0, 0))
    assert left == Counted(2, 1, 1)


def test_a_discarded_one_keeps_its_reason(world: World) -> None:
    """It is not sent again, and no longer open."""
    with Receiver(always(Reply(422))) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(0)
        world.settle()
        with world.writing.begin() as connection:
            letters = world.letters(made)
            dead_letters.discard(connection, letters, by="c-1", why="test event", now=5)
        world.settle()

    assert len(receiver.got) == 1
    assert world.letters(made) == []


def test_the_owner_is_told_once_a_day(world: World) -> None:
    """However many there are."""
    alerted = []
    with Receiver(always(Reply(422))) as receiver:
        made = world.subscribe(receiver.url)
        for number in range(3):
            world.arrive(number)
            world.live(13 * 3600)
            alerted.append(world.one(made).alerted_at)

    assert alerted[0] == alerted[1] != alerted[2]


def test_a_replay_sends_what_came_since_again(world: World) -> None:
    """Under the same ids; attempts go on being counted."""
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(0, 1, 2)
        world.settle()
        with world.writing.begin() as connection:
            subscriptions.change(connection, Scope(OCMW), made, position=1)
        world.settle()

    assert [one.headers["webhook-id"] for one in receiver.got] == [*sent, *sent[1:]]
    assert world.one(made).position == 3


def test_both_secrets_sign_until_the_grace_is_over(world: World) -> None:
    """A receiver that knows either takes the message; afterwards only the new one signs."""
    fresh = signatures.new_secret()
    made = world.one(world.subscribe("http://127.0.0.1:9/"))
    with world.writing.begin() as connection:
        subscriptions.rotate(
            connection, made, world.seal, secret=fresh, grace_us=100, now=world.clock.now_us()
        )
    rotated, now = world.one(made.id), world.clock.now_us()
    both = subscriptions.signing_secrets(rotated, world.seal, now)
    later = subscriptions.signing_secrets(rotated, world.seal, now + 100)
    headers = signatures.headers(both, "m-1", int(time.time()), b'{"a": 1}')

    assert (both, later) == ([fresh, SECRET], [fresh])
    for secret in both:
        assert standardwebhooks.Webhook(secret).verify(b'{"a": 1}', headers) == {"a": 1}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(signatures.new_secret()).verify(b'{"a": 1}', headers)


def test_secrets_are_sealed_anew(world: World) -> None:
    """When the key-encryption key is replaced, nothing of the older one is left."""
    oauth = Oauth("https://issuer.example.org/token", "hub", "s3cret")
    made = world.subscribe("http://127.0.0.1:9/", oauth=oauth)
    newer = PlainSeal("k2")
    subscriptions.rewrap(world.writing, newer)
    found = world.one(made)

    assert "k1" not in found.secrets + str(found.oauth)
    assert subscriptions.signing_secrets(found, newer, 0) == [SECRET]
    assert subscriptions.oauth_of(found, newer) == oauth


def test_a_secret_replaced_meanwhile_stays(either: World) -> None:
    """Who seals anew waits for the owner, and reads again what it waited for."""
    made = either.subscribe("http://127.0.0.1:9/")
    fresh, newer = signatures.new_secret(), PlainSeal("k2")
    sealing = threading.Thread(target=subscriptions.rewrap, args=(either.writing, newer))
    with either.writing.begin() as connection:
        found = subscriptions.one(connection, Scope(OCMW), made, locked=True)
        assert found is not None
        sealing.start()
        sealing.join(0.5)
        assert sealing.is_alive()
        subscriptions.rotate(connection, found, either.seal, secret=fresh, grace_us=0, now=1)
    sealing.join()

    assert subscriptions.signing_secrets(either.one(made), newer, 1) == [fresh]


def test_a_subscription_is_its_participants_own(world: World) -> None:
    """Nobody else finds, changes or removes it."""
    made = world.subscribe("http://127.0.0.1:9/")
    with world.writing.begin() as connection:
        stranger = Scope(ORGANISER)
        subscriptions.change(connection, stranger, made, state="paused")
        subscriptions.remove(connection, stranger, made, now=0)
        assert subscriptions.one(connection, stranger, made) is None
        assert subscriptions.every(connection, stranger) == []
    assert world.one(made).state == "active"


def test_removing_takes_everything_along(world: World) -> None:
    """Attempts and dead letters too; the inbox stays, and what tells that nothing arrived."""
    with Receiver(lambda _got, number: Reply(422 if number else 500)) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(0, 1)
        world.live(5)
        assert len(world.letters(made)) == 2
        with world.writing.begin() as connection:
            subscriptions.remove(connection, Scope(OCMW), made, now=world.clock.now_us())
        again = world.subscribe(receiver.url)
        world.step()

    assert world.letters(made) == []
    assert world.states(made) == {"000": "stopped", "001": "stopped"}
    assert set(world.states(again)) == {"000", "001"}


def test_one_deliverer_has_a_subscription(either: World, tmp_path: Path) -> None:
    """Another gets it once it was given back, or once the first has ended."""
    first, second = (leases.open_leases(either.writing, tmp_path / "deliver.lock") for _ in "ab")
    assert first.acquire("s-1")
    assert not second.acquire("s-1")
    first.release("s-1")
    first.close()
    assert second.acquire("s-1")
    second.close()


def test_what_waits_is_counted_by_its_lane(either: World) -> None:
    """Only the first pending row of a lane has a time."""
    with Receiver(always(Reply(500))) as receiver:
        made = either.subscribe(receiver.url)
        either.arrive(*range(6), trajectories=2)
        either.step()
    with either.reading.connect() as connection:
        found = deliveries.newest(
            connection, WHOLE_HUB, made, state=deliveries.PENDING, before=None, limit=10
        )

    assert [one.next_at is not None for one in found[::-1]] == [True, True] + [False] * 4


def test_what_nobody_can_open_any_more_is_replaced(world: World) -> None:
    """A former secret whose key is gone signs nothing, whatever the grace."""
    made = world.one(world.subscribe("http://127.0.0.1:9/"))
    newer, fresh = PlainSeal("k2"), signatures.new_secret()
    newer.destroyed = {"k1"}
    with pytest.raises(SecretLost):
        subscriptions.signing_secrets(made, newer, 0)
    with world.writing.begin() as connection:
        subscriptions.rotate(connection, made, newer, secret=fresh, grace_us=100, now=1)

    assert subscriptions.signing_secrets(world.one(made.id), newer, 2) == [fresh]


def test_what_is_lost_keeps_no_older_key_alive(world: World) -> None:
    """Sealing anew passes it by, and seals the others."""
    oauth = Oauth("https://issuer.example.org/token", "hub", "s3cret")
    lost = world.one(world.subscribe("http://127.0.0.1:9/", oauth=oauth))
    world.seal.key = "k2"
    kept = world.subscribe("http://127.0.0.1:8/")
    newer = PlainSeal("k3")
    newer.destroyed = {"k1"}
    subscriptions.rewrap(world.writing, newer)

    assert world.one(lost.id) == lost
    assert newer.is_current(json.loads(world.one(kept).secrets)[0]["sealed"])
    with pytest.raises(CredentialsLost):
        subscriptions.oauth_of(lost, newer)
