"""One statement that inserts many rows, as fast as each database takes them.

SQLite takes `executemany`; PostgreSQL takes one array a column through `unnest`, which was half
as fast again as its `executemany` (`hot-path.md` §4).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

_NOTHING = " ON CONFLICT DO NOTHING"
_ARRAYS = {
    sa.BigInteger: "bigint",
    sa.Boolean: "boolean",
    sa.Integer: "integer",
    sa.LargeBinary: "bytea",
    sa.String: "text",
    sa.Text: "text",
}


def insert(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[tuple[Any, ...]],
    *,
    skip_present: bool = False,
    replace_present: bool = False,
) -> None:
    """Insert rows whose values stand in the order of the table's columns.

    With `skip_present`, a row that violates a unique constraint is left out in silence; with
    `replace_present` it takes the place of the one with its primary key, of which no two rows may
    have the same. Without either, `sqlalchemy.exc.IntegrityError` is raised and nothing is written.
    """
    if not rows:
        return
    ending = _NOTHING if skip_present else _replacing(table) if replace_present else ""
    statement = _statement(connection.dialect.name, table, ending)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            statement, tuple([list(column) for column in zip(*rows, strict=True)])
        )
    else:
        connection.exec_driver_sql(statement, list(rows))


@cache
def _replacing(table: sa.Table) -> str:
    key = ", ".join(f'"{column.name}"' for column in table.primary_key)
    others = [column.name for column in table.columns if not column.primary_key]
    values = ", ".join(f'"{name}" = excluded."{name}"' for name in others)
    return f" ON CONFLICT ({key}) DO UPDATE SET {values}"


@cache
def _statement(dialect: str, table: sa.Table, ending: str) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    if dialect == "postgresql":
        arrays = ", ".join(f"%s::{_ARRAYS[type(column.type)]}[]" for column in table.columns)
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - names from our own tables
    else:
        source = f"VALUES ({', '.join('?' for _ in table.columns)})"
    return f'INSERT INTO "{table.name}" ({columns}) {source}{ending}'
