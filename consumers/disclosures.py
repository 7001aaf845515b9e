"""The disclosure log: who got what about whom, why and through which door; kept ten years.

One line for each (event, participant, door), written before the bytes leave. No payload, no
name: the person is the hub's own subject id.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import sqlalchemy as sa

from consumers import bulk
from consumers.scope import Scope, scoped
from consumers.tables import disclosures


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One line of the log; its fields stand in the order of the table's columns.

    Attributes:
        disclosed_at: microseconds UTC.
        withheld: comma-joined field paths that the grant removed.
        trace_id: the trace in which it was handed over, when there was one.
    """

    event_id: str
    participant: str
    door: str
    disclosed_at: int
    event_name: str
    producer: str
    producer_org: str
    subject_id: str | None
    trajectory_id: str | None
    agreement_id: str | None
    purpose: str | None
    legal_basis: str | None
    withheld: str
    trace_id: str | None = None


def disclose(connection: sa.Connection, lines: Sequence[Disclosure]) -> None:
    """Write the lines; one that exists for its event, participant and door stays as it was."""
    bulk.insert(connection, disclosures, [astuple(line) for line in lines], skip_present=True)


def widen(connection: sa.Connection, line: Disclosure) -> None:
    """Note that a copy handed over again held fields that the first one did not.

    The line keeps its first time; what is withheld, the agreement and the ground become those of
    the wider copy.
    """
    change = (
        sa.update(disclosures)
        .where(disclosures.c.event_id == line.event_id, disclosures.c.door == line.door)
        .values(
            withheld=line.withheld,
            agreement_id=line.agreement_id,
            purpose=line.purpose,
            legal_basis=line.legal_basis,
        )
    )
    connection.execute(scoped(change, Scope(line.participant)))
