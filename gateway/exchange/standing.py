"""How a person and its case stand at this moment: what every door asks beside the registry.

An inbox row holds the relations of the time when its event was accepted. At hand-over those count
who take part now, and what the person has said no to since (`domain.md` §3.13, §4). One query for
the holds and one for the cases of a whole page; nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.exchange import holds as held
from gateway.exchange.records import any_of
from gateway.exchange.relations import MEMBER, members
from gateway.exchange.state_rows import loads_trajectory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from gateway.exchange.holds import Holds
    from gateway.exchange.records import LedgerRow
    from gateway.exchange.relations import Relations
    from gateway.exchange.state import Left, Trajectory

CASE_HOLDER = "case_holder"
PASSING = frozenset({CASE_HOLDER, "proposed_holder", "offered_holder", "viewer"})
"""Relations that go from one to another while both stay members for other reasons."""


class Membership:
    """Who takes part in one case now; worked out once, when first asked."""

    def __init__(self, case: Trajectory) -> None:
        self._case = case
        self._members: Relations | None = None

    def left(self, participant: str) -> Left | None:
        """How it ceased to be a member; None while it is one, and when it never was."""
        left = self._case.left.get(participant)
        return None if left is None or participant in self.present() else left

    def present(self) -> Relations:
        """Every member with all its relations; not to be changed."""
        if self._members is None:
            self._members = members(self._case)
        return self._members


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts for one event: what its person said no to, and who takes part in its case.

    `membership` is None for an event of no case, and for a case that is not kept any more.
    """

    holds: Holds = ()
    membership: Membership | None = None

    def has_left(self, participant: str, row: LedgerRow) -> bool:
        """Whether an event was addressed to a member that has left since.

        What was addressed to it when it left, or later, was decided with that in mind: the event
        by which it left, the end of the case within its grace, late hours. An organiser that was
        succeeded keeps reading its own period.
        """
        if self.membership is None:
            return False
        left = self.membership.left(participant)
        return left is not None and left.takes(row.recorded_at, row.event_id)

    def relations(self, participant: str, then: frozenset[str]) -> frozenset[str]:
        """What is left now of the relations of that time; never more than it had."""
        if self.membership is None or then.isdisjoint(PASSING):
            return then
        now = self.membership.present().get(participant)
        if now is None or CASE_HOLDER in now:
            return then
        return (then - (PASSING - now)) or frozenset({MEMBER})


NOTHING_KNOWN = Standing()


@dataclass(frozen=True, slots=True)
class Standings:
    """The standings of the events of one page."""

    holds: dict[str, Holds] = field(default_factory=dict)
    cases: dict[str, Membership] = field(default_factory=dict)

    def of(self, row: LedgerRow) -> Standing:
        """What counts for one event."""
        membership = self.cases.get(row.trajectory_id or "")
        found = self.holds.get(row.subject_id or "", ())
        if membership is None and not found:
            return NOTHING_KNOWN
        return Standing(found, membership)


def holds_of(connection: Connection, rows: Iterable[LedgerRow]) -> dict[str, Holds]:
    """What the persons of these events said no to, by the subject that each event names."""
    subjects = sorted({row.subject_id for row in rows if row.subject_id is not None})
    if not subjects:
        return {}
    where, value = any_of(connection, "subject_id", subjects)
    query = f"select subject_id, holds from person_holds where {where}"  # noqa: S608 - our own names
    found = connection.exec_driver_sql(query, (value,))
    return {subject: held.loads(bytes(said)) for subject, said in found}


def memberships_of(connection: Connection, rows: Iterable[LedgerRow]) -> dict[str, Membership]:
    """Who takes part now in the cases of these events, by trajectory."""
    cases = sorted({row.trajectory_id for row in rows if row.trajectory_id is not None})
    if not cases:
        return {}
    where, value = any_of(connection, "id", cases)
    query = f"select id, state from trajectories where {where}"  # noqa: S608 - our own names
    found = connection.exec_driver_sql(query, (value,))
    return {one: Membership(loads_trajectory(bytes(state))) for one, state in found}


def standings(connection: Connection, rows: Iterable[LedgerRow]) -> Standings:
    """How the persons and cases of these events stand; two queries, whatever the number."""
    listed = list(rows)
    return Standings(holds_of(connection, listed), memberships_of(connection, listed))
