"""The rows of agreements and of what parties signed; every function works inside a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from gateway.exchange import registry_tables as tables

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from gateway.exchange.agreement_statement import Signed


@dataclass(frozen=True, slots=True)
class KeptAct:
    """One act as it is kept, with its signature.

    Attributes:
        signed_at: what the statement says; microseconds since the epoch.
        recorded_at: when the hub took it; likewise.
        key: the public JWK that the signature was made with.
    """

    id: str
    act: str
    party: str
    reason: str | None
    signed_at: int
    recorded_at: int
    key: dict[str, Any]
    jws: str


def proposals_since(connection: Connection, organisation: str, since_us: int) -> int:
    """How many agreements an organisation proposed after a time."""
    table = tables.AGREEMENTS
    query = (
        select(func.count())
        .select_from(table)
        .where(table.c.proposed_by == organisation)
        .where(table.c.proposed_at > since_us)
    )
    return int(connection.execute(query).scalar_one())


def acts_of(connection: Connection, agreement_id: str) -> tuple[KeptAct, ...]:
    """What parties signed about an agreement, the oldest first."""
    table = tables.AGREEMENT_ACTS
    columns = [table.c[name] for name in KeptAct.__dataclass_fields__]
    query = select(*columns).where(table.c.agreement_id == agreement_id).order_by(table.c.id)
    return tuple(KeptAct(*row) for row in connection.execute(query))


def keep_act(
    connection: Connection, identifier: str, signed: Signed, client_id: str, now_us: int
) -> None:
    """Keep a signed act, with the public key that it was signed with."""
    said = signed.statement
    connection.execute(
        insert(tables.AGREEMENT_ACTS).values(
            id=identifier,
            agreement_id=said.agreement_id,
            act=said.act,
            party=said.party,
            reason=said.reason,
            signed_at=said.at,
            recorded_at=now_us,
            client_id=client_id,
            key=dict(signed.key),
            jws=signed.jws,
        )
    )


def write(connection: Connection, agreement_id: str, values: dict[str, Any]) -> None:
    """Change an agreement's state; its document is never written again."""
    table = tables.AGREEMENTS
    connection.execute(update(table).where(table.c.id == agreement_id).values(**values))
