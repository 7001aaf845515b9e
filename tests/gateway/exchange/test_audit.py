"""Audit lines are written with the act, hold no value and are never changed; on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from gateway.errors import InvalidParameter
from gateway.exchange import audit
from tests.store_fixtures import engine_of, stores

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Engine

__all__ = ["engine_of", "stores"]

NUMBER = "71.64.12-123.01"


def record(engine: Engine, target: str = "case-1", reason: str = "asked in writing") -> None:
    """One line."""
    with engine.begin() as connection:
        audit.record(
            connection, actor="client-1", act="log.read", target=target, reason=reason, now_us=7
        )


def test_lines_are_read_as_they_were_written(engine_of: Callable[..., Engine]) -> None:
    """The newest first, a page at a time, and of one act or target."""
    engine = engine_of("ledger")
    for name in ("case-1", "case-2", "case-1"):
        record(engine, name)

    with engine.connect() as connection:
        found = audit.lines(connection)
        assert [one.target for one in found] == ["case-1", "case-2", "case-1"]
        assert found[0][1:] == (7, "client-1", "log.read", "case-1", "asked in writing")
        assert audit.lines(connection, limit=2, before=found[0].seq) == found[1:]
        assert audit.lines(connection, target="case-2") == found[1:2]
        assert audit.lines(connection, act="log.write") == []


def test_a_line_goes_with_what_it_tells(engine_of: Callable[..., Engine]) -> None:
    """An act that is undone leaves no line."""
    engine = engine_of("ledger")
    with engine.connect() as connection:
        act = connection.begin()
        audit.record(connection, actor="a", act="b", target="c", reason="d", now_us=1)
        act.rollback()

    with engine.connect() as connection:
        assert audit.lines(connection) == []


@pytest.mark.parametrize("change", ["update audit set reason = 'other'", "delete from audit"])
def test_a_line_is_never_changed(engine_of: Callable[..., Engine], change: str) -> None:
    """The database itself refuses, whoever asks."""
    engine = engine_of("ledger")
    record(engine)

    with pytest.raises(DBAPIError, match="never changed"), engine.begin() as connection:
        connection.execute(sa.text(change))
    with engine.connect() as connection:
        assert len(audit.lines(connection)) == 1


@pytest.mark.parametrize(
    ("target", "reason", "name"),
    [
        ("case-1", "", "reason"),
        ("case-1", "x" * 501, "reason"),
        ("case-1", f"about {NUMBER}", "reason"),
        ("case-1", "heeft een depressie", "reason"),
        (NUMBER, "asked", "target"),
    ],
)
def test_a_line_holds_no_value_of_a_person(
    engine_of: Callable[..., Engine], target: str, reason: str, name: str
) -> None:
    """It is refused with the field's name, and what was written is not repeated."""
    engine = engine_of("ledger")
    with pytest.raises(InvalidParameter) as refused:
        record(engine, target, reason)

    assert [one.name for one in refused.value.invalid] == [name]
    assert NUMBER not in repr(refused.value) + str(refused.value)
    with engine.connect() as connection:
        assert audit.lines(connection) == []
