"""One statement that inserts many rows, as fast as each database takes them.

SQLite takes `executemany`; PostgreSQL takes one array a column through `unnest`, which was half
as fast again as its `executemany` (`hot-path.md` §4).
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

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
) -> None:
    """Insert rows whose values stand in the order of the table's columns.

    With `skip_present`, a row that violates a unique constraint is left out in silence;
    without it, `sqlalchemy.exc.IntegrityError` is raised and nothing is written.
    """
    if not rows:
        return
    statement = _statement(connection.dialect.name, table, skip_present=skip_present)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            statement, tuple([list(column) for column in zip(*rows, strict=True)])
        )
    else:
        connection.exec_driver_sql(statement, list(rows))


@cache
def _statement(dialect: str, table: sa.Table, *, skip_present: bool) -> str:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    ending = " ON CONFLICT DO NOTHING" if skip_present else ""
    if dialect == "postgresql":
        arrays = ", ".join(f"%s::{_ARRAYS[type(column.type)]}[]" for column in table.columns)
        source = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - names from our own tables
    else:
        source = f"VALUES ({', '.join('?' for _ in table.columns)})"
    return f'INSERT INTO "{table.name}" ({columns}) {source}{ending}'
