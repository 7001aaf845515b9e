"""One POST to a receiver that nobody here trusts; with `connections` the only user of httpcore.

The name is resolved once and the connection goes to the address that was judged. Redirects are
answers like any other. A whole exchange has a deadline, and of its answer 64 KiB are read.
"""

from __future__ import annotations

import ssl
import threading
import time
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

import httpcore

from consumers.addresses import Target
from consumers.connections import IDLE_SECONDS, Connections
from consumers.errors import AddressRefused, NotSent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consumers.addresses import AddressPolicy, Resolver

ANSWER_BYTES: Final = 64 * 1024
CONNECT_SECONDS: Final = 5.0
EXCHANGE_SECONDS: Final = 10.0
REMEMBERED: Final = 4096
"""URLs that are taken apart once."""


@cache
def _trusted() -> ssl.SSLContext:
    """The system's authorities; reading all of them takes a while, so once a process."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said.

    Attributes:
        headers: names in lower case; of a repeated one the last.
        body: at most 64 KiB of it.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Place:
    """A URL that may be called, as httpcore wants it."""

    scheme: str
    url: httpcore.URL
    host: bytes


class Poster:
    """Posts; safe from several threads, and connections are used again.

    Args:
        policy: which addresses may be called.
        resolver: how names become addresses.
        tls: checks certificates; the system's authorities when None.
        seconds: how long a whole exchange may take.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        resolver: Resolver,
        *,
        tls: ssl.SSLContext | None = None,
        seconds: float = EXCHANGE_SECONDS,
    ) -> None:
        self._seconds = seconds
        self._exchange = _Exchange()
        self._place = lru_cache(REMEMBERED)(lambda url: _placed(policy, url))
        trusted = tls or _trusted()
        backend = _Guarded(policy, resolver, self._exchange)
        self._connections = Connections(
            lambda origin: httpcore.HTTPConnection(
                origin, trusted, keepalive_expiry=IDLE_SECONDS, network_backend=backend
            )
        )

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request and read its answer; blocks for ten seconds at most.

        Raises:
            NotSent: there was no answer, or none that came to its end; `reason` says why. Whether
                the receiver took the request is then unknown.
        """
        try:
            place = self._place(url)
            self._exchange.start(place.scheme, self._seconds)
            return self._answer(place, headers, body)
        except AddressRefused as error:
            raise NotSent("address_refused") from error
        except httpcore.TimeoutException as error:
            raise NotSent("timeout") from error
        except httpcore.ConnectError as error:
            raise NotSent(_why_unconnected(error)) from error
        except (httpcore.ProtocolError, httpcore.NetworkError) as error:
            raise NotSent("answer_incomplete") from error

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def _answer(self, place: _Place, headers: Mapping[str, str], body: bytes) -> Answer:
        length = b"%d" % len(body)
        given = [(name.encode(), value.encode()) for name, value in headers.items()]
        request = httpcore.Request(
            b"POST",
            place.url,
            headers=[(b"Host", place.host), *given, (b"Content-Length", length)],
            content=body,
            extensions={"timeout": {"connect": CONNECT_SECONDS}},
        )
        with self._connections.lent(place.url.origin) as connection:
            response = connection.handle_request(request)
            try:
                read = bytearray()
                for chunk in response.iter_stream():
                    read += chunk
                    if len(read) >= ANSWER_BYTES:
                        break  # a connection that still has something to say is not used again
            finally:
                response.close()
        found = {name.decode().lower(): _text(value) for name, value in response.headers}
        return Answer(response.status, found, bytes(read[:ANSWER_BYTES]))


def _placed(policy: AddressPolicy, url: str) -> _Place:
    """Raises AddressRefused."""
    target = policy.target(url)
    parsed = httpcore.URL(url)
    host = parsed.host if parsed.port is None else b"%b:%d" % (parsed.host, parsed.port)
    return _Place(target.scheme, parsed, host)


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _why_unconnected(error: BaseException) -> str:
    """The code of a failed connection, by what lies behind httpcore's own error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _Refused):
            return "address_refused"
        if isinstance(cause, _NoName):
            return "name_unknown"
        # A certificate alone is a verdict; a handshake that breaks off is as good as no connection,
        # as at a balancer whose servers are being replaced.
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "tls_failed"
        cause = cause.__cause__ or cause.__context__
    return "connection_failed"


class _Refused(httpcore.ConnectError):
    """The name leads to an address that may not be called."""


class _NoName(httpcore.ConnectError):
    """The name leads nowhere."""


class _Exchange(threading.local):
    """The exchange of this thread: of which scheme, and when it has to be over."""

    scheme: str = "https"
    until: float = 0.0

    def start(self, scheme: str, seconds: float) -> None:
        self.scheme = scheme
        self.until = time.monotonic() + seconds

    def left(self, limit: float | None, kind: type[httpcore.TimeoutException]) -> float:
        """The seconds that one step may take; raises `kind` when none are left."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise kind
        return left if limit is None else min(left, limit)


class _Guarded(httpcore.NetworkBackend):
    """Connects to the address that the policy chose, and to no other."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver, exchange: _Exchange) -> None:
        self._policy = policy
        self._resolver = resolver
        self._exchange = exchange
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """One connection; httpcore then starts TLS on it for the host's name."""
        try:
            target = Target(self._exchange.scheme, host, port)
            address = self._policy.choose(target, self._resolver)
        except AddressRefused as error:
            raise _Refused from error
        except OSError as error:
            raise _NoName from error
        left = self._exchange.left(timeout, httpcore.ConnectTimeout)
        stream = self._real.connect_tcp(
            address, port, timeout=left, local_address=local_address, socket_options=socket_options
        )
        return _Timed(stream, self._exchange)


class _Timed(httpcore.NetworkStream):
    """A stream whose steps end at the deadline, however little each of them takes."""

    def __init__(self, stream: httpcore.NetworkStream, exchange: _Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._exchange.left(timeout, httpcore.ReadTimeout)
        return self._stream.read(max_bytes, timeout=left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        left = self._exchange.left(timeout, httpcore.WriteTimeout)
        self._stream.write(buffer, timeout=left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._exchange.left(timeout, httpcore.ConnectTimeout)
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, left), self._exchange)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
