"""Receivers on loopback that behave as told, and remember what they were sent."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

CHUNK = b"x" * 65_536


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer.

    Attributes:
        promised: the length the head promises, when it is not that of the body.
        slowly: seconds before the head.
        drip: seconds between the bytes of the body.
        chunks: 64 KiB of filling, so many times, after the body.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    slowly: float = 0.0
    drip: float = 0.0
    chunks: int = 0


class _Server(ThreadingHTTPServer):
    """Says nothing of a sender that was killed in the middle of a request."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say of everything else what went wrong."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Receiver:
    """A server on a thread of its own; use as a context manager.

    Args:
        answer: says what to answer to the request and how many came before it.
        tls: makes it https.
        serial: it is asked for one answer at a time.
    """

    def __init__(
        self,
        answer: Callable[[Got, int], Reply],
        tls: ssl.SSLContext | None = None,
        *,
        serial: bool = True,
    ) -> None:
        self._serial = serial
        self.got: list[Got] = []
        self.answer = answer
        self.sent_bytes = 0
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}/hook"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, got: Got) -> Reply:
        with self._lock:
            self.got.append(got)
            number = len(self.got) - 1
            if self._serial:
                return self.answer(got, number)
        return self.answer(got, number)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # whoever sent it was killed meanwhile
                    self.close_connection = True
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = receiver._take(Got(self.path, headers, body))
                try:
                    self._reply(reply)
                except OSError:
                    self.close_connection = True

            def _reply(self, reply: Reply) -> None:
                time.sleep(reply.slowly)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                whole = len(reply.body) + reply.chunks * len(CHUNK)
                length = whole if reply.promised is None else reply.promised
                self.send_header("content-length", str(length))
                self.end_headers()
                for at in range(len(reply.body)):
                    self.wfile.write(reply.body[at : at + 1])
                    time.sleep(reply.drip)
                for _ in range(reply.chunks):
                    self.wfile.write(CHUNK)
                    receiver.sent_bytes += len(CHUNK)
                if reply.promised is not None:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


def always(reply: Reply) -> Callable[[Got, int], Reply]:
    """The same answer to everything."""
    return lambda _got, _number: reply
