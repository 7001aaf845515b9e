"""What a receiver does, and what the delivery contract says follows."""

from __future__ import annotations

import json
import random
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import standardwebhooks
from sqlalchemy import event

from consumers import batches, deliveries, inbox, subscriptions
from consumers.retrying import SECOND_US
from consumers.scope import WHOLE_HUB, Scope
from consumers.turn import After, Turns
from consumers.webhook_secrets import Oauth
from tests.consumers.receivers import Got, Receiver, Reply, always
from tests.consumers.webhook_world import OCMW, ORGANISER, SECRET, World, event_id, on_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

OK, BUSY = Reply(200), Reply(500)
HOUR = 3600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """On SQLite."""
    with on_sqlite(tmp_path) as made:
        yield made


def ids(receiver: Receiver, start: int = 0) -> list[str]:
    """The ids that a receiver was sent, in order."""
    return [one.headers["webhook-id"] for one in receiver.got[start:]]


def in_order(taken: list[str], sent: list[str], trajectories: int) -> bool:
    """Whether the first copies of each trajectory came in the order they were sent."""
    firsts = list(dict.fromkeys(taken))
    return all(
        [one for one in firsts if int(one[-12:]) % trajectories == number]
        == [one for one in sent if int(one[-12:]) % trajectories == number]
        for number in range(trajectories)
    )


def test_everything_arrives_signed_and_in_order(world: World) -> None:
    """A verifier that knows nothing of us takes every message."""
    sent = world.arrive(*range(60), trajectories=6)
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url)
        world.settle()

    assert sorted(ids(receiver)) == sent
    assert in_order(ids(receiver), sent, 6)
    verifier = standardwebhooks.Webhook(SECRET)
    for got in receiver.got:
        event = verifier.verify(got.body, dict(got.headers))
        assert event["id"] == got.headers["webhook-id"]
        assert got.headers["content-type"].startswith("application/cloudevents+json")
    assert set(world.states(made).values()) == {"delivered"}
    assert (world.one(made).position, world.one(made).due_at) == (60, None)
    assert world.step() == 0


def test_failing_at_random_loses_nothing_and_keeps_order(world: World) -> None:
    """Thirty in a hundred fail; a trajectory waits for its first, the others go on."""
    dice = random.Random(3)  # noqa: S311 - a seed, so that a failure comes again
    taken: list[str] = []

    def answer(got: Got, _number: int) -> Reply:
        if dice.random() < 0.3:
            return BUSY
        taken.append(got.headers["webhook-id"])
        return OK

    sent = world.arrive(*range(60), trajectories=10)
    with Receiver(answer) as receiver:
        made = world.subscribe(receiver.url)
        world.live(HOUR)

    assert taken == list(dict.fromkeys(taken))
    assert in_order(taken, sent, 10)
    assert set(world.states(made).values()) == {"delivered"}


def test_an_hour_away_and_back(world: World) -> None:
    """The breaker opens and probes ever less often; then everything comes, in order."""
    taken: list[str] = []
    is_up = False

    def answer(got: Got, _number: int) -> Reply:
        if not is_up:
            return Reply(503)
        taken.append(got.headers["webhook-id"])
        return OK

    with Receiver(answer) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(*range(40), trajectories=8)
        world.live(HOUR)
        asked, state = len(receiver.got), world.one(made)
        sent += world.arrive(*range(40, 80), trajectories=8)
        is_up = True
        world.live(61)

    assert (state.state, state.reason) == ("suspended", "unreachable")
    assert 30 < asked < 400
    assert taken == list(dict.fromkeys(taken))
    assert in_order(taken, sent, 8)
    assert sorted(taken) == sent
    assert world.one(made).state == "active"
    assert world.letters(made) == []


def test_a_probe_tries_two(world: World) -> None:
    """While the breaker is open two are tried at a time: the oldest, and one seldom tried."""
    with Receiver(always(BUSY)) as receiver:
        made = world.subscribe(receiver.url, concurrency=1)
        world.arrive(*range(20), trajectories=20)
        world.settle()
        opened = len(receiver.got)
        world.live(120)
        probes = ids(receiver, opened)

    assert opened == 5
    assert probes[::2] == [event_id(0)] * (len(probes) // 2)
    assert probes[1:7:2] == [event_id(number) for number in (5, 6, 7)]
    assert world.one(made).state == "suspended"


def test_events_that_are_refused_for_ever_hide_no_receiver(world: World) -> None:
    """Five that fail each time open the breaker; the next probe finds that others are taken."""
    bad = {event_id(number) for number in range(5)}
    with Receiver(lambda got, _n: BUSY if got.headers["webhook-id"] in bad else OK) as receiver:
        made = world.subscribe(receiver.url, concurrency=1)
        world.arrive(*range(12), trajectories=12)
        world.settle()
        opened = world.one(made).state
        world.live(10)

    assert opened == "suspended"
    assert world.one(made).state == "active"
    assert set(ids(receiver)) == {event_id(number) for number in range(12)}


@pytest.mark.parametrize(
    ("reply", "code"),
    [(Reply(422, b"no"), "http_422"), (Reply(404), "http_404"), (Reply(400), "http_400")],
)
def test_a_permanent_refusal_is_a_dead_letter_at_once(
    world: World, reply: Reply, code: str
) -> None:
    """What came after it in the trajectory goes on in the same turn."""
    with Receiver(lambda _got, number: reply if number == 0 else OK) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(0, 1, 2)
        world.settle()

    assert ids(receiver) == sent
    (letter,) = world.letters(made)
    assert (letter.code, letter.event_id, letter.tries) == (code, sent[0], 1)
    assert (letter.dataschema, letter.event_name) == ("/schemas/ids/7", "referral.created")
    assert world.states(made) == {"000": "failed", "001": "delivered", "002": "delivered"}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 504])
def test_what_may_pass_is_tried_again(world: World, status: int) -> None:
    """And later events of the trajectory wait until it has."""
    with Receiver(lambda _got, number: Reply(status) if number < 2 else OK) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(0, 1)
        world.live(5)

    assert ids(receiver) == [sent[0], sent[0], sent[0], sent[1]]
    assert world.letters(made) == []
    with world.reading.connect() as connection:
        tries = deliveries.attempts_of(connection, Scope(OCMW), made, 1)
    assert [(one.number, one.code) for one in tries] == [
        (1, f"http_{status}"),
        (2, f"http_{status}"),
    ]


def test_a_redirect_is_refused(world: World) -> None:
    """Nobody goes where it points; it is given up at once."""
    with Receiver(always(OK)) as inner:
        moved = Reply(302, headers={"Location": inner.url})
        with Receiver(always(moved)) as receiver:
            made = world.subscribe(receiver.url)
            world.arrive(0)
            world.settle()
    assert inner.got == []
    assert [one.code for one in world.letters(made)] == ["redirected"]


def test_gone_stops_the_subscription(world: World) -> None:
    """Nothing is lost: when its owner wakes it, it goes on with the event that met 410."""
    with Receiver(lambda _got, number: Reply(410) if number == 0 else OK) as receiver:
        made = world.subscribe(receiver.url, concurrency=1)
        sent = world.arrive(*range(3), trajectories=3)
        world.live(HOUR)
        stopped, state = len(receiver.got), world.one(made)
        with world.writing.begin() as connection:
            values = {"state": "active", "reason": None, "due_at": world.clock.now_us()}
            subscriptions.change(connection, WHOLE_HUB, made, **values)
        world.live(1)

    assert (stopped, state.state, state.reason) == (1, "gone", "http_410")
    assert sorted(ids(receiver, 1)) == sent
    assert world.letters(made) == []


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(world: World, status: int) -> None:
    """The whole subscription rests for as long as was asked, and then goes on."""
    wait = Reply(status, headers={"Retry-After": "90"})
    with Receiver(lambda _got, number: wait if number == 0 else OK) as receiver:
        made = world.subscribe(receiver.url, concurrency=1)
        sent = world.arrive(*range(3), trajectories=3)
        world.live(89)
        before = len(receiver.got)
        world.live(2)

    assert before == 1
    assert sorted(ids(receiver, 1)) == sent
    assert world.one(made).failures == 0


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(200, b"half", promised=100), "answer_incomplete"),
        (Reply(200, slowly=0.6), "timeout"),
    ],
)
def test_no_whole_answer_in_time_is_no_success(world: World, reply: Reply, code: str) -> None:
    """It is sent again under the same id, until it is answered."""
    with Receiver(lambda _got, number: reply if number == 0 else OK) as receiver:
        made = world.subscribe(receiver.url)
        (sent,) = world.arrive(0)
        world.live(5)

    assert ids(receiver) == [sent, sent]
    with world.reading.connect() as connection:
        (tried,) = deliveries.attempts_of(connection, Scope(OCMW), made, 1)
    assert tried.code == code


def test_an_endless_answer_is_a_success(world: World) -> None:
    """Its status counts; 100 MB of it are not read."""
    with Receiver(always(Reply(200, chunks=1600))) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(0)
        world.settle()

    assert world.states(made) == {"000": "delivered"}
    assert receiver.sent_bytes < 50_000_000


def test_after_the_window_it_is_a_dead_letter_and_the_rest_goes_on(world: World) -> None:
    """All attempts are kept; the last one is at the end of the window."""
    with Receiver(
        lambda got, _n: BUSY if got.headers["webhook-id"] == event_id(0) else OK
    ) as receiver:
        made = world.subscribe(receiver.url, window_us=2 * HOUR * 1_000_000)
        began = world.clock.now_us()
        sent = world.arrive(0, 2, 1, trajectories=2)
        world.live(HOUR)
        waiting = world.states(made)
        world.live(HOUR + 1)
        world.live(1)

    assert waiting == {"000": "pending", "001": "delivered", "002": "pending"}
    (letter,) = world.letters(made)
    assert (letter.code, letter.event_id) == ("http_500", sent[0])
    assert letter.dead_at - began == 2 * HOUR * 1_000_000
    with world.reading.connect() as connection:
        tries = deliveries.attempts_of(connection, Scope(OCMW), made, letter.seq)
    assert [one.number for one in tries] == list(range(1, letter.tries + 1))
    assert world.states(made)["002"] == "delivered"


def test_an_excerpt_says_why_and_nothing_about_anybody(world: World) -> None:
    """An answer that repeats what it was sent is left out as a whole."""
    answers = [b'{"error": "unknown case"}', b"no such person: TESTERS", b"call +32 000 12 34 56"]
    with Receiver(lambda _got, number: Reply(422, answers[number])) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(*range(3))
        world.settle()

    found = [one.excerpt for one in world.letters(made)]
    assert found == ['{"error": "unknown case"}', "[withheld]", "[withheld]"]


def test_what_is_stopped_is_skipped_and_asked_again_at_each_attempt(world: World) -> None:
    """Stopped before the first attempt, and stopped while it waits for its second."""
    with Receiver(lambda _got, number: BUSY if number == 0 else OK) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(0, 1, 2)
        world.step()
        world.copies.stopped = {sent[0], sent[1]}
        world.live(5)

    assert ids(receiver) == [sent[0], sent[2]]
    assert world.states(made) == {"000": "stopped", "001": "stopped", "002": "delivered"}
    assert world.copies.asked.count(sent[0]) == 2


def test_one_that_cannot_be_opened_holds_up_its_trajectory_only(world: World) -> None:
    """It is tried again, and the receiver is not to blame."""
    world.copies.broken = {event_id(0)}
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(0, 1, 2, trajectories=2)
        world.settle()
        first = ids(receiver)
        world.copies.broken = set()
        world.live(5)

    assert first == [sent[1]]
    assert ids(receiver, 1) == [sent[0], sent[2]]
    assert world.one(made).failures == 0


def slow_turns(world: World, seconds: float) -> Turns:
    """Turns on a clock on which each event takes so long to render, and nothing else any time."""
    return replace(world.turns, passed=lambda: seconds * len(world.copies.asked))


def test_what_took_long_to_render_is_sent(world: World) -> None:
    """The half second in which events may leave begins when they have been rendered."""
    turns = slow_turns(world, 0.3)
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(0, 1)
        turns.take(made)

    assert ids(receiver) == sent


def test_what_takes_long_to_render_goes_in_small_turns(world: World) -> None:
    """So that no event leaves long after it was asked whether it may; later they grow again."""
    taken = []
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(*range(40))
        for seconds in (0.1, 0.2, 0.01, 0.01):
            before = len(receiver.got)
            slow_turns(world, seconds).take(made)
            taken.append(len(receiver.got) - before)

    assert taken == [8, 2, 1, 2]


@pytest.mark.parametrize("oauth", [None, Oauth("http://127.0.0.1:9/token", "hub", "s")])
def test_a_lost_secret_suspends_and_says_why(world: World, oauth: Oauth | None) -> None:
    """Nothing is rendered that cannot leave; its owner gets dead letters, and so is told."""
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url, oauth=oauth, window_us=HOUR * SECOND_US)
        world.arrive(0)
        world.seal.key, world.seal.destroyed = "k2", {"k1"}
        if oauth is not None:
            world.replace_secret(made)
        world.step()
        seen = world.one(made)
        world.live(2 * HOUR)

    code = "secret_lost" if oauth is None else "credentials_lost"
    assert (seen.state, seen.reason) == ("suspended", code)
    assert [letter.code for letter in world.letters(made)] == [code]
    assert (receiver.got, world.copies.asked) == ([], [])


def test_with_a_new_secret_it_goes_on_in_order(world: World) -> None:
    """Whatever came meanwhile is sent, signed with the new one."""
    with Receiver(always(OK)) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(*range(12), trajectories=2)
        world.seal.key, world.seal.destroyed = "k2", {"k1"}
        world.live(30)
        fresh = world.replace_secret(made)
        world.live(61)

    assert in_order(ids(receiver), sent, 2)
    assert sorted(ids(receiver)) == sent
    got = receiver.got[0]
    assert standardwebhooks.Webhook(fresh).verify(got.body, dict(got.headers))
    assert (world.one(made).state, world.one(made).reason) == ("active", None)


def test_filters_let_through_what_was_asked_for(world: World) -> None:
    """By event, municipality and programme; a programme that is not told is let through."""
    with Receiver(always(OK)) as receiver:
        world.subscribe(
            receiver.url,
            event_names=("referral.created",),
            municipalities=("24107",),
            programmes=("wijk_werken",),
        )
        wanted = world.arrive(1)
        world.arrive(2, event_name="referral.accepted")
        world.arrive(3, nis="24062")
        world.arrive(4, programme="article_60")
        wanted += world.arrive(5, programme=None)
        world.arrive(6, to=ORGANISER)
        world.settle()

    assert ids(receiver) == wanted


def test_a_row_that_was_taken_back_is_forgotten(world: World) -> None:
    """What stood behind it goes on; the row that came in its place is sent."""
    with Receiver(lambda _got, number: BUSY if number == 0 else OK) as receiver:
        made = world.subscribe(receiver.url)
        sent = world.arrive(0, 1)
        world.step()
        with world.writing.begin() as connection:
            inbox.forget(connection, before=world.clock.now_us() + 1)
        sent += world.arrive(2)
        world.live(5)

    assert ids(receiver) == [sent[0], sent[2]]
    assert world.states(made) == {"002": "delivered"}


def test_a_full_subscription_rests_until_something_is_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is new stays in the inbox and costs no turn that writes; then all of it goes."""
    monkeypatch.setattr(batches, "MOST_WAITING", 5)
    is_up = False
    with Receiver(lambda _got, number: OK if is_up or not number else BUSY) as receiver:
        made = world.subscribe(receiver.url)
        world.arrive(0)
        world.settle()
        world.arrive(*range(1, 7))
        world.settle()
        new = world.arrive(7, 8)
        world.settle()
        position, asked = world.one(made).position, len(receiver.got)
        with written(world.writing) as statements:
            after = world.turns.take(made)
        is_up = True
        world.live(5)

    assert (position, after, statements) == (7, After.NOTHING, [])
    assert ids(receiver)[-2:] == new
    assert asked == 2
    assert set(world.states(made).values()) == {"delivered"}


@contextmanager
def written(engine: Engine) -> Iterator[list[str]]:
    """What is sent to a store meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_a_rate_is_kept(world: World) -> None:
    """In each second of business time no more than so many."""
    with Receiver(always(OK)) as receiver:
        world.subscribe(receiver.url, rate=5)
        world.arrive(*range(12), trajectories=12)
        seen = []
        for _ in range(3):
            world.settle()
            seen.append(len(receiver.got))
            world.clock.advance(1)

    assert seen == [5, 10, 12]


def test_no_more_at_once_than_was_asked(world: World) -> None:
    """And as many as that, when there are so many trajectories."""
    together = threading.Barrier(3)
    lock, running, most = threading.Lock(), 0, 0

    def answer(_got: Got, number: int) -> Reply:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        if number < 3:
            together.wait(10)
        with lock:
            running -= 1
        return OK

    with Receiver(answer, serial=False) as receiver:
        made = world.subscribe(receiver.url, concurrency=3)
        world.arrive(*range(20), trajectories=20)
        world.settle()

    assert most == 3
    assert set(world.states(made).values()) == {"delivered"}


def test_what_its_owner_changed_meanwhile_stays(world: World) -> None:
    """A pause and a replay during a turn are not undone by what the turn writes down."""
    changes: list[dict[str, Any]] = [{"state": "paused", "position": 0}]

    def answer(_got: Got, _number: int) -> Reply:
        for values in changes:
            with world.writing.begin() as connection:
                subscriptions.change(connection, WHOLE_HUB, made, **values)
        changes.clear()
        return OK

    with Receiver(answer) as receiver:
        made = world.subscribe(receiver.url, concurrency=1)
        world.arrive(0, 1)
        with world.writing.begin() as connection:
            subscriptions.change(connection, WHOLE_HUB, made, position=0)
        world.step()

    assert len(receiver.got) == 2
    assert world.one(made).state == "paused"


def test_what_arrived_while_it_was_removed_is_told(world: World) -> None:
    """The journey goes by these rows: one event was taken, the other never comes."""

    def answer(_got: Got, number: int) -> Reply:
        if number:
            return Reply(500)
        with world.writing.begin() as connection:
            subscriptions.remove(connection, Scope(OCMW), made, now=world.clock.now_us())
        return OK

    with Receiver(answer) as receiver:
        made = world.subscribe(receiver.url, concurrency=1)
        world.arrive(0, 1, trajectories=2)
        world.step()

    assert len(receiver.got) == 2
    assert world.states(made) == {"000": "delivered", "001": "stopped"}


def test_a_token_is_got_for_the_receiver_and_replaced_when_refused(world: World) -> None:
    """Client credentials go to the token endpoint; the receiver sees the bearer token alone."""
    given = iter(["first", "second"])

    def tokens(_got: Got, _number: int) -> Reply:
        return Reply(
            200, json.dumps({"access_token": next(given), "token_type": "Bearer"}).encode()
        )

    def answer(got: Got, _number: int) -> Reply:
        is_stale = got.headers["authorization"] == "Bearer first" and len(receiver.got) > 1
        return Reply(401) if is_stale else OK

    with Receiver(tokens) as issuer, Receiver(answer) as receiver:
        oauth = Oauth(issuer.url, "hub", "s3cret", "events")
        made = world.subscribe(receiver.url, oauth=oauth)
        world.arrive(0, 1)
        world.settle()

    seen = [one.headers["authorization"] for one in receiver.got]
    assert seen == ["Bearer first", "Bearer first", "Bearer second"]
    assert b"scope=events" in issuer.got[0].body
    assert world.states(made) == {"000": "delivered", "001": "delivered"}
    assert "s3cret" not in repr(oauth)
