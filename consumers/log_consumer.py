"""Reading the log as a member of a group; blocks, and is not thread-safe."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final

from consumers.errors import LogUnavailable
from consumers.log_client import (
    MEMBERSHIP_LOST,
    KafkaConsumer,
    KafkaError,
    OffsetAndMetadata,
    connection,
    unreachable,
)
from consumers.log_records import Fetched
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from consumers.log_records import LogSettings

COMMIT_SECONDS: Final = 1.0
_COMMIT_MS: Final = 10_000


class LogConsumer:
    """Reads topics as one member of a group, from the earliest record on; the caller commits.

    Args:
        settings: how to reach the broker.
        topics: what to read.
        group: the group whose offsets count.
        instance_id: this process's own name in the group: restarted within the session it gets its
            partitions back at once. Exactly one process per name.
        commit_seconds: how long what is done may stay unsaid at the broker; 0 says it each time.
        passed: seconds on a clock that never goes back.
    """

    def __init__(
        self,
        settings: LogSettings,
        topics: Iterable[str],
        group: str,
        instance_id: str,
        *,
        commit_seconds: float = COMMIT_SECONDS,
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._group = group
        self._instance_id = instance_id
        self._consumer: Any = None
        self._polled: dict[Any, int] = {}
        self._commit_seconds = commit_seconds
        self._passed = passed
        self._committed_at = float("-inf")
        self._read: dict[Any, int] = {}
        self._done: dict[Any, int] = {}

    def poll(self, timeout_seconds: float) -> list[Fetched]:
        """Return up to 500 records, none when none came in time; in order within a partition.

        Raises:
            LogUnavailable: the broker cannot be reached, or does not let us see a topic.
        """
        consumer = self._connected()
        self._commit_owed(after=self._commit_seconds)
        try:
            polled = consumer.poll(timeout_ms=int(timeout_seconds * 1000))
        except KafkaError as error:
            self._leave()
            raise LogUnavailable(unreachable(self._settings.bootstrap)) from error
        if not polled:
            self._commit_owed(after=0)
        self._polled = {partition: batch[0].offset for partition, batch in polled.items() if batch}
        self._read = {
            partition: batch[-1].offset + 1 for partition, batch in polled.items() if batch
        }
        return [_fetched(record) for batch in polled.values() for record in batch]

    def rewind(self) -> None:
        """Go back to before the last poll, so that the next one returns the same records."""
        for partition, offset in self._polled.items():
            with contextlib.suppress(KafkaError, AssertionError):
                self._connected().seek(partition, offset)
        self._polled, self._read = {}, {}

    def commit(self) -> None:
        """Say that everything polled so far is done; blocks for an answer.

        The broker writes each commit to a topic of its own, which costs it as much as an event.
        So it is told once in `commit_seconds` under load, and when nothing more comes or on
        `close`; who ends without one reads what came since once more.

        Raises:
            LogUnavailable: it is not known; the records may be read again.
        """
        self._done |= self._read
        self._commit_owed(after=self._commit_seconds)

    def lag(self) -> dict[tuple[str, int], int]:
        """Return how many records of each assigned partition were not polled yet.

        Raises:
            LogUnavailable: the broker did not answer.
        """
        consumer = self._connected()
        try:
            assigned = list(consumer.assignment())
            ends = consumer.end_offsets(assigned, timeout_ms=5000) if assigned else {}
            return {
                (partition.topic, partition.partition): end - consumer.position(partition)
                for partition, end in ends.items()
            }
        except KafkaError as error:
            raise LogUnavailable(unreachable(self._settings.bootstrap)) from error

    def close(self) -> None:
        """Leave, after telling what is done and was not told yet; idempotent, never raises."""
        with contextlib.suppress(LogUnavailable):
            self._commit_owed(after=0)
        self._leave()

    def _commit_owed(self, *, after: float) -> None:
        """Tell the broker what `commit` was called for, and nothing that was only polled.

        Raises:
            LogUnavailable: it is not known. What is owed stays owed, unless the group dropped this
                member: then nobody may tell it, and the next poll joins anew and reads it again.
        """
        if not self._done or self._passed() - self._committed_at < after:
            return
        ours = self._consumer.assignment()
        offsets = {
            partition: OffsetAndMetadata(offset, "", -1)
            for partition, offset in self._done.items()
            if partition in ours  # what went to another member is that one's to tell
        }
        try:
            if offsets:
                self._consumer.commit(offsets, timeout_ms=_COMMIT_MS)
        except MEMBERSHIP_LOST as error:
            self._leave()
            raise LogUnavailable(unreachable(self._settings.bootstrap)) from error
        except KafkaError as error:
            raise LogUnavailable(unreachable(self._settings.bootstrap)) from error
        self._done, self._committed_at = {}, self._passed()

    def _leave(self) -> None:
        self._read, self._done = {}, {}
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            with contextlib.suppress(KafkaError):
                consumer.close(autocommit=False, timeout_ms=2000)

    def _connected(self) -> Any:
        if self._consumer is None:
            try:
                self._consumer = KafkaConsumer(
                    *self._topics,
                    **connection(self._settings),
                    group_id=self._group,
                    group_instance_id=self._instance_id,
                    session_timeout_ms=10_000,
                    heartbeat_interval_ms=3000,
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    fetch_min_bytes=1,
                    fetch_max_wait_ms=500,
                    max_poll_records=500,
                    allow_auto_create_topics=False,
                    metrics_enabled=False,
                )
                self._require_visible(self._consumer.topics())
            except KafkaError as error:
                self._leave()
                raise LogUnavailable(unreachable(self._settings.bootstrap)) from error
        return self._consumer

    def _require_visible(self, visible: Iterable[str]) -> None:
        # A consumer of a topic that it may not read polls nothing for ever and never fails.
        missing = sorted(set(self._topics) - set(visible))
        if missing:
            self._leave()
            raise LogUnavailable(
                Message(
                    nl=f"Onderwerp {', '.join(missing)} bestaat niet of mag niet gelezen worden.",
                    en=f"Topic {', '.join(missing)} does not exist or may not be read.",
                )
            )


def _fetched(record: Any) -> Fetched:
    return Fetched(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key or b"",
        value=record.value or b"",
        headers=tuple(record.headers),
        timestamp=record.timestamp,
    )
