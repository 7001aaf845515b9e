"""The four stores of an installation, wherever its folder is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consumers.database import Stores, can_write
from consumers.errors import StoreNewer
from consumers.migrating import upgrade
from tests.store_fixtures import MIGRATIONS, opened, stores

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Engine

__all__ = ["stores"]


@pytest.mark.parametrize("name", ["OCMW, één map", "a?b", "a#b", "a%41", "a%b", "a:b@c"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Files are made in that folder and nowhere else."""
    folder = tmp_path / name

    upgrade(Stores.sqlite(folder).consumers, MIGRATIONS["consumers"])

    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert "consumers.db" in [one.name for one in folder.iterdir()]


@pytest.mark.parametrize("name", ["ledger", "consumers", "keys"])
def test_a_store_proves_that_it_takes_writes(stores: Stores, name: str) -> None:
    """A store that can be written says so and keeps nothing; one that is read-only says no."""
    url = getattr(stores, name)
    with opened(url) as engine, opened(url, read_only=True) as reader:
        before = _versions(reader)
        assert can_write(engine)
        assert not can_write(reader)
        assert _versions(reader) == before


@pytest.mark.parametrize("name", ["ledger", "consumers", "keys", "spans"])
def test_tables_of_a_newer_version_are_left_alone(stores: Stores, name: str) -> None:
    """Whoever starts an older version is told so, and what to do."""
    url = getattr(stores, name)
    with opened(url) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("update alembic_version set version_num = '9999'")
        with pytest.raises(StoreNewer) as refused:
            upgrade(url, MIGRATIONS[name])

        assert name in refused.value.detail.nl
        assert name in refused.value.detail.en
        assert _versions(engine) == ["9999"]


def _versions(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.exec_driver_sql("select version_num from alembic_version").scalars())
