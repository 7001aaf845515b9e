"""Who may read which participant's topic: topics, access control entries and quotas.

They follow from the registry and are made and taken away by the hub alone. What the broker has is
read from the broker, so that an entry left by an earlier process is found and goes too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from schemas.topics import topics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumers.log_admin import LogAdmin
    from schemas.topics import Topic

BYTES_A_SECOND = 2 * 1024 * 1024
"""Each client of a participant reads this much; a noisy one waits by itself."""
REQUEST_PERCENTAGE = 50.0

log = structlog.get_logger(__name__)


class KafkaAccess:
    """Brings the broker to what the registry says. Not safe from several threads.

    Args:
        admin: reaches the broker as its administrator.
        replication: copies of each topic.
    """

    def __init__(self, admin: LogAdmin, *, replication: int = 1) -> None:
        self._admin = admin
        self._replication = replication
        self._kind = next(one for one in topics() if one.is_per_participant)
        self._prefix = self._kind.name.partition("{")[0]
        self._made: set[str] = set()

    def topic_of(self, participant: str) -> str:
        """The name of a participant's own topic."""
        return self._kind.name_for(participant)

    def apply(self, readers: Mapping[str, frozenset[str]]) -> None:
        """Take away what is no longer right, then make the topics and entries that are missing.

        Idempotent; blocks on the broker. Topics stay when nobody may read them any more: what is
        in them goes after their retention.

        Raises:
            LogUnavailable: the broker did not do it; call again.
        """
        wanted = {
            client: self.topic_of(name) for name, clients in readers.items() for client in clients
        }
        present = self._admin.readers(self._prefix)
        for client, names in sorted(present.items()):
            if names != {wanted.get(client)}:
                self._admin.revoke(client)
                log.info("kafka_access_taken_away", client=client)
        self._make_topics(readers)
        for participant, clients in sorted(readers.items()):
            for client in sorted(clients):
                if present.get(client) != {wanted[client]}:
                    self._give(client, participant)

    def forget(self, participant: str) -> None:
        """Its topic may be gone from the broker: the next `apply` makes it when it is missing."""
        self._made.discard(participant)

    def _make_topics(self, readers: Mapping[str, frozenset[str]]) -> None:
        missing = sorted(readers.keys() - self._made)
        if missing:
            self._admin.ensure_topics(map(self._topic, missing), replication=self._replication)
            self._made.update(missing)

    def _give(self, client: str, participant: str) -> None:
        self._admin.limit(client, bytes_a_second=BYTES_A_SECOND, request_part=REQUEST_PERCENTAGE)
        # The dot keeps `acme` out of the groups of `acme-2`.
        self._admin.grant_read(client, self.topic_of(participant), f"{participant}.")
        log.info("kafka_access_given", client=client, participant=participant)

    def _topic(self, participant: str) -> Topic:
        return replace(self._kind, name=self.topic_of(participant))
