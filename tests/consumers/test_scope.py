"""The scope limits every table that belongs to a participant, in every kind of statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from consumers.scope import WHOLE_HUB, Prepared, Scope, scoped
from consumers.tables import disclosures, inbox, inbox_counters, parked

if TYPE_CHECKING:
    from collections.abc import Callable


def _sql(query: sa.Select[tuple[object, ...]] | sa.Update | sa.Delete) -> str:
    return str(query.compile(compile_kwargs={"literal_binds": True}))


def test_a_select_is_limited() -> None:
    """A participant's scope adds its condition."""
    query = scoped(sa.select(inbox.c.seq), Scope("ocmw"))

    assert "WHERE inbox.participant = 'ocmw'" in _sql(query)


def test_an_aggregate_over_columns_is_limited() -> None:
    """A table that only occurs inside a function is limited too."""
    query = scoped(sa.select(sa.func.max(inbox.c.seq)), Scope("ocmw"))

    assert "inbox.participant = 'ocmw'" in _sql(query)


def test_every_joined_table_is_limited() -> None:
    """In a join each table with participants is limited, under an alias as well."""
    other = inbox.alias("other")
    query = sa.select(disclosures.c.door).join(other, other.c.event_id == disclosures.c.event_id)

    sql = _sql(scoped(query, Scope("ocmw")))

    assert "disclosures.participant = 'ocmw'" in sql
    assert "other.participant = 'ocmw'" in sql


def test_updates_and_deletes_are_limited() -> None:
    """Changing statements are limited as reading ones are."""
    change = scoped(sa.update(inbox).values(status="stopped"), Scope("ocmw"))
    removal = scoped(sa.delete(inbox), Scope("ocmw"))

    assert "inbox.participant = 'ocmw'" in _sql(change)
    assert "inbox.participant = 'ocmw'" in _sql(removal)


def test_the_whole_hub_is_not_limited() -> None:
    """The hub's own scope leaves the statement as it was."""
    query = scoped(sa.select(inbox.c.seq), WHOLE_HUB)

    assert "WHERE" not in _sql(query)


def test_a_query_that_cannot_be_limited_is_refused() -> None:
    """Scoping a table without participants would promise what nothing keeps."""
    with pytest.raises(TypeError):
        scoped(sa.select(parked.c.topic), WHOLE_HUB)


def test_a_producer_reads_what_became_of_its_events() -> None:
    """The other side of a hand-over is a scope as well, and no table is left out of it."""
    query = scoped(sa.select(disclosures.c.door), Scope("caw", "producer"))

    assert "WHERE disclosures.producer = 'caw'" in _sql(query)
    with pytest.raises(TypeError):
        scoped(sa.select(inbox.c.seq), Scope("caw", "producer"))


def _rows(engine: sa.Engine, prepared: Prepared[sa.Select[Any]], scope: Scope) -> int:
    with engine.connect() as connection:
        return len(prepared.execute(connection, scope, {"least": 2}).all())


def test_what_is_prepared_is_limited_each_time(engine_of: Callable[..., sa.Engine]) -> None:
    """Compiled once, for one participant and for the whole hub; with its own values."""
    counter = inbox_counters.c
    prepared = Prepared(sa.select(counter.participant).where(counter.seq >= sa.bindparam("least")))
    engine = engine_of("consumers")
    given = [("caw", 1), ("ocmw", 2), ("vdab", 3)]
    with engine.begin() as connection:
        rows = [{"participant": name, "seq": seq} for name, seq in given]
        connection.execute(sa.insert(inbox_counters), rows)

    found = [_rows(engine, prepared, Scope(name)) for name, _ in given]
    assert [*found, _rows(engine, prepared, WHOLE_HUB)] == [0, 1, 1, 2]


def test_what_is_prepared_serves_no_other_side(engine_of: Callable[..., sa.Engine]) -> None:
    """A producer's scope would be limited by the wrong column."""
    prepared = Prepared(sa.select(inbox_counters.c.seq))

    with pytest.raises(TypeError):
        _rows(engine_of("consumers"), prepared, Scope("caw", "producer"))
