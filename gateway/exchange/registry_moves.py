"""Accepted changes of mandate, as the registry knows them: who serves what from which day (R11).

The ledger keeps the mandates; whatever reads the registry sees an accepted one within the time
that any other change of the registry takes.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import text

from gateway.exchange import mandate as mandates
from gateway.exchange.territory_moves import Move

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection

    from gateway.exchange.driver import Driver
    from gateway.exchange.mandate import Mandate

ACCEPTED = "accepted"
_ALL = text("select state from mandates where status = 'accepted'")


def read(connection: Connection) -> dict[str, tuple[Move, ...]]:
    """The moves of each participant, oldest first."""
    rows = (mandates.loads(bytes(state)) for (state,) in connection.execute(_ALL))
    return moves(rows)


def moves(accepted: Iterable[Mandate]) -> dict[str, tuple[Move, ...]]:
    """What accepted mandates give and take, by participant, oldest first."""
    found: dict[str, tuple[Move, ...]] = {}
    for one in sorted(accepted, key=lambda one: (one.effective, one.id)):
        effective, places = date.fromisoformat(one.effective), frozenset(one.nis)
        lost = Move(effective, places, gained=False, other=one.receiver)
        gained = Move(effective, places, gained=True, other=one.giver)
        for participant, move in ((one.giver, lost), (one.receiver, gained)):
            found[participant] = (*found.get(participant, ()), move)
    return found


def bump(driver: Driver, changed: Iterable[Mandate], now: int) -> None:
    """Raise the registry's version for what was accepted, in the ledger's own transaction."""
    lines = [
        {"kind": "mandate", "id": one.id, "action": "accept"}
        for one in changed
        if one.state == ACCEPTED
    ]
    if not lines:
        return
    driver.execute(
        "update registry_state set version = version + 1, changed_at = ? where id = 1", (now,)
    )
    driver.execute(
        "insert into registry_changes (version, changed_at, actor, changes)"
        " values ((select version from registry_state where id = 1), ?, 'hub', ?)",
        (now, orjson.dumps(lines).decode()),
    )
