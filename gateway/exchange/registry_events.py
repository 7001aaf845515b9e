"""The events that a change of the registry leaves: what was agreed, and what was ended.

They are written in the transaction that changes the registry, as rows of the ledger and of its
outbox, so that whoever follows `activation.organisation.v1` hears of every change and of no other.
They name organisations and documents, never a person. Organisations, participants and clients have
no events of their own (`domain.md` §3.4).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from consumers.clock import date_of
from gateway.exchange import sealing
from gateway.exchange.acceptance import UNDETERMINED
from gateway.exchange.decision import HUB, DecidedEvent
from gateway.exchange.records import COLUMNS, mark_of
from schemas.canonical import canonical
from schemas.catalogue import catalogue
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

    from gateway.exchange.decision import Recipient
    from gateway.exchange.registry import Registry
    from gateway.exchange.registry_entries import AgreementEntry
    from gateway.exchange.registry_plan import Plan
    from schemas.programmes import ProgrammeRules

FLANDERS = "02000"
"""The region's NIS code: an agreement is of no single municipality."""
OPERATOR = f"urn:schakel:org:{HUB}"
"""Who ended an agreement when its actor is no registered client, as at a first start."""


@dataclass(frozen=True, slots=True)
class AgreementEvent:
    """What happened to one agreement.

    Attributes:
        key: the organisation by which the topic keeps order: the document's first party.
        recipients: who is told in its inbox.
    """

    name: str
    agreement_id: str
    key: str
    data: dict[str, Any]
    recipients: tuple[Recipient, ...] = ()


def agreement_events(
    before: Registry, changes: Plan, *, actor: str, now_us: int
) -> list[AgreementEvent]:
    """The events of a plan, in the order of the agreement's own table of states."""
    ended_by = _organisation_of(before, actor)
    return [
        event
        for entry in changes.agreements
        for event in _of(entry, before, ended_by=ended_by, today=date_of(now_us).isoformat())
    ]


def _of(
    entry: AgreementEntry, before: Registry, *, ended_by: str, today: str
) -> Iterator[AgreementEvent]:
    """A file states what its parties signed: a new agreement is proposed and accepted at once."""
    agreement = entry.agreement
    key, of = agreement.parties[0], {"document_hash": agreement.document_hash}
    if before.agreement(agreement.agreement_id) is None:
        known = {**of, "effective": agreement.valid_from.isoformat()}
        proposed = {**known, "parties": list(agreement.parties)}
        yield AgreementEvent("agreement.proposed", agreement.agreement_id, key, proposed)
        for party in agreement.parties:
            accepted = {**known, "party": party}
            yield AgreementEvent("agreement.accepted", agreement.agreement_id, key, accepted)
    if entry.status == "revoked":
        revoked = {**of, "party": ended_by, "effective": today}
        yield AgreementEvent("agreement.revoked", agreement.agreement_id, key, revoked)


def record(
    connection: Connection,
    events: Sequence[AgreementEvent],
    *,
    rules: ProgrammeRules,
    actor: str,
    now_us: int,
) -> None:
    """Write the events to the ledger and its outbox, inside the caller's transaction.

    The registry's lock, which the caller holds, keeps the versions of an agreement contiguous.
    """
    decided_by = rules.rule_set(UNDETERMINED, date_of(now_us)).version
    for event in events:
        version = _versions(connection, event.agreement_id) + 1
        prepared = sealing.prepare(
            _decided(event, version, decided_by, now_us),
            canonical({"type": event.name, "data": event.data}),
        )
        _insert(connection, "ledger", _ledger_row(prepared, actor))
        _insert(connection, "unsealed", {"event_id": prepared.event.event_id})
        _insert(
            connection,
            "outbox",
            {
                "topic": prepared.event.event.topic,
                "key": event.key,
                "event_id": prepared.event.event_id,
            },
        )


def _organisation_of(registry: Registry, actor: str) -> str:
    client = registry.client(actor)
    participant = registry.participant(client.participant) if client is not None else None
    return participant.organisation if participant is not None else OPERATOR


def _decided(event: AgreementEvent, version: int, rule_set: str, now_us: int) -> DecidedEvent:
    return DecidedEvent(
        event_id=uuid7(),
        event=catalogue().event(event.name),
        aggregate_type="agreement",
        aggregate_id=event.agreement_id,
        aggregate_version=version,
        trajectory_id=None,
        subject_id=None,
        producer=HUB,
        producer_org=event.key,
        caused_by=HUB,
        actor_role="HUB",
        purpose=None,
        legal_basis=None,
        agreement_id=None,
        agreement_hash=None,
        territory_nis=FLANDERS,
        rule_set=rule_set,
        causation_id=None,
        occurred_at=now_us,
        recorded_at=now_us,
        source_record_id=None,
        actor_ref=None,
        data=event.data,
        programme=None,
        recipients=event.recipients,
    )


def _ledger_row(prepared: sealing.Prepared, actor: str) -> dict[str, object]:
    event = prepared.event
    body = sealing.seal(prepared, {})
    own = {name: getattr(event, name) for name in COLUMNS if hasattr(event, name)}
    return own | {
        "participant": event.producer,
        "client_id": actor,
        "sender_key": f"{event.producer}/{event.event_id}",
        "event_name": event.event.name,
        "schema_id": event.event.schema_id,
        "decision": "accepted",
        "recipients": msgspec.json.encode(event.recipients).decode(),
        "joined": msgspec.json.encode(event.joined).decode(),
        "record": body,
        "record_sha256": hashlib.sha256(body).digest(),
        "commitment": prepared.commitment,
        "salt": prepared.salt,
    }


def _versions(connection: Connection, agreement_id: str) -> int:
    """How many events of the agreement there are."""
    found = connection.exec_driver_sql(
        "select max(aggregate_version) from ledger where trajectory_id is null"  # noqa: S608
        f" and aggregate_type = 'agreement' and aggregate_id = {mark_of(connection)}",
        (agreement_id,),
    )
    return int(found.scalar() or 0)


def _insert(connection: Connection, table: str, row: dict[str, object]) -> None:
    marks = ", ".join([mark_of(connection)] * len(row))
    connection.exec_driver_sql(
        f"insert into {table} ({', '.join(row)}) values ({marks})",  # noqa: S608 - our own names
        tuple(row.values()),
    )
