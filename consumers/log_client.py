"""The client library of the log, in one place: its names, shared options and the bearer token.

Nothing else imports kafka, so that this module decides which client it is.
"""

import warnings
from typing import Any

from consumers.errors import LogUnavailable
from consumers.log_records import LogSettings
from schemas.errors import Message

with warnings.catch_warnings():
    # The library reads its message definitions with a function that Python 3.11 calls deprecated.
    warnings.filterwarnings("ignore", "(open|read)_text is deprecated", DeprecationWarning)
    from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
    from kafka.admin import (
        ACL,
        ACLFilter,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ConfigResource,
        ConfigResourceType,
        ResourcePattern,
        ResourcePatternFilter,
        ResourceType,
    )
    from kafka.errors import (
        AuthorizationError,
        BrokerResponseError,
        CommitFailedError,
        FencedInstanceIdError,
        IllegalGenerationError,
        KafkaError,
        NoError,
        RebalanceInProgressError,
        RetriableError,
        UnknownMemberIdError,
        for_code,
    )
    from kafka.net.sasl.oauth import AbstractTokenProvider
    from kafka.protocol.admin.client_quotas import AlterClientQuotasRequest
    from kafka.structs import OffsetAndMetadata, TopicPartition

__all__ = [
    "ACL",
    "MEMBERSHIP_LOST",
    "ACLFilter",
    "ACLOperation",
    "ACLPermissionType",
    "ACLResourcePatternType",
    "AuthorizationError",
    "BrokerResponseError",
    "ConfigResource",
    "ConfigResourceType",
    "KafkaAdminClient",
    "KafkaConsumer",
    "KafkaError",
    "KafkaProducer",
    "NoError",
    "OffsetAndMetadata",
    "ResourcePattern",
    "ResourcePatternFilter",
    "ResourceType",
    "RetriableError",
    "TopicPartition",
    "connection",
    "set_quotas",
    "unreachable",
]

MEMBERSHIP_LOST = (
    CommitFailedError,
    FencedInstanceIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
"""What a commit raises from a member that the group no longer has; only a poll joins again."""
_BOOTSTRAP_MS = 3000


class _Tokens(AbstractTokenProvider):  # type: ignore[misc] # the library carries no types
    """Hands the library the settings' token; its own refreshing is the settings' business."""

    def __init__(self, settings: LogSettings) -> None:
        super().__init__()
        self._settings = settings

    def token(self) -> str:
        """Return the current token."""
        if self._settings.token is None:
            raise LogUnavailable(unreachable(self._settings.bootstrap))
        return self._settings.token()


def connection(settings: LogSettings) -> dict[str, Any]:
    """Return the options that every client of these settings shares."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap.split(","),
        "client_id": settings.client_id,
        "security_protocol": settings.security_protocol,
        "bootstrap_timeout_ms": _BOOTSTRAP_MS,
        # The default grows to 30 s, for which a client stays away from a broker that is back.
        "reconnect_backoff_max_ms": 1000,
    }
    if settings.ca_file is not None:
        options["ssl_cafile"] = str(settings.ca_file)
    if settings.cert_file is not None:
        options["ssl_certfile"] = str(settings.cert_file)
        options["ssl_keyfile"] = str(settings.key_file)
    if settings.token is not None:
        options["sasl_mechanism"] = "OAUTHBEARER"
        options["sasl_oauth_token_provider"] = _Tokens(settings)
    return options


def set_quotas(admin: Any, principal: str, quotas: dict[str, float]) -> None:
    """Set quotas of a user. The library has the request, but no method that sends it.

    Raises:
        KafkaError: the broker did not do it.
    """
    entry = AlterClientQuotasRequest.EntryData
    request = AlterClientQuotasRequest(
        entries=[
            entry(
                entity=[entry.EntityData(entity_type="user", entity_name=principal)],
                ops=[
                    entry.OpData(key=key, value=value, remove=False)
                    for key, value in quotas.items()
                ],
            )
        ],
        validate_only=False,
    )
    manager = admin._manager  # noqa: SLF001 - see above
    answer = manager.run(manager.send, request)
    for one in answer.entries:
        if one.error_code:
            raise for_code(one.error_code)(one.error_message)


def unreachable(bootstrap: str) -> Message:
    """Return the sentence for a broker that does not answer."""
    return Message(
        nl=f"Kafka op {bootstrap} antwoordt niet.", en=f"Kafka at {bootstrap} does not answer."
    )
