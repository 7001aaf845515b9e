"""What goes into the log and comes out of it, and how to reach it; knows no client library."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Kafka refuses a request over 1 MiB; a batch's own header and length fields need some of it.
MAX_RECORD_BYTES = 1024 * 1024 - 4096
_FRAMING_BYTES = 128
_HEADER_FRAMING_BYTES = 10


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How one principal reaches the broker.

    Attributes:
        bootstrap: `host:port`, several separated by commas.
        ca_file: the authority to trust; absent on a listener without TLS.
        cert_file: the principal's certificate, for a listener that asks for one.
        key_file: its private key.
        token: gives a valid bearer token at once or raises; it is called on the network thread, so
            it must never fetch. Absent where a certificate is the way in.
        client_id: the name in the broker's metrics and quotas.
    """

    bootstrap: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    token: Callable[[], str] | None = field(default=None, repr=False)
    client_id: str = "schakel"

    @property
    def security_protocol(self) -> str:
        """Kafka's name for this combination."""
        encrypted = self.ca_file is not None
        if self.token is not None:
            return "SASL_SSL" if encrypted else "SASL_PLAINTEXT"
        return "SSL" if encrypted else "PLAINTEXT"


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish; without a partition its key decides."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    partition: int | None = None

    @property
    def size(self) -> int:
        """An upper bound of what it takes in a produce request, in bytes."""
        headers = sum(
            len(name) * 3 + len(value) + _HEADER_FRAMING_BYTES for name, value in self.headers
        )
        return len(self.key) + len(self.value) + headers + _FRAMING_BYTES


@dataclass(frozen=True, slots=True)
class Fetched:
    """One record as read; `timestamp` is in milliseconds since 1970, UTC."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """A topic as it should be, read off a `schemas.topics.Topic`."""

    name: str
    partitions: int
    configs: dict[str, str]


def plan(topic: Any) -> TopicPlan:
    """Return what the broker is told about a topic; retention is one of its configs there."""
    configs = {str(name): str(value) for name, value in dict(topic.configs).items()}
    if topic.retention_ms is not None:
        configs.setdefault("retention.ms", str(topic.retention_ms))
    return TopicPlan(topic.name, topic.partitions, configs)
