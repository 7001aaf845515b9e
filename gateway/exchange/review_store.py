"""Cases whose queued events have to be looked at again, as the ledger's commits leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from gateway.exchange.driver import transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Engine

_WAITING = text("select trajectory_id, mark, at from reviews order by at, mark limit :limit")
AT_ONCE = 5_000


class Review(NamedTuple):
    """One case; `mark` tells this leaving of it from a later one, `at` is business time."""

    trajectory_id: str
    mark: str
    at: int


class ReviewStore:
    """The table `reviews`. Raises what the driver raises when the database is down.

    Args:
        reader: of the ledger's store.
        engine: of the ledger's store, writing.
    """

    def __init__(self, reader: Engine, engine: Engine) -> None:
        self._reader = reader
        self._engine = engine

    def waiting(self, limit: int = AT_ONCE) -> list[Review]:
        """The reviews that wait, the oldest first; one look at an index when there is none."""
        with self._reader.connect() as connection:
            return [Review(*row) for row in connection.execute(_WAITING, {"limit": limit})]

    def forget(self, marks: Sequence[str]) -> None:
        """Remove what was done; when a case was left again meanwhile, that one stays."""
        with transaction(self._engine) as driver:
            driver.delete("reviews", "mark", list(marks))
