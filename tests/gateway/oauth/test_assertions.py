"""Used assertions are remembered in the database, on both of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gateway.exchange import registry_tables as tables
from gateway.oauth.assertions import UsedAssertions

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


def test_an_id_counts_once_for_a_client(engine: Engine) -> None:
    """Another gateway on the same store knows it, another client may use it."""
    first, second = UsedAssertions(engine), UsedAssertions(engine)

    assert first.use("one", "id", 4_000_000_000)
    assert not first.use("one", "id", 4_000_000_000)
    assert not second.use("one", "id", 4_000_000_000)
    assert second.use("two", "id", 4_000_000_000)


def test_of_many_at_once_one_wins(engine: Engine) -> None:
    """Twenty uses of one id at the same time are one use."""
    used = UsedAssertions(engine)
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: used.use("one", "id", 4_000_000_000), range(20)))

    assert sum(won) == 1


def test_ended_assertions_are_forgotten(engine: Engine) -> None:
    """The table holds what could still be replayed and no more."""
    moment = [1000.0]
    used = UsedAssertions(engine, now=lambda: moment[0])
    for number in range(10):
        used.use("one", str(number), 1060)
    moment[0] = 1061
    used.use("one", "later", 1120)
    with engine.connect() as connection:
        kept = connection.execute(select(func.count()).select_from(tables.CLIENT_ASSERTIONS))

        assert kept.scalar_one() == 1
