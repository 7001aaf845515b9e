"""A reader that comes back too late is told how to get the rest, and gets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers import inbox
from consumers.clock import MICROSECONDS_PER_DAY
from tests.letter.region import region
from tests.letter.steps import refer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.letter.region import Region


@pytest.fixture
def around(tmp_path: Path) -> Iterator[Region]:
    """The hub around Tienen."""
    with region(tmp_path / "hub") as made:
        yield made


def test_the_way_out_of_an_expired_cursor_works(around: Region) -> None:
    """410 names the call; the call gives a cursor; reading from there finds every event again."""
    refer(around, "caw-hageland")
    refer(around, "caw-hageland")
    first = around.get("ocmw-tienen", "/v1/feed?limit=1")
    everything = around.get("ocmw-tienen", "/v1/feed")["events"]
    with around.parts.doors.writing.begin() as connection:
        inbox.forget(connection, before=around.clock.now_us() + MICROSECONDS_PER_DAY)

    expired = around.call("ocmw-tienen", "GET", f"/v1/feed?after={first['next']}")
    assert (expired.status_code, expired.json()["code"]) == (410, "cursor_expired")
    since = {"from": around.today.replace(hour=0, minute=0).isoformat()}
    back = around.call("ocmw-tienen", "POST", expired.json()["backfill"], json=since)
    assert back.status_code == 200, back.text
    found = around.get("ocmw-tienen", f"/v1/feed?after={back.json()['after']}")

    assert [one["id"] for one in found["events"]] == [one["id"] for one in everything]
    assert back.json()["added"] == len(everything)
    assert back.json()["more_from"] is None


@pytest.mark.parametrize("body", [{}, {"from": "yesterday"}, {"from": 7}, {"since": "2026-01-01"}])
def test_a_time_is_needed(around: Region, body: dict[str, object]) -> None:
    """Anything else is refused by name, with nothing added."""
    answer = around.call("ocmw-tienen", "POST", "/v1/feed/backfill", json=body)

    assert answer.status_code in {400, 422}
    assert answer.json()["invalidParams"]


def test_only_who_reads_an_inbox_fills_it(around: Region) -> None:
    """The scope of the feed is needed."""
    answer = around.call(
        "ocmw-tienen+sj_referral_read", "POST", "/v1/feed/backfill", json={"from": "2026-01-01"}
    )

    assert answer.status_code == 403, answer.text
