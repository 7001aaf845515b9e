"""A rendered copy as a record of its reader's own topic: typed Avro, CloudEvents in the headers.

The value is what registry-aware Avro clients read unchanged: five bytes and the event's record,
its header filled (`domain.md` §3.3, §3.10).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from consumers.log_records import Record
from schemas import codec, envelope
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from schemas.envelope import CloudEvent

MASKED = "masked"


def record_of(topic: str, copy: CloudEvent) -> Record:
    """The record of one copy; its key is the trajectory, or what else the event is about.

    `copy` was rendered for one participant, its data in it.
    """
    event = catalogue().event(copy.event_name)
    key = copy.trajectoryid or copy.subject or copy.id
    attributes = replace(copy, data=None, datacontenttype=envelope.AVRO)
    return Record(
        topic,
        key.encode(),
        codec.encode_record(event, _header(copy, event.version), copy.data),
        envelope.kafka_headers(attributes),
        partition=0,
    )


def _header(copy: CloudEvent, schema_version: int) -> dict[str, Any]:
    """The envelope of a reader that takes the value alone."""
    return {
        "event_id": copy.id,
        "event_type": copy.event_name,
        "schema_version": schema_version,
        "aggregate_type": copy.aggregatetype,
        "aggregate_id": copy.subject,
        "aggregate_version": copy.aggregateversion,
        "trajectory_id": copy.trajectoryid,
        "causation_id": copy.causationid,
        "producer": copy.participant or MASKED,
        "on_behalf_of": copy.onbehalfof,
        "actor_role": copy.actorrole,
        "occurred_at": copy.time,
        "recorded_at": copy.recordedtime,
        "subject_ref": copy.subjectref,
        "purpose": copy.purpose,
        "legal_basis": copy.legalbasis,
        "agreement_id": copy.agreementid,
        "territory_nis": copy.territorynis,
        "rule_set": copy.ruleset,
        "delivered_for": copy.deliveredfor,
        "withheld": list(copy.withheld),
    }
