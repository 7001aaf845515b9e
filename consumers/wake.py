"""Waking another process: a datagram beside SQLite, LISTEN/NOTIFY on PostgreSQL.

A wake-up is a hint and never the only way that work is found: every loop also looks by itself,
once a second at the latest.
So a waker may lose a wake-up, and never blocks or raises.
"""

from __future__ import annotations

import hashlib
import os
import select
import socket
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import psycopg
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumers.database import Stores

# A unix socket's path may have 107 bytes on Linux and 103 on macOS.
LONGEST_SOCKET_PATH = 100
# Datagrams above this may be refused by a kernel with default settings.
LARGEST_PAYLOAD = 64 * 1024
RECONNECT_SECONDS = 1.0


class Waker(Protocol):
    """Wakes whoever listens under the same name."""

    def wake(self, payload: bytes = b"") -> None:
        """Send one wake-up, best effort. Never blocks, never raises."""
        ...

    def close(self) -> None:
        """Let go of the socket or connection. Idempotent."""
        ...


class Listener(Protocol):
    """Waits for wake-ups."""

    def wait(self, timeout_seconds: float) -> list[bytes]:
        """Block until woken or timed out; the payloads that came, empty after a time-out."""
        ...

    def close(self) -> None:
        """Let go of the socket or connection; a waiting call returns soon. Idempotent."""
        ...


def naming(participants: Iterable[str]) -> bytes:
    """The payload of a wake-up for these participants alone."""
    return ",".join(sorted(participants)).encode()


def named(payloads: Iterable[bytes]) -> tuple[str, ...]:
    """Participant ids named in the payloads; empty, meaning all, when one of them names none."""
    names: set[str] = set()
    for payload in payloads:
        found = payload.decode("ascii", "replace").replace(",", " ").split()
        if not found:
            return ()
        names.update(found)
    return tuple(names)


class DatagramWaker:
    """Sends to the unix datagram socket at `path`; nobody listening there is no fault."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def wake(self, payload: bytes = b"") -> None:
        """Send one datagram; it is lost when the listener is away or its queue is full."""
        with suppress(OSError):
            self._socket.sendto(payload, self._path)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class DatagramListener:
    """Owns the unix datagram socket at `path`; a leftover of a killed process is replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with suppress(FileNotFoundError):
            path.unlink()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(str(path))
        path.chmod(0o600)
        self._inode = path.stat().st_ino

    def wait(self, timeout_seconds: float) -> list[bytes]:
        """Block until a datagram comes; take all that wait."""
        try:
            ready, _, _ = select.select([self._socket], [], [], timeout_seconds)
        except (OSError, ValueError):  # closed by another thread
            return []
        return self._drain() if ready else []

    def close(self) -> None:
        """Close the socket and remove its path, unless a successor took the path over."""
        self._socket.close()
        with suppress(OSError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()

    def _drain(self) -> list[bytes]:
        payloads: list[bytes] = []
        with suppress(OSError):
            while True:
                payloads.append(self._socket.recv(LARGEST_PAYLOAD))
        return payloads


class NotifyWaker:
    """Sends NOTIFY from a thread of its own; wake-ups that meet in it become one.

    Payloads are not carried: on PostgreSQL every process can read what it needs.
    """

    def __init__(self, url: str, channel: str) -> None:
        self._url = url
        self._channel = channel
        self._asked = threading.Event()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"notify-{channel}", daemon=True)
        self._thread.start()

    def wake(self, payload: bytes = b"") -> None:  # noqa: ARG002 - see the class
        """Ask the thread to notify."""
        self._asked.set()

    def close(self) -> None:
        """End the thread, after a wake-up still asked for."""
        self._closed = True
        self._asked.set()
        self._thread.join(timeout=RECONNECT_SECONDS * 2)

    def _run(self) -> None:
        while not self._closed:
            try:
                with _session(self._url) as connection:
                    self._notify(connection)
            except psycopg.Error:
                self._asked.set()  # nobody was woken: again, once the database is back
                threading.Event().wait(RECONNECT_SECONDS)

    def _notify(self, connection: psycopg.Connection) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            connection.execute("select pg_notify(%s, '')", (self._channel,))
            if self._closed:
                return


class NotifyListener:
    """Holds a session that LISTENs; reconnects by itself and then reports one wake-up."""

    def __init__(self, url: str, channel: str) -> None:
        self._url = url
        self._channel = channel
        self._connection: psycopg.Connection | None = None
        self._closed = threading.Event()

    def wait(self, timeout_seconds: float) -> list[bytes]:
        """Block until notified; all that waits becomes one empty payload."""
        if self._closed.is_set():
            return []
        try:
            if self._connection is None:
                self._connect()
                return [b""]  # what came while nobody listened is unknown: look
            assert self._connection is not None  # noqa: S101 - for the type checker
            for _ in self._connection.notifies(timeout=timeout_seconds, stop_after=1):
                return [b""]
        except psycopg.Error:
            self._disconnect()
            self._closed.wait(min(timeout_seconds, RECONNECT_SECONDS))
        return []

    def close(self) -> None:
        """Close the session."""
        self._closed.set()
        self._disconnect()

    def _connect(self) -> None:
        connection = _session(self._url)
        connection.execute(
            psycopg.sql.SQL("listen {}").format(psycopg.sql.Identifier(self._channel))
        )
        self._connection = connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()


class Wakers:
    """Makes the wakers and listeners of one installation, by the name of who is woken."""

    def __init__(self, stores: Stores, run_dir: Path) -> None:
        self._stores = stores
        self._run_dir = run_dir

    def waker(self, name: str) -> Waker:
        """A waker for whoever listens as `name`."""
        if self._stores.is_postgres:
            return NotifyWaker(self._stores.ledger, f"schakel_{name}")
        return DatagramWaker(socket_path(self._run_dir, name))

    def listener(self, name: str) -> Listener:
        """The listener called `name`; beside SQLite there can be one at a time."""
        if self._stores.is_postgres:
            return NotifyListener(self._stores.ledger, f"schakel_{name}")
        return DatagramListener(socket_path(self._run_dir, name))


def wakers(stores: Stores, run_dir: Path) -> Wakers:
    """Datagrams below `run_dir` for SQLite, LISTEN/NOTIFY for PostgreSQL."""
    return Wakers(stores, run_dir)


def socket_path(run_dir: Path, name: str) -> Path:
    """Where the socket called `name` is; the same answer in every process of one installation.

    A folder too deep for a socket's path is replaced by one in the system's temporary folder,
    named after it and private to this user.
    Raises PermissionError when somebody else made that folder first.
    """
    path = run_dir.resolve() / f"{name}.sock"
    if len(os.fsencode(path)) >= LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(run_dir.resolve())).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"schakel-{digest}" / f"{name}.sock"
        if len(os.fsencode(path)) >= LONGEST_SOCKET_PATH:
            path = Path("/tmp") / f"schakel-{digest}" / f"{name}.sock"  # noqa: S108 - checked below
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{path.parent} belongs to another user")
    return path


def _session(url: str) -> psycopg.Connection:
    parsed = make_url(url).set(drivername="postgresql").difference_update_query(["schema"])
    return psycopg.connect(parsed.render_as_string(hide_password=False), autocommit=True)
