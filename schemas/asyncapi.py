"""The AsyncAPI 3 document: what the hub sends, where, and how each event looks in Avro.

Made from the catalogue and the topics, so that it cannot say anything else than what is sent. It
describes the hub: what the hub sends, a partner receives.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import yaml

from schemas.attributes import TYPE_PREFIX
from schemas.catalogue import catalogue, published_schema
from schemas.envelope import AVRO, event_type
from schemas.fingerprint import essence
from schemas.topics import topics

if TYPE_CHECKING:
    from schemas.catalogue import EventType
    from schemas.topics import Topic

VERSION: Final = "3.0.0"
AVRO_FORMAT: Final = "application/vnd.apache.avro+json;version=1.9.0"
INBOX: Final = "inbox"
_PARTICIPANT: Final = "^[a-z0-9-]{3,40}$"
_DAY_MS: Final = 86_400_000

_INTRODUCTION: Final = """\
Wat de hub aan partners zendt via Kafka: elke deelnemer heeft een eigen onderwerp met zijn eigen
kopieën, zoals zijn overeenkomsten ze toelaten. Velden die een overeenkomst weglaat, staan in
`ce_withheld`. Elke gebeurtenis komt minstens één keer, in volgorde per traject; `ce_id` herkent wat
twee keer komt. Wie meer mag zien dan voorheen, krijgt dezelfde `ce_id` opnieuw met
`ce_redelivery`: de kopie met het hoogste getal vervangt de andere.

What the hub sends to partners over Kafka: each participant has a topic of its own with its own
copies, as its agreements let it have them. Fields that an agreement withholds are named in
`ce_withheld`. Every event comes at least once, in order for each trajectory; `ce_id` recognises
what comes twice. Who may see more than before gets the same `ce_id` again with `ce_redelivery`:
the copy with the highest number replaces the others.
"""
_HEADERS: Final[dict[str, tuple[str, bool]]] = {
    "ce_specversion": ("1.0.", True),
    "ce_id": ("Id of the event; deduplicate by it and ce_redelivery.", True),
    "ce_source": ("Who sent it: urn:schakel:participant: and its id, or urn:schakel:masked.", True),
    "ce_type": ("Type of the event.", True),
    "ce_time": ("When it happened, RFC 3339.", True),
    "ce_subject": ("What it is about: the aggregate's id, never a person.", True),
    "ce_dataschema": ("Path of the value's schema at the hub's registry.", True),
    "ce_trajectoryid": ("The trajectory; also the record's key.", False),
    "ce_causationid": ("The event that led to it.", False),
    "ce_aggregatetype": ("Kind of aggregate.", True),
    "ce_aggregateversion": ("Position in the aggregate's life; gaps are normal.", True),
    "ce_recordedtime": ("When the hub recorded it, RFC 3339.", True),
    "ce_actorrole": ("Role letter of the sender.", True),
    "ce_subjectref": ("The person's pseudonym for this participant.", False),
    "ce_withheld": ("Comma-joined fields that the agreement withholds.", False),
    "ce_agreementid": ("Under which agreement it is disclosed.", False),
    "ce_agreementhash": ("SHA-256 of that agreement's document.", False),
    "ce_purpose": ("Purpose of the exchange.", False),
    "ce_legalbasis": ("Legal basis of the exchange.", False),
    "ce_territorynis": ("NIS code that counts.", True),
    "ce_ruleset": ("Rules that decided.", True),
    "ce_deliveredfor": ("The participant whose copy it is.", True),
    "ce_dataclassification": ("public, internal, confidential or restricted.", True),
    "ce_backfill": ("true when it is history for a new member.", False),
    "ce_redelivery": (
        "Which fuller copy this is, from 1; a higher number replaces a lower one or none.",
        False,
    ),
    "traceparent": ("W3C trace context.", False),
}


def document(kafka: str, gateway: str, *, is_encrypted: bool = True) -> dict[str, Any]:
    """Return the whole document.

    Args:
        kafka: `host:port` of the listener for partners.
        gateway: base address of the HTTP interface.
        is_encrypted: the listener has TLS; those of test installations may go without.
    """
    topic = next(one for one in topics() if one.is_per_participant)
    events = catalogue().all()
    return {
        "asyncapi": VERSION,
        "id": "urn:schakel:hub",
        "info": _info(gateway),
        "defaultContentType": AVRO,
        "servers": {
            "kafka": {
                "host": kafka,
                "protocol": "kafka-secure" if is_encrypted else "kafka",
                "description": "SASL OAUTHBEARER with a token of the hub for resource "
                "urn:schakel:kafka, scope sj_kafka_read.",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "channels": {INBOX: _channel(topic, events)},
        "operations": {"sendEvents": _operation(events)},
        "components": {
            "messages": {one.record: _message(one) for one in events},
            "messageTraits": {"cloudEvent": {"headers": _headers()}},
            "correlationIds": {"cause": {"location": "$message.header#/ce_causationid"}},
            "securitySchemes": {"token": _token(gateway)},
        },
    }


@cache
def as_yaml(kafka: str, gateway: str, *, is_encrypted: bool = True) -> bytes:
    """Return the document as YAML: 0.7 MB, the same bytes for the same catalogue."""
    text = yaml.dump(
        document(kafka, gateway, is_encrypted=is_encrypted),
        Dumper=_Plain,
        allow_unicode=True,
        sort_keys=False,
        width=100,
    )
    return text.encode()


class _Plain(yaml.SafeDumper):
    """Writes every value out: anchors make a document that people cannot search."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the library's signature
        return True


def _info(gateway: str) -> dict[str, Any]:
    return {
        "title": "Schakel",
        "version": "1.0.0",
        "description": _INTRODUCTION,
        "license": {"name": "EUPL-1.2"},
        "externalDocs": {
            "description": "The HTTP interface, with every event type as JSON Schema.",
            "url": f"{gateway}/openapi.json",
        },
    }


def _channel(topic: Topic, events: tuple[EventType, ...]) -> dict[str, Any]:
    return {
        "address": topic.name,
        "title": topic.description.nl,
        "description": topic.description.en,
        "servers": [{"$ref": "#/servers/kafka"}],
        "parameters": {
            "participant": {"description": f"Id of the participant: {_PARTICIPANT}"},
        },
        "messages": {one.record: {"$ref": _of(one)} for one in events},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_ms,
                },
                "bindingVersion": "0.5.0",
            }
        },
        "x-retention-days": topic.retention_ms // _DAY_MS,
    }


def _operation(events: tuple[EventType, ...]) -> dict[str, Any]:
    return {
        "action": "send",
        "title": "Events of a participant's inbox",
        "summary": "Every event that the participant may have, rendered under what is agreed then.",
        "channel": {"$ref": f"#/channels/{INBOX}"},
        "messages": [{"$ref": f"#/channels/{INBOX}/messages/{one.record}"} for one in events],
        "bindings": {
            "kafka": {
                "groupId": {
                    "type": "string",
                    "description": "The participant's id, a dot, and a name of your own.",
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _message(event: EventType) -> dict[str, Any]:
    return {
        "name": event_type(event.name),
        "title": f"{event.label.nl} / {event.label.en}",
        "summary": event.doc,
        "contentType": AVRO,
        "correlationId": {"$ref": "#/components/correlationIds/cause"},
        "traits": [{"$ref": "#/components/messageTraits/cloudEvent"}],
        "payload": {
            "schemaFormat": AVRO_FORMAT,
            "schema": essence(published_schema(event.schema_id)),
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "Trajectory id, or what it is about."},
                "schemaIdLocation": "payload",
                "schemaIdPayloadEncoding": "confluent",
                "schemaLookupStrategy": "RecordNameStrategy",
                "bindingVersion": "0.5.0",
            }
        },
    }


def _headers() -> dict[str, Any]:
    found: dict[str, Any] = {
        name: {"type": "string", "description": description}
        for name, (description, _) in _HEADERS.items()
    }
    found["ce_type"]["pattern"] = f"^{TYPE_PREFIX.replace('.', chr(92) + '.')}"
    required = [name for name, (_, is_required) in _HEADERS.items() if is_required]
    return {"type": "object", "properties": found, "required": required}


def _token(gateway: str) -> dict[str, Any]:
    scopes = {"sj_kafka_read": "read the own Kafka topic"}
    flow = {"tokenUrl": f"{gateway}/oauth/token", "availableScopes": scopes}
    return {"type": "oauth2", "flows": {"clientCredentials": flow}, "scopes": list(scopes)}


def _of(event: EventType) -> str:
    return f"#/components/messages/{event.record}"
