"""What the code believes about its tables is what the migrations make."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from consumers import spanstore, tables

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa


@pytest.mark.parametrize(
    ("store", "metadata"), [("consumers", tables.metadata), ("spans", spanstore.metadata)]
)
def test_migrations_make_the_declared_tables(
    engine_of: Callable[..., sa.Engine], store: str, metadata: sa.MetaData
) -> None:
    """Alembic finds no difference between a migrated store and the declared tables."""
    with engine_of(store).connect() as connection:
        options = {"compare_type": True, "include_name": _is_ours}
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, metadata) == []


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and name == "alembic_version")
