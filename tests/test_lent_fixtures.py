"""A lent database comes back as it was: each test finds what a fresh one would hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from tests.lent_fixtures import Shelf


def test_what_a_borrower_leaves_is_taken_away(shelf: Shelf) -> None:
    """Rows, counters, changed seeds and open sessions of one borrower never meet the next."""
    with shelf.borrowed() as url:
        left = psycopg.connect(url)
        left.execute("update exchange.registry_state set version = 7")
        left.execute("insert into exchange.clock (id, offset_us) values (5, 5)")
        left.execute("select nextval('exchange.outbox_seq_seq')")
        left.commit()
        left.execute("lock table exchange.clock")

    with shelf.borrowed() as again, psycopg.connect(again) as reader:
        assert again == url
        assert reader.execute("select version from exchange.registry_state").fetchall() == [(1,)]
        assert reader.execute("select * from exchange.clock").fetchall() == []
        assert reader.execute("select nextval('exchange.outbox_seq_seq')").fetchall() == [(1,)]
    left.close()


def test_a_database_with_other_tables_is_thrown_away(shelf: Shelf) -> None:
    """Whoever changes a table gets the last use of that database."""
    with shelf.borrowed() as url, psycopg.connect(url) as connection:
        connection.execute("alter table exchange.clock add column extra int")

    with shelf.borrowed() as another:
        assert another != url
