"""How far each participant's inbox was written to its own topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from consumers import bulk
from consumers.scope import WHOLE_HUB, Scope, scoped
from consumers.tables import inbox_counters, kafka_positions

if TYPE_CHECKING:
    from collections.abc import Iterable


def _behind() -> sa.Select[Any]:
    done = sa.func.coalesce(kafka_positions.c.seq, 0)
    query = (
        sa.select(inbox_counters.c.participant, done)
        .select_from(
            inbox_counters.outerjoin(
                kafka_positions, kafka_positions.c.participant == inbox_counters.c.participant
            )
        )
        .where(inbox_counters.c.participant.in_(sa.bindparam("participants", expanding=True)))
        .where(inbox_counters.c.seq > done)
        .order_by(inbox_counters.c.participant)
    )
    return scoped(query, WHOLE_HUB)


_BEHIND: Final = _behind()


def behind(connection: sa.Connection, participants: Iterable[str]) -> dict[str, int]:
    """Of these participants, the last row written for those whose inbox has more; 0 for none yet.

    One query, whatever their number: it is asked at every turn.
    """
    found = connection.execute(_BEHIND, {"participants": sorted(participants)})
    return {row[0]: row[1] for row in found}


def written(connection: sa.Connection, participants: Iterable[str]) -> dict[str, int]:
    """The last row written to their topics, for those of these participants that have one."""
    query = sa.select(kafka_positions.c.participant, kafka_positions.c.seq).where(
        kafka_positions.c.participant.in_(sorted(participants))
    )
    return {row[0]: row[1] for row in connection.execute(scoped(query, WHOLE_HUB))}


def store(connection: sa.Connection, participant: str, seq: int, *, lost: bool = False) -> None:
    """Note that everything up to row `seq` is in the topic, or was stopped.

    With `lost`, some of it will never be in the topic, which its owner has to be told.
    """
    bulk.insert(connection, kafka_positions, [(participant, 0, None, False)], skip_present=True)
    values = {"seq": seq, "untold": True} if lost else {"seq": seq}
    change = sa.update(kafka_positions).values(**values)
    connection.execute(scoped(change, Scope(participant)))
