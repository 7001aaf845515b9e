"""The one helper that limits a query to what its caller may see.

Every query on a table with a `participant` column goes through `scoped`, in this package and in
the gateway, or through `Prepared`, which is made of it; `tests/test_scoping_lint.py` fails any
that does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

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
    return _limited(query, scope.participant, scope.side)


def _limited(query: Query, participant: Any, side: str) -> Query:
    tables = [
        node
        for node in visitors.iterate(query)
        if isinstance(node, sa.Table | sa.Alias) and "participant" in node.c
    ]
    if not tables:
        message = "only queries on tables with a participant column can be scoped"
        raise TypeError(message)
    if participant is None:
        return query
    if any(side not in table.c for table in tables):
        message = f"a table in this query says no {side}"
        raise TypeError(message)
    limits = [table.c[side] == participant for table in dict.fromkeys(tables)]
    return query.where(*limits)


class Prepared(Generic[Query]):
    """A query that is asked at every event: limited, put together and compiled once.

    That takes longer than most of these queries themselves. Its values are its `bindparam`s, of
    which none is called `scope`, and rows come as the driver gives them. Raises as `scoped`.
    """

    def __init__(self, query: Query) -> None:
        own = _limited(query, sa.bindparam("scope", type_=sa.String), "participant")
        self._queries: dict[bool, Query] = {True: scoped(query, WHOLE_HUB), False: own}
        self._compiled: dict[tuple[str, bool], Any] = {}

    def execute(self, connection: sa.Connection, scope: Scope, values: Mapping[str, Any]) -> Any:
        """The result for whoever the scope names, which has to be by the column `participant`."""
        if scope.side != "participant":
            raise TypeError("what is prepared is limited to whose rows they are")
        is_all = scope.participant is None
        key = connection.dialect.name, is_all
        if key not in self._compiled:
            self._compiled[key] = self._queries[is_all].compile(dialect=connection.dialect)
        compiled = self._compiled[key]
        given = {**compiled.params, **values}
        if not is_all:
            given["scope"] = scope.participant
        order = compiled.positiontup
        text = compiled.string
        if order is None:
            return connection.exec_driver_sql(text, given)
        return connection.exec_driver_sql(text, tuple([given[name] for name in order]))
