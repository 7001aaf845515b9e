"""The scope limits every table that belongs to a participant, in every kind of statement."""

import pytest
import sqlalchemy as sa

from consumers.scope import WHOLE_HUB, Scope, scoped
from consumers.tables import disclosures, inbox, parked


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
