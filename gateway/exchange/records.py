"""The ledger's rows as others read them: route, render, journey and the relay.

Nothing here writes, decrypts or judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from msgspec import Struct

from gateway.exchange.decision import Recipient

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.engine import Connection

# The order of `LedgerRow`'s fields and of every insert and select of whole rows.
COLUMNS = (
    "seq",
    "event_id",
    "participant",
    "client_id",
    "sender_key",
    "event_name",
    "schema_id",
    "aggregate_type",
    "aggregate_id",
    "aggregate_version",
    "trajectory_id",
    "subject_id",
    "producer_org",
    "caused_by",
    "actor_role",
    "purpose",
    "legal_basis",
    "decision",
    "agreement_id",
    "agreement_hash",
    "territory_nis",
    "programme",
    "rule_set",
    "causation_id",
    "on_behalf_of",
    "occurred_at",
    "recorded_at",
    "traceparent",
    "recipients",
    "joined",
    "record",
    "record_sha256",
    "commitment",
    "salt",
)
_SELECT = f"select {', '.join(COLUMNS)} from ledger"  # noqa: S608 - our own column names
_RECIPIENTS, _JOINED = COLUMNS.index("recipients"), COLUMNS.index("joined")

_recipients = msgspec.json.Decoder(tuple[Recipient, ...]).decode
_joined = msgspec.json.Decoder(tuple[str, ...]).decode


class LedgerRow(Struct, frozen=True, gc=False):
    """One accepted event, with who was to get it and the whole receipt leaf.

    Attributes:
        participant: the producer, `hub` for the hub's own events.
        sender_key: `<participant>/<the sender's own event id>`.
        caused_by: participant whose event led to this one.
        salt: None in an event about a person, where it is sealed in the record.
        record: what Kafka gets: a framed `SealedEvent`, or the typed record of an offer.
    """

    seq: int
    event_id: str
    participant: str
    client_id: str
    sender_key: str
    event_name: str
    schema_id: int
    aggregate_type: str
    aggregate_id: str
    aggregate_version: int
    trajectory_id: str | None
    subject_id: str | None
    producer_org: str
    caused_by: str
    actor_role: str
    purpose: str | None
    legal_basis: str | None
    decision: str
    agreement_id: str | None
    agreement_hash: str | None
    territory_nis: str
    programme: str | None
    rule_set: str
    causation_id: str | None
    on_behalf_of: str | None
    occurred_at: int
    recorded_at: int
    traceparent: str | None
    recipients: tuple[Recipient, ...]
    joined: tuple[str, ...]
    record: bytes
    record_sha256: bytes
    commitment: bytes
    salt: bytes | None

    @property
    def sender_event_id(self) -> str:
        """The sender's own event id, to be shown to the sender only."""
        return self.sender_key.partition("/")[2]


def row_from(values: Sequence[Any]) -> LedgerRow:
    """A row from a select of `COLUMNS`."""
    row = list(values)
    row[_RECIPIENTS] = _recipients(row[_RECIPIENTS])
    row[_JOINED] = _joined(row[_JOINED]) if row[_JOINED] != "[]" else ()
    return LedgerRow(*row)


def row_of(connection: Connection, event_id: str) -> LedgerRow | None:
    """The row of one event."""
    found = rows_by_ids(connection, (event_id,))
    return found.get(event_id)


def rows_by_ids(connection: Connection, event_ids: Iterable[str]) -> dict[str, LedgerRow]:
    """The rows of these events by event id; ids that do not exist are left out."""
    where, value = any_of(connection, "event_id", list(event_ids))
    result = connection.exec_driver_sql(f"{_SELECT} where {where}", (value,))
    return {row.event_id: row for row in map(row_from, result)}


def trajectory_rows(
    connection: Connection,
    trajectory_id: str,
    before_seq: int | None = None,
    *,
    limit: int = 10_000,
) -> list[LedgerRow]:
    """The rows of one trajectory in their order, those before `before_seq` when it is given."""
    mark = mark_of(connection)
    result = connection.exec_driver_sql(
        f"{_SELECT} where trajectory_id = {mark} and seq < {mark} order by seq limit {mark}",
        (trajectory_id, before_seq if before_seq is not None else 2**62, limit),
    )
    return [row_from(row) for row in result]


def by_sender_key(connection: Connection, participant: str, sender_id: str) -> LedgerRow | None:
    """The row of an event by its sender's own id."""
    result = connection.exec_driver_sql(
        f"{_SELECT} where sender_key = {mark_of(connection)}", (f"{participant}/{sender_id}",)
    )
    row = result.first()
    return row_from(row) if row is not None else None


def mark_of(connection: Connection) -> str:
    """The placeholder of this database's driver."""
    return "%s" if connection.dialect.name == "postgresql" else "?"


def rows_addressed_to(
    connection: Connection, participant: str, *, since: int, after_seq: int, limit: int
) -> list[LedgerRow]:
    """The rows that name a participant among their recipients, recorded at or after a time.

    Walks the ledger from `after_seq` on: few ask for this, and rarely.
    """
    mark = mark_of(connection)
    # Participant ids hold neither quotes nor a pattern's signs.
    result = connection.exec_driver_sql(
        f"{_SELECT} where seq > {mark} and recorded_at >= {mark} and recipients like {mark}"
        f" order by seq limit {mark}",
        (after_seq, since, f'%"participant":"{participant}"%', limit),
    )
    return [row_from(row) for row in result]


def any_of(connection: Connection, column: str, values: Sequence[Any]) -> tuple[str, Any]:
    """A condition `column is one of values` with one parameter, so that its SQL never changes."""
    if connection.dialect.name == "postgresql":
        return f"{column} = any(%s)", list(values)
    listed = orjson.dumps(list(values)).decode()
    return f"{column} in (select value from json_each(?))", listed  # noqa: S608 - our own names
