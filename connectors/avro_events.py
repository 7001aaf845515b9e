"""One event as binary CloudEvents with an Avro body, the way the hub reads it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from schemas import codec, envelope
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

AVRO: Final = "application/avro"


def avro_request(event: Mapping[str, Any], environment: str) -> tuple[dict[str, str], bytes]:
    """The headers and the body that publish an event given in structured form.

    Args:
        event: a CloudEvent with its data as JSON.
        environment: `test` or `production`, which decides which identifiers exist.

    Raises:
        SchakelError: the attributes or the data are not as they have to be, field by field.
    """
    sent = envelope.from_structured(event)
    kind = catalogue().event(sent.event_name)
    day = datetime.fromtimestamp(sent.time / 1_000_000, UTC).date()
    data = codec.parse(kind, sent.data, environment=environment, on=day)
    binary = structs.replace(sent, data=None, datacontenttype=AVRO)
    return dict(envelope.http_headers(binary)), codec.frame(
        kind.schema_id, codec.encode(kind, data)
    )
