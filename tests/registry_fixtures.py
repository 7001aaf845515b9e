"""Registries for tests: an empty ledger store on either database, and the demonstration's file."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consumers.database import Stores, open_engine
from gateway.exchange.registry_document import parse, read_yaml
from gateway.exchange.registry_store import RegistryStore
from tests.store_fixtures import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.registry import Environment
    from gateway.exchange.registry_entries import RegistryDocument

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "deploy" / "demo" / "registry.yaml"


def sqlite_url(folder: Path) -> str:
    """The URL of a fresh, migrated ledger store in a folder."""
    return migrated(Stores.sqlite(folder).ledger)


def migrated(url: str) -> str:
    """The URL itself, its store brought up to date."""
    migrate(url, "ledger")
    return url


@contextmanager
def open_store(url: str, environment: Environment = "test") -> Iterator[RegistryStore]:
    """A registry store on a migrated URL; its connections are closed at the end."""
    engine = open_engine(url)
    try:
        yield RegistryStore(engine, environment=environment)
    finally:
        engine.dispose()


def demo_document() -> RegistryDocument:
    """The demonstration's registry file, read."""
    return parse(demo_content(), "test")


def demo_content() -> Any:
    """The demonstration's registry file as plain data, free to be changed by a test."""
    return copy.deepcopy(_demo_file())


@cache
def _demo_file() -> Any:
    return read_yaml(DEMO)
