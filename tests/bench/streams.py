"""Whoever follows a feed as server-sent events, in a process that only notes what came when."""

from __future__ import annotations

import multiprocessing
import re
import selectors
import socket
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

_EVENT: Final = re.compile(rb'"id":"([^"]+)"')
_READ_BYTES: Final = 1 << 20


class Stream:
    """One stream that is open."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        pipe.recv()

    def arrived(self) -> dict[str, float]:
        """When each event came, by its id; times are `time.perf_counter`'s."""
        self._pipe.send("arrived")
        found: dict[str, float] = self._pipe.recv()
        return found


@contextmanager
def streaming(port: int, token: str, after: str) -> Iterator[Stream]:
    """A client that follows its feed after a cursor until the block ends."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=_follow, args=(port, token, after, theirs), daemon=True)
    process.start()
    try:
        yield Stream(mine)
    finally:
        process.terminate()
        process.join()


def _follow(port: int, token: str, after: str, pipe: Connection) -> None:
    arrived: dict[str, float] = {}
    line = _opened(port, token, after)
    pipe.send("open")
    watched = selectors.DefaultSelector()
    watched.register(line, selectors.EVENT_READ)
    watched.register(pipe, selectors.EVENT_READ)
    left = b""
    while True:
        for key, _ in watched.select():
            if key.fileobj is line:
                left = _noted(left + line.recv(_READ_BYTES), arrived)
            else:
                pipe.recv()
                pipe.send(arrived)


def _opened(port: int, token: str, after: str) -> socket.socket:
    """The connection, once the hub has begun its answer."""
    line = socket.create_connection(("127.0.0.1", port))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    line.sendall(
        f"GET /v1/feed?limit=500&after={after} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Accept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    head = b""
    while b"retry:" not in head:
        head += line.recv(_READ_BYTES)
    assert head.startswith(b"HTTP/1.1 200"), head[:500]
    return line


def _noted(data: bytes, arrived: dict[str, float]) -> bytes:
    """Note the events that have come whole; what is left has not."""
    now = time.perf_counter()
    whole, _, left = data.rpartition(b"\n\n")
    for one in whole.split(b"\n\n"):
        found = _EVENT.search(one.partition(b"data: ")[2])
        if found:
            arrived.setdefault(found[1].decode(), now)
    return left
