"""What is received bears the partner's own number, which the hub tells to nobody."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from tests.connectors.stub_hub import receipt
from tests.connectors.test_csv_kind import delivered
from tests.connectors.workshop import row

if TYPE_CHECKING:
    from tests.connectors.stub_hub import StubHub
    from tests.connectors.workshop import Bench


def answer(hub: StubHub, number: int) -> dict[str, Any]:
    """An event about the case of the first event that was sent, as the real hub delivers it."""
    trajectory = receipt(hub.events[0])["trajectory_id"]
    found = {**delivered(number), "trajectoryid": trajectory}
    del found["sourcerecordid"]
    return found


def numbers(bench: Bench) -> list[str]:
    """The own number of each line received."""
    text = (bench.root / "inbox" / "in.csv").read_bytes().decode("utf-8-sig")
    return [line.split(";")[1] for line in text.splitlines()[1:]]


def test_a_line_bears_the_number_that_was_sent(bench: Bench, hub: StubHub) -> None:
    """The number of the row comes back with the answer to it; nobody else's case gets one."""
    bench.put("toeleidingen.csv", row(1))
    bench.run(hub.url)
    other = {**answer(hub, 2), "trajectoryid": "0190aaaa-0000-7000-8000-000000000001"}
    hub.inbox = [answer(hub, 1), other]
    bench.run(hub.url)
    assert numbers(bench) == ["D-1", ""]


def test_a_state_of_before_is_taken_over(bench: Bench, hub: StubHub) -> None:
    """It goes on where it was, and learns the numbers from the next file, changed or not."""
    bench.put("toeleidingen.csv", row(1))
    bench.run(hub.url)
    with sqlite3.connect(bench.data / "state.db") as state:
        state.executescript("drop table own_numbers; pragma user_version = 1;")
    hub.inbox = [answer(hub, 1)]
    bench.put("toeleidingen opnieuw.csv", row(1))
    bench.run(hub.url)
    hub.inbox.append(answer(hub, 2))
    bench.run(hub.url)
    assert len(hub.events) == 1
    assert numbers(bench) == ["", "D-1"]
