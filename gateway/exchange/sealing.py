"""Sealing an event's data for rest and opening it again (`domain.md` §3.3).

Everything a reader needs to open a part is in the record beside it, so a record opens by itself;
the additional data binds each part to its event, so that no part can be moved to another record.
"""

from __future__ import annotations

import hashlib
import os
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from cryptography.exceptions import InvalidTag
from msgspec import Struct
from msgspec.structs import asdict

from gateway.exchange.encryption import NONCE_BYTES, unusable
from gateway.exchange.keys import DataKey, KeyNeed
from schemas import codec
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gateway.exchange.decision import DecidedEvent
    from gateway.exchange.records import LedgerRow

SALT_BYTES = 16
MAIN, STAFF = "main", "staff"
NOTICE, NOTICES = "subject.erased", "urn:schakel:org:hub:notices"
"""The event that tells of an erasure is under a key of its own: it has to outlive what it is of."""
BOTH_PARTS = frozenset({MAIN, STAFF})


class Ciphers(Protocol):
    """Finds data keys by id."""

    def ciphers(self, key_ids: Iterable[str]) -> dict[str, DataKey]:
        """Those of the keys that still exist."""
        ...


class Prepared(Struct, frozen=True, gc=False):
    """An event split and encoded, waiting for its keys."""

    event: DecidedEvent
    on_behalf_of: str | None
    body: bytes
    staff: bytes | None
    commitment: bytes
    salt: bytes

    def __repr__(self) -> str:
        """The event's id alone: the rest is clear text and salt."""
        return f"Prepared({self.event.event_id})"

    @property
    def size(self) -> int:
        """Bytes of what is sealed, without headers, nonces and tags."""
        return len(self.body) + len(self.staff or b"")

    def needs(self) -> tuple[KeyNeed, ...]:
        """The data keys that sealing takes; none for an event about nobody."""
        event = self.event
        if event.subject_id is None:
            return ()
        if event.event.name == NOTICE:
            key_of = f"notices:{event.aggregate_id}"
            return (KeyNeed(key_of, event.aggregate_id, NOTICES, MAIN),)
        main = KeyNeed(event.subject_id, event.aggregate_id, event.producer_org, MAIN)
        return (main,) if self.staff is None else (main, main._replace(part=STAFF))


class Opened(Struct, frozen=True, gc=False):
    """What could be opened of a record.

    Attributes:
        data: plain JSON; None when it was erased or not asked for, and without the staff fields
            when those were.
        salt: the receipt's salt, None when erased.
    """

    data: dict[str, Any] | None
    actor_ref: str | None
    source_record_id: str | None
    salt: bytes | None


_BINDING = itemgetter("event_id", "event_type", "subject_ref", "aggregate_id", "producer")
"""What of the routing header a part is bound to."""

ERASED = Opened(None, None, None, None)


def commit_to(salt: bytes, canonical: bytes) -> bytes:
    """The receipt's commitment: SHA-256(salt ‖ canonical JSON)."""
    return hashlib.sha256(salt + canonical).digest()


def prepare(event: DecidedEvent, canonical: bytes, on_behalf_of: str | None = None) -> Prepared:
    """Split off the staff's fields, encode, and commit to the content under a fresh salt."""
    salt = os.urandom(SALT_BYTES)
    commitment = commit_to(salt, canonical)
    if event.subject_id is None:
        body = codec.encode_record(event.event, _header(event, on_behalf_of), event.data)
        return Prepared(event, on_behalf_of, body, None, commitment, salt)
    data, staff = codec.split_staff(event.event, event.data)
    sealed_staff = None
    if staff:
        fields = {path: orjson.dumps(value) for path, value in staff.items()}
        sealed_staff = codec.encode_staff(codec.SealedStaff(fields))
    main = codec.SealedMain(
        event.actor_ref, event.source_record_id, salt, codec.encode(event.event, data)
    )
    return Prepared(event, on_behalf_of, codec.encode_main(main), sealed_staff, commitment, salt)


def seal(prepared: Prepared, keys: Mapping[KeyNeed, DataKey]) -> bytes:
    """The record that ledger and log keep: a framed `SealedEvent`, or an offer's typed record."""
    event = prepared.event
    needs = prepared.needs()
    if not needs:
        return prepared.body
    routing = _header(event, prepared.on_behalf_of)
    plain = {MAIN: prepared.body, STAFF: prepared.staff or b""}
    parts = []
    for need in needs:
        key = keys[need]
        nonce = os.urandom(NONCE_BYTES)
        sealed = key.cipher.encrypt(nonce, plain[need.part], _bound_to(routing, need.part))
        parts.append(codec.SealedPart(need.part, key.key_id, nonce, sealed))
    return codec.encode_sealed(routing, parts)


def unseal(record: bytes, keys: Ciphers, parts: Collection[str] = BOTH_PARTS) -> Opened:
    """Open a framed `SealedEvent`; parts that are not asked for or were erased stay shut.

    Raises:
        KeysUnusable: a part was changed, or moved here from another record.
    """
    sealed = codec.decode_sealed(record)
    routing = asdict(sealed.routing)
    asked = [part for part in sealed.parts if part.part in parts]
    ciphers = keys.ciphers(part.key_id for part in asked)
    opened = {
        part.part: _open(routing, part, ciphers[part.key_id])
        for part in asked
        if part.key_id in ciphers
    }
    if MAIN not in opened:
        return ERASED
    main = codec.decode_main(opened[MAIN])
    data = codec.decode(catalogue().event(sealed.routing.event_type), main.body)
    if STAFF in opened:
        staff = codec.decode_staff(opened[STAFF]).fields
        data = codec.merge_staff(data, {path: orjson.loads(value) for path, value in staff.items()})
    return Opened(data, main.actor_ref, main.source_record_id, main.salt)


def open_row(row: LedgerRow, keys: Ciphers, parts: Collection[str] = BOTH_PARTS) -> Opened:
    """Open a ledger row's record, sealed or not. Raises as `unseal`."""
    if row.subject_id is not None:
        return unseal(row.record, keys, parts)
    _, _, data = codec.decode_record(row.record)
    return Opened(data, None, None, row.salt)


def _open(routing: Mapping[str, Any], part: codec.SealedPart, key: DataKey) -> bytes:
    try:
        return key.cipher.decrypt(part.nonce, part.bytes, _bound_to(routing, part.part))
    except (InvalidTag, ValueError) as error:  # the latter for a nonce of another length
        raise unusable("een record past niet bij zijn sleutel", "a record was changed") from error


def _bound_to(routing: Mapping[str, Any], part: str) -> bytes:
    return "\x1f".join([*(name or "" for name in _BINDING(routing)), part]).encode()


def _header(event: DecidedEvent, on_behalf_of: str | None) -> dict[str, Any]:
    return {
        "event_id": event.event_id,
        "event_type": event.event.name,
        "schema_version": event.event.version,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "aggregate_version": event.aggregate_version,
        "trajectory_id": event.trajectory_id,
        "causation_id": event.causation_id,
        "producer": event.producer,
        "on_behalf_of": on_behalf_of,
        "actor_role": event.actor_role,
        "occurred_at": event.occurred_at,
        "recorded_at": event.recorded_at,
        "subject_ref": event.subject_id,
        "purpose": event.purpose,
        "legal_basis": event.legal_basis,
        "agreement_id": event.agreement_id,
        "territory_nis": event.territory_nis,
        "rule_set": event.rule_set,
    }
