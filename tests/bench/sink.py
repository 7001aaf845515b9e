"""Receivers of webhooks in a process of their own: one server, one path for each receiver.

It answers as soon as it has a request and remembers only whose message came when, so that it costs
little; a receiver does anything else only where `behave` says so.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import ssl
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from pathlib import Path

    from gateway.embedded.certificates import Certificates

OK: Final = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"
SLOW_SECONDS: Final = 9.5
"""Just before the hub gives up."""
HUGE_BYTES: Final = 100 * 1024 * 1024
_CHUNK: Final = b"x" * 65_536
_CHALLENGE: Final = b'.challenge"'


@dataclass(slots=True)
class _Receivers:
    """What the process knows of each receiver, by its name."""

    behaviour: defaultdict[str, str] = field(default_factory=lambda: defaultdict(lambda: "ok"))
    came: defaultdict[str, list[tuple[str, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    last: dict[str, tuple[bytes, bytes]] = field(default_factory=dict)


class _Line(asyncio.Protocol):
    """One connection; keeps it open unless the receiver's behaviour is to end it."""

    def __init__(self, receivers: _Receivers) -> None:
        self._receivers = receivers
        self._got = bytearray()
        self.transport: Any = None
        self.is_open = True

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.is_open = False

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._got[:end])
        whole = end + 4 + int(_header(head, b"content-length"))
        if len(self._got) < whole:
            return
        body = bytes(self._got[end + 4 : whole])
        del self._got[:whole]
        self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        name = head[: head.index(b" HTTP/")].rpartition(b"/")[2].decode()
        if _CHALLENGE in body:
            word = json.dumps({"challenge": json.loads(body)["data"]["challenge"]})
            self.transport.write(_said(200, body=word.encode()))
            return
        self._receivers.came[name].append(
            (_header(head, b"webhook-id").decode(), time.perf_counter())
        )
        self._receivers.last[name] = (head, body)
        BEHAVIOURS[self._receivers.behaviour[name]](self)


def _take(line: _Line) -> None:
    line.transport.write(OK)


def _take_late(line: _Line) -> None:
    asyncio.get_running_loop().call_later(SLOW_SECONDS, line.transport.write, OK)


def _take_some(line: _Line) -> None:
    is_unlucky = random.random() < 0.3  # noqa: S311 - three in ten
    line.transport.write(_said(503) if is_unlucky else OK)


def _end_midway(line: _Line) -> None:
    line.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
    line.transport.close()


def _say_much(line: _Line, left: int = HUGE_BYTES) -> None:
    """As much as is read, until all is said or the other side has enough."""
    if left == HUGE_BYTES:
        line.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % left)
    if not line.is_open or left <= 0:
        return
    if line.transport.get_write_buffer_size() < len(_CHUNK):
        line.transport.write(_CHUNK)
        left -= len(_CHUNK)
    asyncio.get_running_loop().call_later(0.0001, _say_much, line, left)


def _said(status: int, *headers: bytes, body: bytes = b"") -> bytes:
    lines = [b"HTTP/1.1 %d Said" % status, *headers, b"content-length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _saying(status: int, *headers: bytes) -> Callable[[_Line], None]:
    return lambda line: line.transport.write(_said(status, *headers))


BEHAVIOURS: Final[dict[str, Callable[[_Line], None]]] = {
    "ok": _take,
    "unavailable": _saying(503),
    "slow": _take_late,
    "failing 30 %": _take_some,
    "redirecting": _saying(307, b"location: https://127.0.0.1/elsewhere"),
    "gone": _saying(410),
    "429": _saying(429, b"retry-after: 5"),
    "100 MB answer": _say_much,
    "closing midway": _end_midway,
}
"""What a receiver may do with each message."""


class Sink:
    """The other end, in the process that measures."""

    def __init__(self, pipe: Connection, pid: int) -> None:
        self._pipe = pipe
        self.pid = pid
        self.port: int = pipe.recv()

    def url(self, name: str) -> str:
        """Where a receiver of this name is."""
        return f"https://127.0.0.1:{self.port}/{name}"

    def behave(self, name: str, how: str) -> None:
        """From now on a receiver does this, one of `BEHAVIOURS`."""
        self._ask("behave", name, how)

    def close(self) -> None:
        """Refuse connections and end those there are, until `listen`."""
        self._ask("close")

    def listen(self) -> None:
        """Take connections again, at the same port."""
        self._ask("listen")

    def count(self, name: str) -> int:
        """How many messages came to a receiver, repeats and refused ones too."""
        found: int = self._ask("count", name)
        return found

    def came(self, name: str) -> list[tuple[str, float]]:
        """Each message's id and when it came, in order; times are `time.perf_counter`'s."""
        found: list[tuple[str, float]] = self._ask("came", name)
        return found

    def last(self, name: str) -> tuple[bytes, bytes]:
        """Head and body of the last request."""
        found: tuple[bytes, bytes] = self._ask("last", name)
        return found

    def wait_for(self, name: str, number: int, seconds: float) -> None:
        """Wait until so many messages have come."""
        deadline = time.monotonic() + seconds
        while (found := self.count(name)) < number:
            assert time.monotonic() < deadline, f"{found} of {number} came to {name}"
            time.sleep(0.02)

    def _ask(self, *what: str) -> Any:
        self._pipe.send(what)
        return self._pipe.recv()


@contextmanager
def sink(certificates: Certificates) -> Iterator[Sink]:
    """Receivers on loopback behind TLS; they end with the block."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=_run, args=(certificates.of("broker"), theirs), daemon=True)
    process.start()
    try:
        yield Sink(mine, process.pid or 0)
    finally:
        process.terminate()
        process.join()


def _run(certificate: Path, pipe: Connection) -> None:
    uvloop.run(_serve(certificate, pipe))


async def _serve(certificate: Path, pipe: Connection) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    desk = _Desk(tls)
    await desk.listen()
    pipe.send(desk.port)
    asked = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), asked.set)
    os.set_blocking(pipe.fileno(), True)  # a long answer is more than a pipe holds
    while True:
        await asked.wait()
        asked.clear()
        while pipe.poll():
            name, *given = pipe.recv()
            pipe.send(await desk.answer(name, *given))


class _Desk:
    """Answers what the process that measures asks."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._receivers = _Receivers()
        self._server: asyncio.Server | None = None
        self._lines: list[_Line] = []
        self.port = 0

    async def listen(self) -> None:
        """Begin, or begin again."""
        self._server = await asyncio.get_running_loop().create_server(
            self._line, "127.0.0.1", self.port, ssl=self._tls, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def answer(self, what: str, *given: str) -> Any:
        """One answer."""
        if what == "listen":
            return await self.listen()
        known = self._receivers
        answers: dict[str, Callable[..., Any]] = {
            "behave": partial(known.behaviour.__setitem__),
            "close": self._close,
            "count": lambda name: len(known.came[name]),
            "came": lambda name: known.came[name],
            "last": lambda name: known.last[name],
        }
        return answers[what](*given)

    def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for one in self._lines:
            if one.is_open:
                one.transport.abort()
        self._lines.clear()

    def _line(self) -> _Line:
        made = _Line(self._receivers)
        self._lines.append(made)
        return made


def _header(head: bytes, name: bytes) -> bytes:
    """A header's value; empty when it is not there."""
    return head.lower().partition(b"\r\n" + name + b":")[2].partition(b"\r\n")[0].strip()
