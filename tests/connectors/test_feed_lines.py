"""The bytes of a feed become steps, wherever the network cuts them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from connectors.errors import HubUnavailable
from connectors.feed_lines import of_json_lines, of_server_events

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connectors.answers import Delivered

LINES = "ab\u2028\u0085\x1c\u00e9"
"""Characters that Unicode, and not JSON, takes for line ends."""
EVENTS = [
    json.dumps({"specversion": "1.0", "id": f"e-{n}", "data": {"text": LINES}}, ensure_ascii=False)
    for n in (1, 2)
]
POSITION = '{"next":"AB","behind":3,"oldest":"AA"}'
NDJSON = f"{EVENTS[0]}\n{EVENTS[1]}\n{POSITION}\n".encode()
SSE = (
    f"retry: 2000\n\nid: A1\ndata: {EVENTS[0]}\n\n: beat\n\nid: A2\ndata: {EVENTS[1]}\n\nid: A3\n\n"
).encode()


def told(steps: Iterable[Delivered]) -> list[tuple[str | None, str | None, int | None]]:
    """Id, cursor and what is behind, of each step; texts came whole."""
    found = list(steps)
    assert {one.event.data["text"] for one in found if one.event is not None} <= {LINES}
    return [(one.event.id if one.event else None, one.cursor, one.behind) for one in found]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
def test_json_lines_are_read_however_they_are_cut(size: int) -> None:
    """Events first, the position last."""
    chunks = [NDJSON[at : at + size] for at in range(0, len(NDJSON), size)]

    expected = [("e-1", None, None), ("e-2", None, None), (None, "AB", 3)]
    assert told(of_json_lines(chunks)) == expected


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_server_sent_events_are_read_however_they_are_cut(size: int, end: bytes) -> None:
    """Each with its cursor; beats say nothing; a position may come alone."""
    body = SSE.replace(b"\n", end)
    chunks = [body[at : at + size] for at in range(0, len(body), size)]

    expected = [("e-1", "A1", None), ("e-2", "A2", None), (None, "A3", None)]
    assert told(of_server_events(chunks)) == expected


def test_an_answer_without_its_position_was_cut_off() -> None:
    """The caller asks again; it does not take the inbox for read."""
    with pytest.raises(HubUnavailable):
        list(of_json_lines([NDJSON[: NDJSON.index(b'{"next"') + 10]]))


def test_an_event_that_did_not_come_whole_is_left_out() -> None:
    """Its cursor is not told either, so it comes again."""
    cut = SSE[: SSE.index(b"A2") + 40]

    assert told(of_server_events([cut])) == [("e-1", "A1", None)]


@pytest.mark.parametrize("line", [b"{\n", b"[]\n", b"<html>\n"])
def test_what_is_no_event_is_unknown(line: bytes) -> None:
    """A proxy's page is not the end of the inbox."""
    with pytest.raises(HubUnavailable):
        list(of_json_lines([line]))
    with pytest.raises(HubUnavailable):
        list(of_server_events([b"data: " + line + b"\n"]))
