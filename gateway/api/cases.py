"""A participant's own cases: which there are, and their state.

Reads the ledger's tables and the caller's inbox, and writes nothing. Membership is asked of the
trajectory's state itself; a case of others and a case that does not exist look the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from consumers import views
from consumers.scope import Scope, scoped
from gateway.exchange import relations as rel
from gateway.exchange.state_rows import loads_trajectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.exchange.locating import Locator
    from gateway.exchange.state import Trajectory

CANDIDATES: Final = 2000
"""Cases looked at for one list, the newest first; a list is filtered after they were read."""

_metadata = sa.MetaData()
_ledger = sa.Table(
    "ledger",
    _metadata,
    sa.Column("seq", sa.BigInteger),
    sa.Column("participant", sa.Text),
    sa.Column("trajectory_id", sa.Text),
)
_trajectories = sa.Table(
    "trajectories", _metadata, sa.Column("id", sa.Text), sa.Column("state", sa.LargeBinary)
)
_numbers = sa.Table(
    "blind_index",
    _metadata,
    sa.Column("digest", sa.Text),
    sa.Column("participant", sa.Text),
    sa.Column("target_id", sa.Text),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list of cases is limited to; None leaves a member aside.

    Attributes:
        source_record_id: the caller's own number; personal, never logged.
        state: the trajectory's state.
        updated_since: microseconds since the epoch of the last event.
    """

    source_record_id: str | None = None
    state: str | None = None
    updated_since: int | None = None
    limit: int = 100


class Cases:
    """Reads cases; safe from several threads.

    Args:
        ledger: read-only engine of the ledger.
        inboxes: read-only engine of the consumers' store.
        locator: makes the digest under which an own number is kept.
    """

    def __init__(self, ledger: sa.Engine, inboxes: sa.Engine, locator: Locator) -> None:
        self._ledger = ledger
        self._inboxes = inboxes
        self._locator = locator

    def of(self, participant: str, wanted: Wanted) -> tuple[Trajectory, ...]:
        """The participant's cases, the last changed first; blocks on the stores.

        Raises the driver's errors when a store does not answer.
        """
        if wanted.source_record_id is not None:
            ids: Iterable[str] = self._by_own_number(participant, wanted.source_record_id)
        else:
            ids = self._candidates(participant)
        found = self._states(list(ids))
        own = [one for one in found if is_member(one, participant) and _fits(one, wanted)]
        own.sort(key=lambda one: (one.last_event_at, one.id), reverse=True)
        return tuple(own[: wanted.limit])

    def one(self, participant: str, trajectory_id: str) -> Trajectory | None:
        """A case of the participant's; None when it does not exist or is not its own."""
        found = self._states([trajectory_id])
        return next((one for one in found if is_member(one, participant)), None)

    def _candidates(self, participant: str) -> dict[str, None]:
        """Cases that the participant sent something on, or was given something of."""
        last = sa.func.max(_ledger.c.seq)
        sent = (
            sa.select(_ledger.c.trajectory_id)
            .where(_ledger.c.trajectory_id.is_not(None))
            .group_by(_ledger.c.trajectory_id)
            .order_by(last.desc())
            .limit(CANDIDATES)
        )
        scope = Scope(participant)
        with self._ledger.connect() as connection:
            ids = [row[0] for row in connection.execute(scoped(sent, scope))]
        with self._inboxes.connect() as connection:
            ids += views.trajectories_of(connection, scope, CANDIDATES)
        return dict.fromkeys(ids)

    def _by_own_number(self, participant: str, number: str) -> list[str]:
        digest = self._locator.own_number(participant, number)
        query = sa.select(_numbers.c.target_id).where(_numbers.c.digest == digest)
        with self._ledger.connect() as connection:
            return [row[0] for row in connection.execute(scoped(query, Scope(participant)))]

    def _states(self, ids: Sequence[str]) -> list[Trajectory]:
        if not ids:
            return []
        query = sa.select(_trajectories.c.state).where(_trajectories.c.id.in_(ids))
        with self._ledger.connect() as connection:
            return [loads_trajectory(row[0]) for row in connection.execute(query)]


def is_member(trajectory: Trajectory, participant: str) -> bool:
    """Whether the participant has, or had, a part in anything of the case that still stands."""
    return participant in rel.involved(trajectory)


def _fits(trajectory: Trajectory, wanted: Wanted) -> bool:
    if wanted.state is not None and trajectory.state != wanted.state:
        return False
    return wanted.updated_since is None or trajectory.last_event_at >= wanted.updated_since
