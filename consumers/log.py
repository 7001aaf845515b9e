"""The log: publishing, supervised against the two bugs of the client's producer; reading beside it.

* A record that the broker rejects makes every later send of an idempotent producer fail, for ever.
* A retried batch that passes its delivery timeout leaves later sends hanging, for ever.

So a producer is never trusted again after a failed or late flush: it is thrown away, the caller
publishes the same records again on a new one, and duplicates (one chunk at most) are dropped by
whoever reads. Everything here blocks, nothing is thread-safe, and every failure is one of
`LogError`'s kinds.
"""

import contextlib
from collections.abc import Sequence
from typing import Any

from consumers.errors import LogUnavailable, NotPublished, Poison
from consumers.log_admin import LogAdmin
from consumers.log_client import (
    BrokerResponseError,
    KafkaError,
    KafkaProducer,
    RetriableError,
    TopicPartition,
    connection,
    unreachable,
)
from consumers.log_consumer import LogConsumer
from consumers.log_records import MAX_RECORD_BYTES, Fetched, LogSettings, Record
from consumers.partitions import partition_of
from schemas.errors import Message

__all__ = [
    "Fetched",
    "LogAdmin",
    "LogConsumer",
    "LogSettings",
    "LogUnavailable",
    "NotPublished",
    "Poison",
    "Record",
    "SupervisedProducer",
]

_FLUSH_SECONDS = 8.0


class SupervisedProducer:
    """Publishes chunks of records in order, acknowledged by all replicas.

    Args:
        settings: how to reach the broker.
        flush_seconds: after this long without all acknowledgements the producer is replaced.
    """

    def __init__(self, settings: LogSettings, *, flush_seconds: float = _FLUSH_SECONDS) -> None:
        self._settings = settings
        self._flush_seconds = flush_seconds
        self._producer: Any = None
        self.replaced = 0

    def publish(self, records: Sequence[Record]) -> None:
        """Send all records and wait until every one is acknowledged.

        Blocks for `flush_seconds` and the time of a connection at most. When it raises, some
        records may be in the log all the same: publish all of them again, in the same order.

        Raises:
            Poison: one record can never be published: too large, without a key, or, when it is the
                only one, rejected by the broker. The error names it; nothing of the chunk was sent
                when it is refused beforehand.
            NotPublished: not all were acknowledged; `rejected` says whether the broker rejected
                something, so that the chunk must be published one by one.
        """
        for record in records:
            _require_publishable(record)
        producer = self._connected()
        try:
            futures = _gathered(producer, records)
            producer.flush(self._flush_seconds)
        except KafkaError as error:
            self._discard()
            raise self._failure(records, [error]) from error
        failures = [failure for future in futures if (failure := _failure_of(future)) is not None]
        if failures:
            self._discard()
            raise self._failure(records, failures) from failures[0]

    def prepare(self, topic: str) -> None:
        """Connect and learn where the topic is, so that what is published next is sent at once.

        Blocks for five seconds at most.

        Raises:
            NotPublished: the broker is away, or the topic is.
        """
        producer = self._connected()
        try:
            producer.partitions_for(topic)
        except KafkaError as error:
            self._discard()
            raise NotPublished(unreachable(self._settings.bootstrap)) from error

    def publish_separately(self, records: Sequence[Record]) -> tuple[Poison, ...]:
        """Publish a rejected chunk one by one; return the records that can never be published.

        Raises:
            NotPublished: the broker is away; publish the same records again.
        """
        poisons = []
        for record in records:
            try:
                self.publish([record])
            except Poison as poison:
                poisons.append(poison)
        return tuple(poisons)

    def close(self) -> None:
        """Let go of the connection; idempotent, blocks for two seconds at most."""
        if self._producer is not None:
            producer, self._producer = self._producer, None
            _force_close(producer)

    def _connected(self) -> Any:
        if self._producer is None:
            try:
                self._producer = KafkaProducer(
                    **connection(self._settings),
                    acks="all",
                    enable_idempotence=True,
                    # Nothing leaves before the flush that follows each chunk at once.
                    linger_ms=1000,
                    batch_size=64 * 1024,
                    max_request_size=1024 * 1024,
                    # Longer than any outage that the library should ride out by itself: when it
                    # passes on a retried batch, the producer hangs. Our own flush is the deadline.
                    delivery_timeout_ms=600_000,
                    request_timeout_ms=8000,
                    max_block_ms=2000,
                    allow_auto_create_topics=False,
                    # Nobody reads what the client counts on every request.
                    metrics_enabled=False,
                )
            except KafkaError as error:
                raise NotPublished(unreachable(self._settings.bootstrap)) from error
        return self._producer

    def _discard(self) -> None:
        self.close()
        self.replaced += 1

    def _failure(
        self, records: Sequence[Record], failures: Sequence[BaseException]
    ) -> Poison | NotPublished:
        rejected = any(_is_rejection(failure) for failure in failures)
        if rejected and len(records) == 1:
            return Poison(records[0], type(failures[0]).__name__)
        return NotPublished(_unacknowledged(len(failures), len(records)), rejected=rejected)


def _gathered(producer: Any, records: Sequence[Record]) -> list[Any]:
    """Put records where the next flush takes them from; their futures, in order.

    Past the client's `send`, which wakes the network thread for each batch that it begins and
    hashes and measures each record again: half of what publishing it costs.
    """
    counts = {
        topic: len(producer.partitions_for(topic)) for topic in {one.topic for one in records}
    }
    append = producer._accumulator.append  # noqa: SLF001 - see above
    return [
        append(_place(one, counts[one.topic]), None, one.key, one.value, one.headers)[0]
        for one in records
    ]


def _place(record: Record, partitions: int) -> TopicPartition:
    if record.partition is not None:
        return TopicPartition(record.topic, record.partition)
    return TopicPartition(record.topic, partition_of(record.key, partitions))


def _require_publishable(record: Record) -> None:
    if not record.key:
        raise Poison(record, "no key")
    if record.size > MAX_RECORD_BYTES:
        raise Poison(record, f"{record.size} bytes, more than {MAX_RECORD_BYTES}")


def _failure_of(future: Any) -> BaseException | None:
    """Return why a flushed record is not in the log, None when it is."""
    if future.succeeded() and future.value is not None and future.value.offset >= 0:
        return None
    exception: BaseException | None = future.exception
    return exception if exception is not None else TimeoutError("not acknowledged")


def _is_rejection(failure: BaseException) -> bool:
    return isinstance(failure, BrokerResponseError) and not isinstance(failure, RetriableError)


def _force_close(producer: Any) -> None:
    # A stuck producer's close() raises from its own flush before it stops anything (kafka.md §3.3).
    producer.flush = lambda *_args, **_kwargs: None
    # Else it goes on sending what it holds for as long as it is waited for.
    producer._sender.force_close()  # noqa: SLF001 - close() does so only after the wait
    with contextlib.suppress(KafkaError):
        producer.close(timeout=2)


def _unacknowledged(failures: int, records: int) -> Message:
    return Message(
        nl=f"{failures} van {records} records zijn niet bevestigd.",
        en=f"{failures} of {records} records were not acknowledged.",
    )
