"""The tables that a shared commit writes, and the ledger's row of one event."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

from gateway.exchange import holds
from gateway.exchange.decision import HUB
from gateway.exchange.driver import Insert
from gateway.exchange.records import COLUMNS
from gateway.exchange.working import sender_key
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.exchange.sealing import Prepared
    from gateway.exchange.subject_state import Subject
    from gateway.exchange.submission import Submission
    from gateway.exchange.working import Changes, Entry

_BYTES = ("record", "record_sha256", "commitment", "salt")
_NUMBERS = ("aggregate_version", "occurred_at", "recorded_at")
_TYPES = dict.fromkeys(_BYTES, "bytea") | dict.fromkeys(_NUMBERS, "bigint") | {"schema_id": "int"}

SUBJECTS = Insert("subjects", (("id", "text"), ("created_at", "bigint"), ("state", "bytea")), "id")
TRAJECTORIES = Insert(
    "trajectories",
    (("id", "text"), ("subject_id", "text"), ("territory_nis", "text"), ("status", "text"),
     ("state", "bytea")),
    "id",
)  # fmt: skip
OFFERS = Insert(
    "offers",
    (("id", "text"), ("owner", "text"), ("status", "text"), ("territory_nis", "text"),
     ("state", "bytea")),
    "id",
)  # fmt: skip
AGGREGATES = Insert(
    "aggregates", (("aggregate_id", "text"), ("trajectory_id", "text"), ("subject_id", "text"))
)
BLIND_INDEX = Insert(
    "blind_index",
    (("digest", "text"), ("kind", "text"), ("participant", "text"), ("subject_id", "text"),
     ("target_id", "text")),
)  # fmt: skip
LIKENESS = Insert("likeness", (("digest", "text"), ("subject_id", "text"), ("kind", "text")))
REFERENCES = Insert(
    "subject_references",
    (("reference", "text"), ("participant", "text"), ("subject_id", "text")),
    "reference",
)
AUDIT = Insert(
    "audit",
    (("at", "bigint"), ("actor", "text"), ("act", "text"), ("target", "text"), ("reason", "text")),
)
UNSEALED = Insert("unsealed", (("event_id", "text"),))
LEDGER = Insert("ledger", tuple((name, _TYPES.get(name, "text")) for name in COLUMNS[1:]))
ERRANDS = Insert("errands", (("id", "text"), ("due_at", "bigint"), ("errand", "bytea")), "id")
MANDATES = Insert("mandates", (("id", "text"), ("status", "text"), ("state", "bytea")), "id")
ROUNDS = Insert("rounds", (("id", "text"), ("due_at", "bigint"), ("round", "bytea")))
CLOCKS = Insert(
    "clocks",
    (("target_id", "text"), ("due_at", "bigint"), ("refused", "int"), ("put_off", "bytea")),
    "target_id",
)
IDEMPOTENCY = Insert(
    "idempotency",
    (("key", "text"), ("request_hash", "bytea"), ("answer", "bytea"), ("created_at", "bigint")),
)

HOLDS = Insert("person_holds", (("subject_id", "text"), ("holds", "bytea")), "subject_id")
REVIEWS = Insert(
    "reviews", (("trajectory_id", "text"), ("mark", "text"), ("at", "bigint")), "trajectory_id"
)

_json = msgspec.json.Encoder().encode


def audit_row(prepared: Prepared, submission: Submission) -> tuple[object, ...] | None:
    """The line of what a participant did about a person itself; None for every other event."""
    event = prepared.event
    if event.producer == HUB or not event.event.name.startswith("subject."):
        return None
    reason = f"event {event.event_id}"
    return event.recorded_at, submission.client_id, event.event.name, event.trajectory_id, reason


def hold_rows(subjects: Sequence[Subject]) -> list[tuple[object, ...]]:
    """What persons said no to, under every id by which an event may name them, each id once."""
    said = (one for one in subjects if one.merged_into is None)
    found = {name: one.holds for one in said for name in (one.id, *one.merged)}
    return [(name, holds.dumps(found[name])) for name in sorted(found)]


def clock_rows(
    dues: Sequence[tuple[str, int | None]], known: Mapping[str, tuple[int | None, int]]
) -> list[tuple[object, ...]]:
    """When cases are due that were due at another time or had clocks put off; none is any more."""
    changed = (one for one in dues if known.get(one[0], (None, 0)) != (one[1], 0))
    return [(*one, 0, None) for one in changed]


def review_rows(changes: Changes, now: int) -> list[tuple[object, ...]]:
    """The cases to look at again."""
    return [(one, uuid7(), now) for one in sorted(changes.reviews)]


def ledger_row(entry: Entry, prepared: Prepared, record: bytes) -> tuple[object, ...]:
    """The row of one event of an accepted submission, its record sealed."""
    event, submission = prepared.event, entry.submission
    first = prepared is entry.prepared[0]
    return (
        event.event_id,
        event.producer,
        submission.client_id,
        sender_key(submission) if first else f"{event.producer}/{event.event_id}",
        event.event.name,
        event.event.schema_id,
        event.aggregate_type,
        event.aggregate_id,
        event.aggregate_version,
        event.trajectory_id,
        event.subject_id,
        event.producer_org,
        event.caused_by,
        event.actor_role,
        event.purpose,
        event.legal_basis,
        "accepted",
        event.agreement_id,
        event.agreement_hash,
        event.territory_nis,
        event.programme,
        event.rule_set,
        event.causation_id,
        prepared.on_behalf_of,
        event.occurred_at,
        event.recorded_at,
        submission.traceparent,
        _json(event.recipients).decode(),
        _json(event.joined).decode(),
        record,
        hashlib.sha256(record).digest(),
        prepared.commitment,
        prepared.salt if event.subject_id is None else None,
    )
