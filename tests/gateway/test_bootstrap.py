"""The first administrator: made once, kept when its file is elsewhere, and recovered on request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from consumers.database import Stores
from gateway.bootstrap import ADMIN, ADMIN_FILE, ensure_administrator
from gateway.commands import client
from gateway.errors import NoHubHere, UnknownRecord
from gateway.exchange.credentials import public_part
from gateway.exchange.registry_store import RegistryStore
from gateway.settings import HubSettings
from tests.store_fixtures import migrated, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typer.testing import Result


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RegistryStore]:
    """The registry of a hub in this folder that never started."""
    with opened(migrated(Stores.sqlite(tmp_path)).ledger) as engine:
        yield RegistryStore(engine, environment="test")


def keys(store: RegistryStore) -> list[Any]:
    """The public keys of the administrator that count."""
    known = store.load().client(ADMIN)
    assert known is not None
    return [one.jwk for one in known.credentials]


def kept(file: Path) -> dict[str, Any]:
    """What stands in a credentials file, which nobody else may read."""
    assert file.stat().st_mode & 0o077 == 0
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def recover(folder: Path, *options: str, answer: str = "") -> Result:
    """The command at the machine."""
    return CliRunner().invoke(
        client.app, ["recover", "--data", str(folder), *options], input=answer
    )


def test_a_file_that_is_kept_elsewhere_goes_on_to_count(
    store: RegistryStore, tmp_path: Path
) -> None:
    """Also when another gateway starts with a folder of its own; the log says what to do."""
    settings = HubSettings(data=tmp_path)
    ensure_administrator(store, settings)
    file = tmp_path / ADMIN_FILE
    safe = file.rename(tmp_path / "safe.json")
    with capture_logs() as lines:
        ensure_administrator(store, settings)
        ensure_administrator(store, HubSettings(data=tmp_path / "second"))

    assert keys(store) == [public_part(kept(safe)["private_key"])]
    assert not file.exists()
    assert [(one["event"], one["if_lost"]) for one in lines] == [
        ("administrator_file_not_here", "schakel client recover")
    ] * 2


def test_a_lost_file_is_made_anew_at_the_machine(store: RegistryStore, tmp_path: Path) -> None:
    """It is asked first; the older key ends, wherever the new one is written."""
    ensure_administrator(store, HubSettings(data=tmp_path))
    file = tmp_path / ADMIN_FILE
    lost = kept(file)
    file.unlink()
    refused = recover(tmp_path, answer="n\n")
    assert (refused.exit_code, file.exists()) == (1, False)
    done = recover(tmp_path, answer="y\n")

    assert done.exit_code == 0, done.output
    found = kept(file)
    assert keys(store) == [public_part(found["private_key"])]
    assert {**lost, "private_key": 0} == {**found, "private_key": 0}
    assert recover(tmp_path, "--yes", "--out", str(tmp_path / "other.json")).exit_code == 0
    assert keys(store) == [public_part(kept(tmp_path / "other.json")["private_key"])]


def test_nothing_is_recovered_where_nothing_was(store: RegistryStore, tmp_path: Path) -> None:
    """Neither before the first start nor in another folder; no file is left."""
    del store
    before, elsewhere = recover(tmp_path, "--yes"), recover(tmp_path / "elsewhere", "--yes")

    assert isinstance(before.exception, UnknownRecord)
    assert isinstance(elsewhere.exception, NoHubHere)
    assert not list(tmp_path.rglob("*admin.json*"))
