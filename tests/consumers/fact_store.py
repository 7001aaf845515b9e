"""A store of facts that a test fills by hand, at places in the log that never repeat."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from consumers.evidence import TOPIC, Evidence
from consumers.log import Fetched
from consumers.scope import WHOLE_HUB, scoped
from consumers.tables import fact_owners, facts
from schemas.facts import FACT_ID, Fact, encode_fact

if TYPE_CHECKING:
    from collections.abc import Sequence

NIS = "24107"
_OFFSETS = count(1)


def fetched(offset: int, value: bytes, fact_id: str | None = None) -> Fetched:
    """A record as the log's consumer gives it; without an id as the relay sent it before."""
    headers = () if fact_id is None else ((FACT_ID, fact_id.encode()),)
    return Fetched(TOPIC, 0, offset, b"k", value, headers, 0)


def fact(indicator: str, **changes: Any) -> Fact:
    """A fact of May in Tienen."""
    values = {"month": "2026-05", "nis": NIS, "rule_set": "wijk_werken-2018-1", **changes}
    return Fact(indicator, **values)


class ListLog:
    """A log that is a list; it remembers what was committed."""

    def __init__(self, records: Sequence[Fetched] = ()) -> None:
        self.records = list(records)
        self.position = 0
        self.committed = 0

    def poll(self, timeout_seconds: float, /) -> list[Fetched]:  # noqa: ARG002
        """All that was not polled yet."""
        found, self.position = self.records[self.position :], len(self.records)
        return found

    def commit(self) -> None:
        """Remember how far."""
        self.committed = self.position


class AtMidnight:
    """A clock that does not move."""

    def now_us(self) -> int:
        """Some time."""
        return 1


def keep(engine: sa.Engine, given: Sequence[Fact]) -> None:
    """Keep facts as the worker does."""
    log = ListLog([fetched(next(_OFFSETS), encode_fact(one)) for one in given])
    Evidence(log, engine, AtMidnight()).step()


def rows(engine: sa.Engine) -> tuple[int, int]:
    """How many facts and how many owners there are."""
    with engine.connect() as connection:
        many = connection.execute(sa.select(sa.func.count()).select_from(facts)).scalar_one()
        owners = sa.select(sa.func.count()).select_from(fact_owners)
        return int(many), int(connection.execute(scoped(owners, WHOLE_HUB)).scalar_one())
