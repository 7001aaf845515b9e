"""Topics and access control entries of the log, made from data and checked at every start."""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from consumers.errors import LogUnavailable
from consumers.log_client import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    AuthorizationError,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    KafkaError,
    NoError,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    connection,
    set_quotas,
    unreachable,
)
from consumers.log_records import LogSettings, TopicPlan, plan
from schemas.errors import Message

_ANY_HOST = "*"
_USER = "User:"
_CLUSTER = "kafka-cluster"
"""What Kafka calls the one cluster in entries."""


class LogAdmin:
    """Topics and access control entries; needs a principal that may change them.

    Args:
        settings: how to reach the broker, as its administrator.
    """

    def __init__(self, settings: LogSettings) -> None:
        self._settings = settings
        self._admin: Any = None

    def ping(self) -> None:
        """Return when the broker answers.

        Raises:
            LogUnavailable: it does not, within the time of a connection.
        """
        with self._client() as admin:
            admin.describe_cluster()

    def ensure_topics(self, topics: Iterable[Any], *, replication: int = 1) -> tuple[str, ...]:
        """Make missing topics, add missing partitions, set differing configs; return what changed.

        Args:
            topics: `schemas.topics.Topic` values.
            replication: copies of each new topic; 1 on the embedded broker.

        Raises:
            LogUnavailable: the broker did not do it.
        """
        plans = {wanted.name: wanted for wanted in map(plan, topics)}
        with self._client() as admin:
            present = set(admin.list_topics())
            missing = {
                name: _creation(new, replication)
                for name, new in plans.items()
                if name not in present
            }
            if missing:
                admin.create_topics(missing, timeout_ms=10_000, wait_for_metadata=True)
            kept = [wanted for name, wanted in plans.items() if name in present]
            changed = _align(admin, kept) if kept else []
        return (*missing, *changed)

    def grant_read(self, principal: str, topic: str, group_prefix: str) -> None:
        """Let a principal read one topic with groups of its own prefix; idempotent.

        It counts within half a second: the broker applies entries a moment after it has them.
        """
        self._grant(
            [
                _entry(principal, ResourceType.TOPIC, topic, ACLOperation.READ),
                _entry(principal, ResourceType.TOPIC, topic, ACLOperation.DESCRIBE),
                _entry(
                    principal, ResourceType.GROUP, group_prefix, ACLOperation.READ, prefixed=True
                ),
            ]
        )

    def grant_write(self, principal: str, topic_prefix: str) -> None:
        """Let a principal publish to all topics of a prefix; idempotent."""
        self._grant(
            [
                _entry(principal, ResourceType.TOPIC, topic_prefix, operation, prefixed=True)
                for operation in (ACLOperation.WRITE, ACLOperation.DESCRIBE)
            ]
        )

    def grant_door(self, principal: str, topic_prefix: str) -> None:
        """Let a principal keep the topics of a prefix, and say who may read them; idempotent.

        Whoever may change entries may give itself everything: this is for one service alone.
        """
        on_topics = (
            ACLOperation.WRITE,
            ACLOperation.DESCRIBE,
            ACLOperation.CREATE,
            ACLOperation.ALTER,
            ACLOperation.DESCRIBE_CONFIGS,
            ACLOperation.ALTER_CONFIGS,
        )
        on_cluster = (ACLOperation.ALTER, ACLOperation.DESCRIBE, ACLOperation.ALTER_CONFIGS)
        self._grant(
            [
                _entry(principal, ResourceType.TOPIC, topic_prefix, operation, prefixed=True)
                for operation in on_topics
            ]
            + [
                _entry(principal, ResourceType.CLUSTER, _CLUSTER, operation)
                for operation in on_cluster
            ]
        )

    def grant_consume(self, principal: str, topic_prefix: str, group_prefix: str) -> None:
        """Let a principal read all topics of a prefix with groups of a prefix; idempotent."""
        read, describe = ACLOperation.READ, ACLOperation.DESCRIBE
        self._grant(
            [
                _entry(principal, ResourceType.TOPIC, topic_prefix, read, prefixed=True),
                _entry(principal, ResourceType.TOPIC, topic_prefix, describe, prefixed=True),
                _entry(principal, ResourceType.GROUP, group_prefix, read, prefixed=True),
            ]
        )

    def readers(self, topic_prefix: str) -> dict[str, set[str]]:
        """The topics of a prefix that each principal may read, by its name without its kind."""
        with self._client() as admin:
            entries, _ = admin.describe_acls(_entries_on_topics())
        found: dict[str, set[str]] = {}
        for entry in entries:
            pattern = entry.resource_pattern
            is_literal = pattern.pattern_type is ACLResourcePatternType.LITERAL
            if is_literal and pattern.resource_name.startswith(topic_prefix):
                principal = entry.principal.removeprefix(_USER)
                found.setdefault(principal, set()).add(pattern.resource_name)
        return found

    def limit(self, principal: str, *, bytes_a_second: float, request_part: float) -> None:
        """Bound what a principal may read and ask; idempotent.

        Args:
            principal: its name.
            bytes_a_second: what each broker hands it at most, before it has to wait.
            request_part: how much of the broker's request threads it may take, in percent.
        """
        quotas = {"consumer_byte_rate": bytes_a_second, "request_percentage": request_part}
        with self._client() as admin:
            set_quotas(admin, principal, quotas)

    def revoke(self, principal: str) -> int:
        """Take every entry of a principal away; return how many there were."""
        with self._client() as admin:
            results = admin.delete_acls([_every_entry(principal)])
        for _filter, _entries, error in results:
            if error is not NoError:
                raise LogUnavailable(_refused_entries())
        return sum(len(entries) for _filter, entries, _error in results)

    def close(self) -> None:
        """Let go of the connection; idempotent."""
        if self._admin is not None:
            admin, self._admin = self._admin, None
            admin.close()

    def _grant(self, entries: list[Any]) -> None:
        with self._client() as admin:
            # Failures are in the answer, not raised.
            if admin.create_acls(entries)["failed"]:
                raise LogUnavailable(_refused_entries())

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            if self._admin is None:
                self._admin = KafkaAdminClient(
                    **connection(self._settings), request_timeout_ms=10_000
                )
            yield self._admin
        except AuthorizationError as error:
            raise LogUnavailable(_refused_entries()) from error
        except KafkaError as error:
            self.close()
            raise LogUnavailable(unreachable(self._settings.bootstrap)) from error


def _creation(wanted: TopicPlan, replication: int) -> dict[str, Any]:
    return {
        "num_partitions": wanted.partitions,
        "replication_factor": replication,
        "configs": wanted.configs,
    }


def _align(admin: Any, wanted: Sequence[TopicPlan]) -> list[str]:
    """Bring existing topics to their plan; return the names of those that changed."""
    described = admin.describe_topics([topic.name for topic in wanted])
    counts = {topic["name"]: len(topic["partitions"]) for topic in described}
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in wanted]
    found = admin.describe_configs(resources, config_filter="all")["topic"]
    changed = []
    for topic in wanted:
        now = {name: entry["value"] for name, entry in found[topic.name].items()}
        differing = {name: value for name, value in topic.configs.items() if now.get(name) != value}
        if differing:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic.name, differing)])
        if counts[topic.name] < topic.partitions:
            admin.create_partitions({topic.name: topic.partitions})
        if differing or counts[topic.name] < topic.partitions:
            changed.append(topic.name)
    return changed


def _entry(principal: str, kind: Any, name: str, operation: Any, *, prefixed: bool = False) -> Any:
    pattern = ACLResourcePatternType.PREFIXED if prefixed else ACLResourcePatternType.LITERAL
    return ACL(
        principal=_USER + principal,
        host=_ANY_HOST,
        operation=operation,
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(kind, name, pattern),
    )


def _entries_on_topics() -> Any:
    return ACLFilter(
        principal=None,
        host=None,
        operation=ACLOperation.READ,
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePatternFilter(
            ResourceType.TOPIC, None, ACLResourcePatternType.ANY
        ),
    )


def _every_entry(principal: str) -> Any:
    return ACLFilter(
        principal=_USER + principal,
        host=None,
        operation=ACLOperation.ANY,
        permission_type=ACLPermissionType.ANY,
        resource_pattern=ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
    )


def _refused_entries() -> Message:
    return Message(
        nl="Kafka weigerde de toegangsregels te wijzigen.",
        en="Kafka refused to change the access control entries.",
    )
