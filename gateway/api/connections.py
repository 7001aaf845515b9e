"""Where bytes come in: uvicorn's httptools protocol with limits on the head and on time.

uvicorn reads a head of any size and waits for a slow sender for ever. Here a head over the limit is
answered with 431 while it is still being read, and a head or body that takes too long with 408.
Connections are bounded, in all and for each address: who holds many without asking anything takes
nobody else's place.
One timer a loop looks at all connections each second, so that a request pays nothing for it.

Requests that two parsers could read differently (both lengths, folded headers, bare line feeds)
are refused by httptools; `tests/gateway/api/test_connections.py` holds it to that.
"""

from __future__ import annotations

import resource
import socket
import time
import weakref
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway import errors
from gateway.api import client_certificates, limits, problems, traces
from schemas.errors import Message, SchakelError

if TYPE_CHECKING:
    import asyncio

    from uvicorn.server import ServerState

KEEP_ALIVE_SECONDS: Final = 65
BACKLOG: Final = 2048
SWEEP_SECONDS: Final = 1.0
_OTHER_FILES: Final = 200
"""Of the files that the process may have open, those for databases, logs and sockets of its own."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `waiting_since` is set while a head or a body is incomplete."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.waiting_since = 0.0
        self.is_in_body = False
        self._head_bytes = 0
        self._head_headers = 0
        self._unparsed_bytes = 0
        self._is_head_too_large = False
        self._peer: dict[str, Any] = {}
        self._address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        """Start to wait for a first head."""
        super().connection_made(transport)
        self._peer = _peer_of(transport)
        self.waiting_since = time.monotonic()
        self._address = _address_of(transport)
        if not _sweeper_of(self.loop).add(self, self._address):
            self.refuse(_too_many())

    def connection_lost(self, exc: Exception | None) -> None:
        """Give its place to another."""
        _sweeper_of(self.loop).remove(self._address)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self.scope.update(self._peer)  # type: ignore[typeddict-item] # members of our own
        self._head_bytes = self._head_headers = 0
        if not self.waiting_since:
            self.waiting_since = time.monotonic()

    def on_url(self, url: bytes) -> None:
        """A part of the request target; counts towards the head."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; counts towards the head."""
        self._head_headers += 1
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; the body's time starts."""
        self.is_in_body = True
        self._unparsed_bytes = 0
        self.waiting_since = time.monotonic()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole; from here on the time is ours."""
        self.is_in_body = False
        self.waiting_since = 0.0
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless this connection was refused already."""
        if self.transport.is_closing():
            return
        is_in_head = bool(self.waiting_since) and not self.is_in_body
        super().data_received(data)
        if is_in_head and self.waiting_since and not self.is_in_body:
            # The parser keeps a header that has no end yet to itself, so it is counted here.
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > limits.HEADER_BYTES:
                self.refuse(limits.headers_too_large())

    def send_400_response(self, _msg: str) -> None:
        """Answer what httptools cannot or will not read, or what a callback here refused."""
        if self._is_head_too_large:
            self.refuse(limits.headers_too_large())
        else:
            self.refuse(problems.from_status(400))

    def refuse(self, error: SchakelError) -> None:
        """Answer with a problem outside the application, and close."""
        if self.transport.is_closing():
            return
        cycle: Any = self.cycle  # None before the first whole head, whatever uvicorn declares
        if cycle is not None and cycle.response_started:
            self.transport.close()
            return
        answer = problems.problem(
            error, language=problems.LANGUAGES[0], trace_id=traces.unsampled().trace_id
        )
        lines = [
            b"HTTP/1.1 %d Refused\r\n" % answer.status,
            b"content-type: %s\r\n" % problems.CONTENT_TYPE,
            b"content-length: %d\r\n" % len(answer.body),
            *(b"%s: %s\r\n" % pair for pair in answer.headers if pair[0] != b"connection"),
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"".join(lines) + answer.body)
        if cycle is not None and not cycle.response_complete:
            # The application must not write a second answer behind this one.
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()

    def check_time(self, now: float) -> None:
        """Refuse the request that has been incomplete for too long."""
        if not self.waiting_since or self.transport.is_closing():
            return
        allowed = limits.BODY_SECONDS if self.is_in_body else limits.HEAD_SECONDS
        if now - self.waiting_since > allowed:
            self.refuse(_too_slow(allowed))

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > limits.HEADER_BYTES or self._head_headers > limits.HEADER_COUNT:
            # httptools makes an error of its own of this one; the mark says what it was.
            self._is_head_too_large = True
            raise limits.headers_too_large()


def _peer_of(transport: asyncio.Transport) -> dict[str, Any]:
    """What an application cannot learn from uvicorn: the peer's certificate, and a Unix socket."""
    tls, bound = transport.get_extra_info("ssl_object"), transport.get_extra_info("socket")
    peer: dict[str, Any] = {}
    # The handshake is over, and with it the check against the authorities of `tls_client_ca`.
    der = None if tls is None else tls.getpeercert(binary_form=True)
    if der is not None:
        peer[client_certificates.PEER] = client_certificates.thumbprint(der)
    if bound is not None and bound.family == socket.AF_UNIX:
        peer[client_certificates.UNIX] = True
    return peer


def _address_of(transport: asyncio.Transport) -> str:
    """The peer's address; empty for a Unix socket, whose peers are on this machine."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""


class _Sweeper:
    """The open connections of one event loop: how many, and the timer that looks at each."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._open: weakref.WeakSet[BoundedProtocol] = weakref.WeakSet()
        self._is_armed = False
        self._addresses: Counter[str] = Counter()
        self._count = 0
        self._most = min(limits.CONNECTIONS, max(64, _files() - _OTHER_FILES))

    def add(self, connection: BoundedProtocol, address: str) -> bool:
        """Note a connection; False when there are too many, in all or of its address."""
        self._count += 1
        self._addresses[address] += 1
        self._open.add(connection)
        if not self._is_armed:
            self._is_armed = True
            self._loop.call_later(SWEEP_SECONDS, self._sweep)
        of_address = self._addresses[address] if address else 0
        return self._count <= self._most and of_address <= limits.CONNECTIONS_EACH

    def remove(self, address: str) -> None:
        """A connection that was noted is gone, refused ones too."""
        self._count -= 1
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in list(self._open):
            if connection.parser is None:
                self._open.discard(connection)
            else:
                connection.check_time(now)
        self._is_armed = bool(self._open)
        if self._is_armed:
            self._loop.call_later(SWEEP_SECONDS, self._sweep)


# Keyed by loop, because uvicorn makes connections without telling them anything of ours.
_sweepers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Sweeper] = (
    weakref.WeakKeyDictionary()
)


def _sweeper_of(loop: asyncio.AbstractEventLoop) -> _Sweeper:
    if loop not in _sweepers:
        _sweepers[loop] = _Sweeper(loop)
    return _sweepers[loop]


def _files() -> int:
    """How many files this process may have open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits.CONNECTIONS + _OTHER_FILES if soft == resource.RLIM_INFINITY else soft


def _too_many() -> errors.Overloaded:
    return errors.Overloaded(
        Message(
            nl="Te veel verbindingen staan open. Sluit er, of hergebruik ze; probeer straks weer.",
            en="Too many connections are open. Close some, or use them again; try in a moment.",
        )
    )


def _too_slow(seconds: float) -> errors.RequestTimeout:
    return errors.RequestTimeout(
        Message(
            nl=f"Het verzoek was na {seconds:.0f} seconden nog niet volledig.",
            en=f"The request was not complete after {seconds:.0f} seconds.",
        )
    )


def server_config(app: Any, *, host: str, port: int, **further: Any) -> uvicorn.Config:
    """Configure uvicorn for an application of ours: bounded, silent, no proxy headers.

    Args:
        app: the ASGI application.
        host: the address to listen on.
        port: likewise; 0 lets the system choose.
        further: other arguments of `uvicorn.Config`, such as `ssl_certfile` or `fd`.
    """
    settings: dict[str, Any] = {
        "http": BoundedProtocol,
        "ws": "none",
        "loop": "uvloop",
        "lifespan": "on",
        "interface": "asgi3",
        "access_log": False,
        "log_config": None,
        "server_header": False,
        "date_header": True,
        "proxy_headers": False,
        "backlog": BACKLOG,
        "timeout_keep_alive": KEEP_ALIVE_SECONDS,
        "timeout_graceful_shutdown": 8,
    }
    return uvicorn.Config(app, host=host, port=port, **{**settings, **further})
