"""The values of the sealed log: what is readable of an event, and its encrypted parts.

`domain.md` §3.3 says what each part holds; `schemas.codec` writes and reads them.
"""

from __future__ import annotations

from msgspec import Struct


class RoutingHeader(Struct, frozen=True, gc=False):
    """What the hub's own workers may read of a sealed event. Times are microseconds UTC."""

    event_id: str
    event_type: str
    schema_version: int
    aggregate_type: str
    aggregate_id: str
    aggregate_version: int
    trajectory_id: str | None
    causation_id: str | None
    producer: str
    on_behalf_of: str | None
    actor_role: str
    occurred_at: int
    recorded_at: int
    subject_ref: str | None
    purpose: str | None
    legal_basis: str | None
    agreement_id: str | None
    territory_nis: str
    rule_set: str


class SealedPart(Struct, frozen=True, gc=False):
    """One encrypted part; `part` is main or staff, `bytes` the ciphertext with its tag."""

    part: str
    key_id: str
    nonce: bytes
    bytes: bytes


class SealedEvent(Struct, frozen=True, gc=False):
    """The value of `activation.trajectory.v1`."""

    routing: RoutingHeader
    parts: tuple[SealedPart, ...]


class SealedMain(Struct, frozen=True, gc=False):
    """Clear text of the part main. `body` is the event record without its staff contacts."""

    actor_ref: str | None
    source_record_id: str | None
    salt: bytes
    body: bytes

    def __repr__(self) -> str:
        """Nothing of it: this is clear text."""
        return "SealedMain()"


class SealedStaff(Struct, frozen=True, gc=False):
    """Clear text of the part staff: path of a staff contact to its JSON."""

    fields: dict[str, bytes]

    def __repr__(self) -> str:
        """Nothing of it: this is clear text."""
        return "SealedStaff()"
