"""Bringing a store up to date; the one user of Alembic, which no other process has to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from consumers.database import MIGRATION_LOCK, is_postgres, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy.engine import Connection


def upgrade(url: str, location: Path) -> None:
    """Run the Alembic migrations of one version folder up to the newest, in one transaction.

    Idempotent, and safe when several processes start at once: one migrates, the others wait.
    Raises SQLAlchemyError when the database cannot be reached or a migration fails.
    """
    config = Config()
    config.set_main_option("script_location", str(location))
    config.set_main_option("version_locations", str(location))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if is_postgres(engine):
                connection.execute(text("select pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
            _migrate(connection, script)
    finally:
        engine.dispose()


def _migrate(connection: Connection, script: ScriptDirectory) -> None:
    def steps(revision: Any, _context: MigrationContext) -> Iterable[Any]:
        return script._upgrade_revs("heads", revision)  # noqa: SLF001 - as alembic.command does

    context = MigrationContext.configure(
        connection, opts={"fn": steps, "script": script, "transactional_ddl": True}
    )
    with Operations.context(context):
        context.run_migrations()
