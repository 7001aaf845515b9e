"""The feed over HTTP, on an inbox that is a list."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import orjson
import pytest

from gateway.api import cursors, waiters
from tests.gateway.api.conftest import PARTNER

if TYPE_CHECKING:
    from tests.gateway.api.conftest import Interface


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
    """A waiting call answers when its inbox grows; nobody looks again by himself here."""
    monkeypatch.setattr(waiters, "FALLBACK_SECONDS", 60.0)

    def grow() -> None:
        interface.feed.events.append(b'{"id":"1"}')
        interface.wake.wake(f"other,{PARTNER}".encode())

    timer = threading.Timer(0.3, grow)
    timer.start()
    started = time.monotonic()
    response = interface.get("/v1/feed?wait=30")
    timer.join()

    assert [one["id"] for one in response.json()["events"]] == ["1"]
    assert time.monotonic() - started < 15


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
