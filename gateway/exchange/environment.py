"""The environment of an installation, kept in the ledger's store from its first start on.

What a store takes depends on it: a test installation takes bearer tokens and synthetic people. A
process whose settings name another one must not run on it, however it came by them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Column, Integer, MetaData, Table, Text, select, text

from gateway.errors import EnvironmentDiffers
from schemas.errors import Message

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.exchange.registry import Environment

# One row, which the gateway's first start writes and nothing changes.
INSTALLATION = Table(
    "installation",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("environment", Text, nullable=False),
)


def keep_environment(ledger: Engine, environment: Environment) -> None:
    """Write down what this store is of, unless it is written; safe when several start at once."""
    statement = text(
        "insert into installation (id, environment) values (1, :environment) "
        "on conflict (id) do nothing"
    )
    with ledger.begin() as connection:
        connection.execute(statement, {"environment": environment})


def check_environment(ledger: Engine, environment: Environment) -> None:
    """Whether a process of this environment may run on this store; blocks on the database.

    Raises:
        EnvironmentDiffers: the store is another environment's.
    """
    with ledger.connect() as connection:
        kept = connection.execute(select(INSTALLATION.c.environment)).scalar()
    if kept not in (None, environment):
        raise _differs(str(kept), environment)


def _differs(kept: str, said: str) -> EnvironmentDiffers:
    return EnvironmentDiffers(
        Message(
            nl=f"Deze databank is van een installatie `{kept}`, en de instellingen zeggen `{said}`."
            f" Zet SCHAKEL_ENVIRONMENT op {kept}, of kies een andere databank.",
            en=f"This store is a `{kept}` installation's, and the settings say `{said}`."
            f" Set SCHAKEL_ENVIRONMENT to {kept}, or choose another store.",
        )
    )
