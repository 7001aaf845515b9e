"""Bringing a store up to date; the one user of Alembic, which no other process has to load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from consumers.database import MIGRATION_LOCK, is_postgres, open_engine
from consumers.errors import StoreNewer
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sqlalchemy.engine import Connection


def upgrade(url: str, location: Path) -> None:
    """Run the Alembic migrations of one version folder up to the newest, in one transaction.

    Idempotent, and safe when several processes start at once: one migrates, the others wait.

    Raises:
        StoreNewer: a newer version brought these tables up to date; nothing was changed.
        SQLAlchemyError: the database cannot be reached, or a migration fails.
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
            _require_known(connection, script, location.name)
            _migrate(connection, script)
    finally:
        engine.dispose()


def _require_known(connection: Connection, script: ScriptDirectory, store: str) -> None:
    known = {one.revision for one in script.walk_revisions()}
    if set(MigrationContext.configure(connection).get_current_heads()) - known:
        raise StoreNewer(
            Message(
                nl=f"De opslag {store!r} is van een nieuwere versie van Schakel. "
                "Installeer die versie, of zet de back-up van voor de upgrade terug.",
                en=f"The store {store!r} is of a newer version of Schakel. "
                "Install that version, or restore the backup made before the upgrade.",
            )
        )


def _migrate(connection: Connection, script: ScriptDirectory) -> None:
    def steps(revision: Any, _context: MigrationContext) -> Iterable[Any]:
        return script._upgrade_revs("heads", revision)  # noqa: SLF001 - as alembic.command does

    context = MigrationContext.configure(
        connection, opts={"fn": steps, "script": script, "transactional_ddl": True}
    )
    with Operations.context(context):
        context.run_migrations()
