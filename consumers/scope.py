"""The one helper that limits a query to what its caller may see.

Every query on a table with a `participant` column goes through `scoped`, in this package and in
the gateway; `tests/test_scoping_lint.py` fails any that does not.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.sql import visitors

Query = TypeVar("Query", sa.Select[Any], sa.Update, sa.Delete)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows a query may touch: one participant's, or with None the whole hub's.

    Attributes:
        side: the column that has to name the participant: `participant`, whose rows they are, or
            `producer`, whose events they tell of.
    """

    participant: str | None
    side: Literal["participant", "producer"] = "participant"


WHOLE_HUB = Scope(None)
"""For the hub's own workers, and for its administrators and auditors: never for a partner."""


def scoped(query: Query, scope: Scope) -> Query:
    """The query, limited to the scope's participant in every table that has one.

    Raises:
        TypeError: the query touches no table with a `participant` column, or one without the
            scope's side, so that limiting it would be a promise that nothing keeps.
    """
    tables = [
        node
        for node in visitors.iterate(query)
        if isinstance(node, sa.Table | sa.Alias) and "participant" in node.c
    ]
    if not tables:
        message = "only queries on tables with a participant column can be scoped"
        raise TypeError(message)
    if scope.participant is None:
        return query
    if any(scope.side not in table.c for table in tables):
        message = f"a table in this query says no {scope.side}"
        raise TypeError(message)
    limits = [table.c[scope.side] == scope.participant for table in dict.fromkeys(tables)]
    return query.where(*limits)
