"""The feed over HTTP, on an inbox that is a list."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import orjson
import pytest
from httpx_sse import connect_sse

from consumers.views import Wanted
from gateway.api import cursors, waiters
from gateway.api import feed as reading
from tests.gateway.api.conftest import PARTNER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from httpx_sse import ServerSentEvent

    from tests.gateway.api.conftest import Interface

HOURS_SECONDS = 10_000


def test_pages_follow_the_cursor(interface: Interface) -> None:
    """Page after page, every event once, in order."""
    interface.feed.events = [b'{"id":"%d"}' % number for number in range(5)]
    seen, path = [], "/v1/feed?limit=2"
    while events := (page := interface.get(path).json())["events"]:
        seen += [one["id"] for one in events]
        path = f"/v1/feed?limit=2&after={page['next']}"

    assert seen == ["0", "1", "2", "3", "4"]
    assert page["behind"] == 0


def test_a_foreign_or_broken_cursor_is_refused(interface: Interface) -> None:
    """Another inbox's cursor and a broken one are the same coded problem."""
    for cursor in (cursors.encode("somebody-else", 3), "%21", "AQ", "x" * 60):
        response = interface.get(f"/v1/feed?after={cursor}")
        assert (response.status_code, response.json()["code"]) == (400, "cursor_invalid")


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "wait=31", "limit=a", "limit=1&limit=2"])
def test_parameters_have_bounds(interface: Interface, query: str) -> None:
    """A parameter out of its bounds is refused by name."""
    response = interface.get(f"/v1/feed?{query}")

    assert response.status_code == 400
    assert response.json()["invalidParams"][0]["name"] == query.partition("=")[0]


def test_ndjson_reads_the_whole_inbox(interface: Interface) -> None:
    """One event a line, page after page, and the position last."""
    interface.feed.events = [b'{"id":"%d"}' % number for number in range(5)]
    response = interface.get("/v1/feed?limit=2", accept="application/x-ndjson")

    lines = [orjson.loads(line) for line in response.text.splitlines()]
    assert [line["id"] for line in lines[:-1]] == ["0", "1", "2", "3", "4"]
    assert lines[-1] == {
        "next": cursors.encode(PARTNER, 5),
        "behind": 0,
        "oldest": cursors.encode(PARTNER, 0),
    }


def test_a_stream_that_is_cut_says_where_to_go_on(interface: Interface) -> None:
    """A database that goes away halfway ends the stream with the position of what was sent."""
    interface.feed.events = [b'{"id":"%d"}' % number for number in range(5)]
    interface.feed.fails_after = 1
    response = interface.get("/v1/feed?limit=2", accept="application/x-ndjson")
    interface.feed.fails_after = float("inf")
    lines = [orjson.loads(line) for line in response.text.splitlines()]
    rest = interface.get(f"/v1/feed?after={lines[-1]['next']}").json()["events"]

    assert [line["id"] for line in lines[:-1]] == ["0", "1"]
    assert lines[-1]["behind"] == 3
    assert [one["id"] for one in rest] == ["2", "3", "4"]


def test_a_database_that_is_away_is_503(interface: Interface) -> None:
    """The driver's own error is a coded problem to come back after, not a fault of the hub."""
    interface.feed.fails_after = 0
    response = interface.get("/v1/feed")

    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response.headers["retry-after"]) >= 1


def test_other_media_types_are_406(interface: Interface) -> None:
    """What the feed cannot answer in is refused."""
    assert interface.get("/v1/feed", accept="text/html").status_code == 406


def test_a_long_poll_is_woken(interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting call answers when its inbox grows: otherwise it would wait for hours here."""
    monkeypatch.setattr(waiters, "FALLBACK_SECONDS", HOURS_SECONDS)
    monkeypatch.setattr(reading, "WAIT_SECONDS", HOURS_SECONDS)

    def grow() -> None:
        interface.feed.events.append(b'{"id":"1"}')
        interface.wake.wake(f"other,{PARTNER}".encode())

    timer = threading.Timer(0.3, grow)
    timer.start()
    response = interface.get(f"/v1/feed?wait={HOURS_SECONDS}")
    timer.join()

    assert [one["id"] for one in response.json()["events"]] == ["1"]


def test_an_empty_inbox_answers_after_the_wait(interface: Interface) -> None:
    """Nothing came: an empty page with the same cursor."""
    response = interface.get("/v1/feed?wait=1")

    assert response.json()["events"] == []
    assert response.json()["next"] == cursors.encode(PARTNER, 0)


def test_a_time_begins_a_replay(interface: Interface) -> None:
    """From a time come the events since, in the same order; `next` goes on from there."""
    interface.feed.events = [b'{"id":"%d"}' % number for number in range(5)]
    first = interface.get("/v1/feed?from=1970-01-01T01:00:02%2B01:00&limit=2").json()
    rest = interface.get(f"/v1/feed?after={first['next']}").json()

    assert [one["id"] for one in first["events"]] == ["2", "3"]
    assert [one["id"] for one in rest["events"]] == ["4"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=yesterday", "not_an_instant"),
        ("from=2026-03-02T09:00:00", "not_an_instant"),
        ("from=2026-02-30T09:00:00Z", "not_an_instant"),
        ("from=", "not_an_instant"),
        ("from=2026-03-02T09:00:00Z&after=", "exclusive"),
        ("from=2026-03-02T09:00:00Z&from=2026-03-03T09:00:00Z", "repeated"),
    ],
)
def test_a_time_has_one_form(interface: Interface, query: str, code: str) -> None:
    """Anything but one RFC 3339 time, without a cursor beside it, is refused by name."""
    response = interface.get(f"/v1/feed?{query}")
    fault = response.json()["invalidParams"][0]

    assert response.status_code == 400
    assert (fault["name"], fault["code"]) == ("from", code)
    assert interface.feed.reads == 0


def test_the_scope_is_needed(interface: Interface) -> None:
    """A token without sj_feed_read reads nothing."""
    response = interface.get("/v1/feed", authorization=f"Bearer {PARTNER}+sj_referral_read")

    assert response.status_code == 403
    assert interface.feed.reads == 0


def test_an_event_source_follows_the_inbox(interface: Interface) -> None:
    """A client that knows server-sent events gets what is there and what comes, with cursors."""
    interface.feed.events = [b'{"id":"1"}', b'{"id":"2"}']
    seen: list[tuple[str, str]] = []
    with _streaming(interface) as events:
        for one in events:
            if not one.data:
                continue
            seen.append((one.json()["id"], one.id))
            if len(seen) == 2:
                interface.feed.events.append(b'{"id":"3"}')
                interface.wake.wake(PARTNER.encode())
            if len(seen) == 3:
                break

    assert [name for name, _ in seen] == ["1", "2", "3"]
    assert [cursor for _, cursor in seen] == [cursors.encode(PARTNER, n) for n in (1, 2, 3)]


def test_an_event_source_goes_on_where_it_was(interface: Interface) -> None:
    """`Last-Event-ID` counts more than where the address says to begin."""
    interface.feed.events = [b'{"id":"%d"}' % number for number in range(4)]
    last = cursors.encode(PARTNER, 3)
    with _streaming(interface, "from=1970-01-01T00:00:00Z", {"Last-Event-ID": last}) as events:
        first = next(one for one in events if one.data)

    assert first.json()["id"] == "3"


def test_a_stream_ends_with_its_token(interface: Interface) -> None:
    """Whose token is taken back reads no further, and what it has not seen is not disclosed."""
    interface.feed.events = [b'{"id":"1"}']
    seen = []
    with _streaming(interface) as events:
        for one in (one for one in events if one.data):
            seen.append(one.id)
            interface.tokens.taken_back.add(PARTNER)
            interface.feed.events.append(b'{"id":"2"}')
            interface.wake.wake(PARTNER.encode())

    assert seen == [cursors.encode(PARTNER, 1)]
    assert interface.feed.reads == 1


def test_a_stream_whose_issuer_answers_late_holds_up_no_other_call(interface: Interface) -> None:
    """Whether its token still counts is asked on a thread; meanwhile the gateway answers others."""
    interface.feed.events = [b'{"id":"1"}', b'{"id":"2"}']
    is_asked, has_answered, was_answered = threading.Event(), threading.Event(), []

    def late() -> None:
        is_asked.set()
        was_answered.append(has_answered.wait(10))

    interface.tokens.ask = late
    with _streaming(interface, "limit=1") as events:
        first = next(one for one in events if one.data)
        assert is_asked.wait(20)
        other = interface.get("/v1/me")
        has_answered.set()
        second = next(one for one in events if one.data)

    assert (first.json()["id"], second.json()["id"]) == ("1", "2")
    assert other.status_code == 200
    assert was_answered[0]


def test_a_quiet_stream_beats(interface: Interface, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes: a comment now and then, which no client takes for an event."""
    monkeypatch.setattr("gateway.api.event_stream.BEAT_SECONDS", 0.05)
    beats = 0
    with interface.client.listening() as address, httpx.Client(timeout=20) as http:
        headers = {"authorization": f"Bearer {PARTNER}", "accept": "text/event-stream"}
        with http.stream("GET", f"{address}/v1/feed", headers=headers) as answer:
            for line in answer.iter_lines():
                beats += line == ": beat"
                if beats == 3:
                    break

    assert beats == 3
    assert answer.headers["content-type"] == "text/event-stream"


def test_waiting_clients_are_one_look(
    interface: Interface, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads an inbox that has not grown; the thread looks for all in one query."""
    monkeypatch.setattr(waiters, "FALLBACK_SECONDS", 0.05)
    asked = {"headers": {"authorization": f"Bearer {PARTNER}"}}
    interface.client.call_all(*[("GET", "/v1/feed?wait=2", asked)] * 10)

    # Each reads when it comes, once it waits, when it is first seen waiting, and at its end.
    assert interface.feed.reads <= 10 * 4
    assert interface.feed.looks > 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=referral.created", Wanted(event_names=frozenset({"referral.created"}))),
        ("programme=wijk_werken", Wanted(programmes=frozenset({"wijk_werken"}))),
        ("nis=24107", Wanted(codes=frozenset({"24107"}))),
    ],
)
def test_a_caller_may_ask_for_less(interface: Interface, query: str, found: Wanted) -> None:
    """By type, programme or municipality."""
    assert interface.get(f"/v1/feed?{query}").status_code == 200
    assert interface.feed.wanted == found


def test_a_family_of_events_is_all_of_them(interface: Interface) -> None:
    """And names may be joined by commas."""
    interface.get("/v1/feed?type=agreement.*,referral.created")

    assert interface.feed.wanted.event_names > {"agreement.proposed", "referral.created"}
    assert "referral.accepted" not in interface.feed.wanted.event_names


@pytest.mark.parametrize(
    "query", ["type=referral.create", "type=", "type=person.*", "programme=wijkwerken", "nis=99999"]
)
def test_what_does_not_exist_is_refused_by_name(interface: Interface, query: str) -> None:
    """A slip would look like an inbox without news."""
    response = interface.get(f"/v1/feed?{query}")

    assert response.status_code == 400
    assert response.json()["invalidParams"][0]["name"] == query.partition("=")[0]


@contextmanager
def _streaming(
    interface: Interface, query: str = "", headers: dict[str, str] | None = None
) -> Iterator[Iterator[ServerSentEvent]]:
    """The events of the feed as an event source reads them, over a real connection."""
    given = {"authorization": f"Bearer {PARTNER}", **(headers or {})}
    with (
        interface.client.listening() as address,
        httpx.Client(timeout=20) as http,
        connect_sse(http, "GET", f"{address}/v1/feed?{query}", headers=given) as source,
    ):
        yield source.iter_sse()
