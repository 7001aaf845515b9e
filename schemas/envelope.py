"""CloudEvents 1.0 as the hub speaks it: structured and binary over HTTP, binary over Kafka.

Attributes follow `architecture.md` §5.
What a partner sends is checked here as a whole: every faulty attribute is listed and none is
dropped in silence, except a malformed `traceparent`, which W3C Trace Context says to ignore.
What the hub delivers is made of its own values and is only written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from msgspec import Struct
from msgspec.structs import asdict

from schemas import attributes
from schemas.attributes import JSON, SOURCE_PREFIX, TYPE_PREFIX
from schemas.canonical import canonical
from schemas.errors import EnvelopeError, InvalidParam, Message
from schemas.moments import from_rfc3339, to_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

MASKED_SOURCE: Final = "urn:schakel:masked"
AVRO: Final = "application/avro"
BATCH: Final = "application/cloudevents-batch+json"

NEVER_IN_KAFKA: Final = frozenset({"sourcerecordid", "actorref"})
"""Attributes that identify a case or a worker at the source; sealed, never a header in the log."""


class CloudEvent(Struct, frozen=True, gc=False):
    """One event's attributes, and its data when the data is JSON.

    Attributes:
        source: `urn:schakel:participant:<id>`, or masked on delivery for a sensitive sender.
        type: `be.schakel.activation.v1.` and the event name.
        time: when it happened; microseconds since the epoch.
        data: plain JSON; None when the body is Avro and travels beside the envelope.
        subject: aggregate id, never a person.
        recordedtime: when the hub recorded it; microseconds since the epoch.
        withheld: paths of the fields that this copy's reader does not get.
        redelivery: how often its reader was given more of this event than before; None for never.
    """

    id: str
    source: str
    type: str
    time: int
    data: Any = None
    subject: str | None = None
    datacontenttype: str = JSON
    dataschema: str | None = None
    trajectoryid: str | None = None
    sourcerecordid: str | None = None
    causationid: str | None = None
    onbehalfof: str | None = None
    purpose: str | None = None
    territorynis: str | None = None
    actorref: str | None = None
    traceparent: str | None = None
    agreementid: str | None = None
    agreementhash: str | None = None
    aggregatetype: str | None = None
    aggregateversion: int | None = None
    recordedtime: int | None = None
    actorrole: str | None = None
    dataclassification: str | None = None
    subjectref: str | None = None
    withheld: tuple[str, ...] = ()
    ruleset: str | None = None
    legalbasis: str | None = None
    deliveredfor: str | None = None
    backfill: bool | None = None
    redelivery: int | None = None

    def __repr__(self) -> str:
        """What it is and whose, never what it says of a person."""
        return f"CloudEvent({self.type}, {self.source}, {self.id})"

    @property
    def event_name(self) -> str:
        """The name that people read and type, such as `referral.created`."""
        return self.type.removeprefix(TYPE_PREFIX)

    @property
    def participant(self) -> str | None:
        """The participant that the source names; None when the sender is masked."""
        if not self.source.startswith(SOURCE_PREFIX):
            return None
        return self.source.removeprefix(SOURCE_PREFIX)


def event_type(event_name: str) -> str:
    """Return the CloudEvents type of an event name."""
    return TYPE_PREFIX + event_name


def participant_source(participant: str) -> str:
    """Return the CloudEvents source of a participant id."""
    return SOURCE_PREFIX + participant


def from_structured(obj: Any) -> CloudEvent:
    """Read one submitted event in structured mode from parsed JSON.

    Raises:
        EnvelopeError: with an invalid parameter for every attribute at fault.
    """
    if not isinstance(obj, dict):
        nl, en = "Is geen JSON-object.", "Is no JSON object."
        raise attributes.refused([attributes.fault("event", "not_an_object", nl, en)])
    sent = dict(obj)
    data = sent.pop("data", None)
    faults: list[InvalidParam] = []
    if not isinstance(data, dict):
        code = "missing" if data is None else "not_an_object"
        nl, en = "Ontbreekt of is geen object.", "Is missing or not an object."
        faults.append(attributes.fault("data", code, nl, en))
    return CloudEvent(data=data, **attributes.check(sent, faults, content_types=(JSON,)))


def from_binary_headers(headers: Iterable[tuple[bytes, bytes]]) -> CloudEvent:
    """Read a submitted event's attributes in binary mode from lower-case HTTP headers.

    The body stays with the caller; `datacontenttype` is the content type without parameters.

    Raises:
        EnvelopeError: with an invalid parameter for every attribute at fault.
    """
    sent: dict[str, Any] = {}
    faults: list[InvalidParam] = []
    for raw_name, raw_value in headers:
        value = raw_value.decode("latin-1")
        if raw_name.startswith(b"ce-"):
            name = raw_name[3:].decode("latin-1")
            if name in sent:
                faults.append(
                    attributes.fault(name, "duplicate", "Komt tweemaal.", "Occurs twice.")
                )
            sent[name] = _percent_decoded(value, name, faults)
        elif raw_name == b"content-type":
            sent["datacontenttype"] = value.partition(";")[0].strip().lower()
    return CloudEvent(**attributes.check(sent, faults, content_types=(AVRO, JSON)))


def _percent_decoded(value: str, name: str, faults: list[InvalidParam]) -> str | None:
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        faults.append(attributes.fault(name, "not_utf8", "Geen UTF-8.", "Not UTF-8."))
        return None


def to_structured(event: CloudEvent) -> dict[str, Any]:
    """Return the event as a structured-mode JSON object: present attributes, then `data`."""
    found = _present(event)
    for name, write in _WRITERS.items():
        if name in found:
            found[name] = write(found[name])
    data = found.pop("data", None)
    if data is not None:
        found["data"] = data
    return found


def _present(event: CloudEvent) -> dict[str, Any]:
    """Return the attributes that are there, and the data, as they are kept inside the hub."""
    present = {n: v for n, v in asdict(event).items() if v is not None and v != ()}
    return {"specversion": "1.0", **present}


def kafka_headers(event: CloudEvent) -> list[tuple[str, bytes]]:
    """Return the event's attributes as Kafka record headers (binary mode, `ce_` prefix).

    Leaves out what identifies a case at its source. `traceparent` travels under its own name too,
    where tracing libraries look for it.
    """
    headers = [("content-type", event.datacontenttype.encode())]
    for name, value in to_structured(event).items():
        if name in NEVER_IN_KAFKA or name in ("data", "datacontenttype"):
            continue
        headers.append((f"ce_{name}", _kafka_text(value).encode()))
    if event.traceparent is not None:
        headers.append(("traceparent", event.traceparent.encode()))
    return headers


def _kafka_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def parse_kafka_headers(headers: Iterable[tuple[str, bytes]]) -> CloudEvent:
    """Read the attributes of a record that the hub itself wrote.

    Unknown headers are skipped: a newer hub may write more.

    Raises:
        EnvelopeError: a required attribute is missing or a value cannot be read.
    """
    values: dict[str, Any] = {}
    try:
        for name, raw in headers:
            attribute = name.removeprefix("ce_") if name.startswith("ce_") else None
            if name == "content-type":
                attribute = "datacontenttype"
            if attribute in _ATTRIBUTES:
                text = raw.decode()
                values[attribute] = _READERS[attribute](text) if attribute in _READERS else text
        return CloudEvent(**values)
    except (TypeError, ValueError) as error:
        raise EnvelopeError(
            Message(
                nl="De headers van dit Kafka-record zijn geen volledig CloudEvent.",
                en="This Kafka record's headers are no complete CloudEvent.",
            )
        ) from error


def http_headers(event: CloudEvent) -> list[tuple[str, str]]:
    """Return the event's attributes as HTTP headers (binary mode), values percent-encoded."""
    headers = [("content-type", event.datacontenttype)]
    for name, value in to_structured(event).items():
        if name not in ("data", "datacontenttype"):
            headers.append((f"ce-{name}", quote(_kafka_text(value), safe=_HEADER_SAFE)))
    return headers


def content(event: CloudEvent, data: Any) -> bytes:
    """Return the canonical form by which two submissions are the same (`architecture.md` §5).

    All attributes sent and the data, without `traceparent` and `time`.
    """
    sent = _present(event)
    sent.pop("traceparent", None)
    del sent["time"]
    sent["data"] = data
    return canonical(sent)


_ATTRIBUTES: Final = tuple(name for name in CloudEvent.__struct_fields__ if name != "data")

_WRITERS: Final[dict[str, Callable[[Any], Any]]] = {
    "time": to_rfc3339,
    "recordedtime": to_rfc3339,
    "withheld": ",".join,
}

_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "time": from_rfc3339,
    "recordedtime": from_rfc3339,
    "aggregateversion": int,
    "withheld": lambda text: tuple(text.split(",")) if text else (),
    "backfill": lambda text: text == "true",
    "redelivery": int,
}

_HEADER_SAFE: Final = "!#$&'()*+,/:;<=>?@[\\]^_`{|}~"
"""What the CloudEvents HTTP binding leaves as is: printable ASCII but space, quote and percent."""
