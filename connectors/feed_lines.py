"""From the bytes of a feed to its steps: JSON lines, and server-sent events (HTML standard).

Lines end at a line feed only: JSON text may hold other characters that Unicode counts as line ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from connectors.answers import Delivered, event_of, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from connectors.answers import Page


def of_page(page: Page) -> Iterator[Delivered]:
    """The steps of one JSON page; the cursor comes last, after every event."""
    for event in page.events:
        yield Delivered(event)
    yield Delivered(None, page.next, page.behind)


def of_json_lines(chunks: Iterable[bytes]) -> Iterator[Delivered]:
    """The steps of an NDJSON answer: its events, then the position alone.

    Raises:
        HubUnavailable: a line cannot be read, or the position did not come: ask again.
    """
    for line in _lines(chunks):
        body = _json(line)
        if isinstance(body, dict) and "next" in body and "specversion" not in body:
            behind = body.get("behind")
            yield Delivered(None, str(body["next"]), behind if isinstance(behind, int) else 0)
            return
        yield Delivered(event_of(body))
    raise unreadable()


def of_server_events(chunks: Iterable[bytes]) -> Iterator[Delivered]:
    """The steps of a `text/event-stream`; each has the cursor after it as its `id`.

    What was not ended by an empty line did not come whole and is left out, as the standard says.

    Raises:
        HubUnavailable: an event cannot be read: ask again.
    """
    cursor: str | None = None
    data: list[bytes] = []
    for line in _lines(chunks):
        if line:
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"id":
                cursor = value.decode("latin-1")
            elif name == b"data":
                data.append(value)
            continue
        if data:
            yield Delivered(event_of(_json(b"\n".join(data))), cursor)
        elif cursor is not None:
            yield Delivered(None, cursor)
        cursor, data = None, []


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Whole lines without their ends; what comes after the last line feed is no line."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest.append(first)
        for other in others:
            yield b"".join(rest).removesuffix(b"\r")
            rest = [other]


def _json(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise unreadable() from error
