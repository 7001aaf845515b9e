"""Following the feed: what is handled, kept, waited out and filled again."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from connectors.answers import Delivered, Refilled
from connectors.errors import HubRefused, HubUnavailable, StateUnusable
from connectors.following import EVERYTHING, Follower, Wanted
from connectors.patience import Patience
from connectors.positions import MemoryCursor, Position
from connectors.sdk import Event
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS = Message(nl="nee", en="no")
EXPIRED = HubRefused(410, "cursor_expired", WORDS)


def event(name: str, recorded: str = "2026-03-02T09:00:00Z") -> Event:
    """A delivered event."""
    return Event(name, "referral.created", {"id": name, "recordedtime": recorded}, {})


class ScriptedFeed:
    """Answers by a list: an error to raise, or steps of which a last one may be an error."""

    def __init__(self, *script: Exception | list[Delivered | Exception]) -> None:
        self.script = list(script)
        self.asked: list[tuple[str | None, str]] = []
        self.waits: list[int] = []
        self.refills: list[Refilled | Exception] = []
        self.since: list[str] = []

    def steps(
        self,
        after: str | None,
        *,
        form: str = "json",
        wanted: Wanted = EVERYTHING,  # noqa: ARG002 - the interface's
        limit: int = 100,  # noqa: ARG002 - the interface's
        wait_seconds: int = 0,
    ) -> Iterator[Delivered]:
        """The next answer."""
        self.asked.append((after, form))
        self.waits.append(wait_seconds)
        answer = self.script.pop(0)
        for step in [answer] if isinstance(answer, Exception) else answer:
            if isinstance(step, Exception):
                raise step
            yield step

    def backfill(self, since: str) -> Refilled:
        """The next refill."""
        self.since.append(since)
        answer = self.refills.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def page(cursor: str, *names: str, behind: int = 0) -> list[Delivered | Exception]:
    """One JSON page."""
    return [*(Delivered(event(name)) for name in names), Delivered(None, cursor, behind)]


def follower(
    feed: ScriptedFeed, store: MemoryCursor, waits: list[float] | None = None, **changes: Any
) -> Follower:
    """A follower that does not really wait."""
    pause = ([] if waits is None else waits).append
    patience = Patience(changes.pop("give_up_seconds", None), pause, lambda: 0.5)
    return Follower(feed, store, patience=patience, **changes)


def test_the_cursor_is_kept_after_the_page_was_handled() -> None:
    """Not while an event of it is in hand; the loop that ends there gets the page again."""
    store = MemoryCursor()
    events = follower(ScriptedFeed(page("2", "a", "b")), store).catch_up()

    assert [next(events).id, next(events).id] == ["a", "b"]
    assert store.load() == Position()
    assert not list(events)
    assert store.load() == Position("2", "2026-03-02T09:00:00Z")


def test_a_stream_keeps_the_cursor_of_each_event() -> None:
    """After an event of a stream only that one can come again."""
    store = MemoryCursor()
    feed = ScriptedFeed([Delivered(event("a"), "1"), Delivered(event("b"), "2")])
    events = follower(feed, store, form="sse").follow()

    assert [one.id for one in islice(events, 2)] == ["a", "b"]
    assert store.load().cursor == "1"
    assert feed.asked == [(None, "sse")]


def test_reading_goes_on_where_the_store_says() -> None:
    """A restart begins at the kept cursor."""
    feed = ScriptedFeed(page("9", "c"))

    assert [one.id for one in follower(feed, MemoryCursor(Position("7"))).catch_up()] == ["c"]
    assert feed.asked == [("7", "json")]


def test_pages_without_events_do_not_end_the_reading() -> None:
    """What was stopped leaves an empty page; more may follow it."""
    feed = ScriptedFeed(page("1", behind=1), page("2", "a"))

    assert [one.id for one in follower(feed, MemoryCursor()).catch_up()] == ["a"]


def test_outages_are_waited_out_and_the_same_is_asked_again() -> None:
    """Retry-After is a floor; an answer that breaks off repeats only what was not kept."""
    away = HubUnavailable(WORDS, retry_after_seconds=5)
    cut: list[Delivered | Exception] = [
        Delivered(event("a"), "1"),
        Delivered(event("b")),
        HubUnavailable(WORDS),
    ]
    feed, waits = ScriptedFeed(away, cut, page("2", "b")), list[float]()
    events = follower(feed, MemoryCursor(), waits, form="ndjson").follow()

    assert [one.id for one in islice(events, 3)] == ["a", "b", "b"]
    assert [after for after, _ in feed.asked] == [None, None, "1"]
    assert 5 <= waits[0] < 7
    assert len(waits) == 2


def test_giving_up_raises_what_the_hub_said() -> None:
    """A program run by the clock ends, and its cursor stays."""
    feed = ScriptedFeed(*[HubUnavailable(WORDS, retry_after_seconds=4)] * 3)
    store = MemoryCursor(Position("7"))
    with pytest.raises(HubUnavailable):
        list(follower(feed, store, give_up_seconds=10).catch_up())

    assert store.load() == Position("7")


def test_patience_begins_anew_with_what_came() -> None:
    """Two short outages with events between them are not one long one."""
    away = HubUnavailable(WORDS, retry_after_seconds=4)
    feed = ScriptedFeed(away, page("1", "a", behind=1), away, page("2", "b"))

    found = follower(feed, MemoryCursor(), give_up_seconds=6).catch_up()
    assert [one.id for one in found] == ["a", "b"]


def test_an_idle_hub_that_answers_at_once_is_not_asked_without_end() -> None:
    """One second between two empty answers; a long poll that lasted needs none."""
    times = iter([0.0, 0.1, 10.0, 40.0, 50.0])
    feed, waits = ScriptedFeed(page("1"), page("1"), page("2", "a")), list[float]()
    store = MemoryCursor(Position("1"))
    events = follower(feed, store, waits, clock=lambda: next(times)).follow()

    assert next(events).id == "a"
    assert waits == [1.0]
    assert set(feed.waits) == {20}


def test_an_expired_cursor_is_filled_again_from_a_day_before() -> None:
    """All the hub has, in as many calls as it takes; then the inbox is read from its beginning."""
    feed = ScriptedFeed(EXPIRED, page("12", "b", "c"))
    feed.refills = [Refilled(10_000, "2026-03-05T00:00:00Z"), Refilled(3, None)]
    store = MemoryCursor(Position("7", "2026-03-02T09:00:00Z"))

    assert [one.id for one in follower(feed, store).catch_up()] == ["b", "c"]
    assert feed.since == ["2026-03-01T09:00:00Z", "2026-03-05T00:00:00Z"]
    assert [after for after, _ in feed.asked] == ["7", None]
    assert store.load().cursor == "12"


def test_an_outage_while_it_is_filled_asks_all_again() -> None:
    """The call is idempotent, and the old cursor is kept until it succeeded."""
    feed = ScriptedFeed(EXPIRED, EXPIRED, page("12", "b"))
    feed.refills = [HubUnavailable(WORDS), Refilled(3, None)]
    store = MemoryCursor(Position("7", "2026-03-02T09:00:00Z"))

    assert [one.id for one in follower(feed, store).catch_up()] == ["b"]
    assert len(feed.since) == 2


def test_who_never_handled_an_event_says_from_when() -> None:
    """A time that nobody gave is not made up."""
    with pytest.raises(HubRefused):
        list(follower(ScriptedFeed(EXPIRED), MemoryCursor(Position("7"))).catch_up())
    feed = ScriptedFeed(EXPIRED, page("1", "a"))
    feed.refills = [Refilled(1, None)]
    from_then = follower(feed, MemoryCursor(Position("7")), backfill_from="2026-01-01T00:00:00Z")

    assert [one.id for one in from_then.catch_up()] == ["a"]
    assert feed.since == ["2026-01-01T00:00:00Z"]


def test_the_newest_time_counts_and_not_the_last() -> None:
    """History comes late with old times; it does not turn the clock back."""
    old, new = event("a", "2026-03-09T09:00:00.5Z"), event("b", "2024-01-01T00:00:00Z")
    store = MemoryCursor()
    list(
        follower(
            ScriptedFeed([Delivered(old), Delivered(new), Delivered(None, "2", 0)]), store
        ).catch_up()
    )

    assert store.load().recorded_at == "2026-03-09T09:00:00.5Z"


def test_other_refusals_are_the_callers() -> None:
    """A cursor of another's inbox is no reason to begin again."""
    refused = HubRefused(400, "cursor_invalid", WORDS)
    with pytest.raises(HubRefused):
        list(follower(ScriptedFeed(refused), MemoryCursor(Position("7"))).catch_up())


def test_a_cursor_belongs_to_its_filter() -> None:
    """Under another filter it would silently pass over events."""
    store = MemoryCursor()
    narrow = Wanted(types=("referral.*", "placement.*"))
    list(follower(ScriptedFeed(page("1", "a")), store, wanted=narrow).catch_up())
    same = Wanted(types=("placement.*", "referral.*"))
    list(follower(ScriptedFeed(page("2")), store, wanted=same).catch_up())

    with pytest.raises(StateUnusable):
        follower(ScriptedFeed(), store)
