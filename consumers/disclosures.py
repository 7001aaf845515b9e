"""The disclosure log: who got what about whom, why and through which door; kept ten years.

One line for each (event, participant, door), written before the bytes leave, and one more for each
copy that held what none before it held. Lines are never changed; the database refuses it. No
payload, no name: the person is the hub's own subject id, the reader its client's id.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter

import sqlalchemy as sa

from consumers import bulk
from consumers.scope import WHOLE_HUB, scoped
from consumers.tables import disclosures


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One line of the log; its fields stand in the order of the table's columns.

    Attributes:
        revision: 0 for the first hand-over, then one more for each copy that held more, over all
            doors.
        disclosed_at: microseconds UTC.
        actor: the client that read, in its participant's own name for it; None when nobody asked.
        withheld: comma-joined field paths that no copy has held until now.
        trace_id: the trace in which it was handed over, when there was one.
    """

    event_id: str
    participant: str
    door: str
    revision: int
    disclosed_at: int
    event_name: str
    producer: str
    producer_org: str
    subject_id: str | None
    trajectory_id: str | None
    agreement_id: str | None
    agreement_hash: str | None
    actor: str | None
    purpose: str | None
    legal_basis: str | None
    withheld: str
    trace_id: str | None = None


# Not `astuple`, which copies every value: there is a line for each event that leaves.
_values = attrgetter(*(one.name for one in fields(Disclosure)))


def disclose(connection: sa.Connection, lines: Sequence[Disclosure]) -> None:
    """Write the lines.

    Raises:
        sqlalchemy.exc.IntegrityError: one of them was written meanwhile; nothing was written.
    """
    bulk.insert(connection, disclosures, [_values(line) for line in lines])


def forget(connection: sa.Connection, *, before: int) -> int:
    """Remove the lines of hand-overs before a time, when they were kept long enough; how many."""
    old = sa.delete(disclosures).where(disclosures.c.disclosed_at < before)
    return connection.execute(scoped(old, WHOLE_HUB)).rowcount
