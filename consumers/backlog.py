"""How far webhooks are behind, for the operator's figures: two queries, whatever there is.

They count over everybody and name nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from consumers.dead_letters import OPEN
from consumers.scope import WHOLE_HUB, scoped
from consumers.subscriptions import ACTIVE, DELIVERING
from consumers.tables import dead_letters, inbox, subscriptions


@dataclass(frozen=True, slots=True)
class WebhookBacklog:
    """What webhooks are behind with.

    Attributes:
        overdue_us: how long a subscription waits for its turn; 0 while none does.
        dead_letters: those that nobody redrove or discarded.
    """

    overdue_us: int
    dead_letters: int


def webhook_backlog(connection: sa.Connection, now: int) -> WebhookBacklog:
    """How it stands at a time. Raises SQLAlchemyError when the store is away."""
    due = connection.execute(_FIRST_DUE).scalar()
    open_letters = connection.execute(_OPEN_LETTERS).scalar()
    return WebhookBacklog(0 if due is None else max(0, now - due), int(open_letters or 0))


_IS_FIRST_NEW: Final = sa.and_(
    subscriptions.c.state == ACTIVE,
    inbox.c.participant == subscriptions.c.participant,
    inbox.c.seq == subscriptions.c.position + 1,
)
# One that has a time of its own waits for that, also with new rows: its receiver is behind then,
# and not the hub.
_DUE: Final = sa.func.coalesce(subscriptions.c.due_at, inbox.c.routed_at)
_HELD: Final = subscriptions.c.held_until
_FIRST_DUE: Final = scoped(
    sa.select(sa.func.min(sa.case((_HELD > _DUE, _HELD), else_=_DUE)))
    .select_from(subscriptions.outerjoin(inbox, _IS_FIRST_NEW))
    .where(subscriptions.c.state.in_(DELIVERING)),
    WHOLE_HUB,
)
# By subscription, as the index goes.
_OF_ONE: Final = (
    sa.select(sa.func.count())
    .where(
        dead_letters.c.subscription_id == subscriptions.c.id,
        dead_letters.c.participant == subscriptions.c.participant,
        dead_letters.c.state == OPEN,
    )
    .scalar_subquery()
)
_OPEN_LETTERS: Final = scoped(sa.select(sa.func.sum(_OF_ONE)).select_from(subscriptions), WHOLE_HUB)
