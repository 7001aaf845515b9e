"""Everything the work behind the log may refuse or fail with, as one tree.

    SchakelError
    └── ConsumersError                503 consumers_error
        ├── CursorExpired             410 cursor_expired
        ├── StoreNewer                503 store_newer
        ├── WebhookError              a subscription or its receiver
        │   ├── AddressRefused        422 address_refused
        │   ├── InvalidSubscription   422 subscription_invalid
        │   ├── SubscriptionState     409 subscription_state
        │   ├── SecretLost            409 secret_lost
        │   │   └── CredentialsLost   409 credentials_lost
        │   └── NotSent               503 not_sent
        └── LogError                  503 log_error
            ├── LogUnavailable        503 log_unavailable
            ├── NotPublished          503 not_published
            └── Poison                422 record_rejected

Codes are stable and documented; sentences are for the partner's operator, in Dutch and English.
"""

# ruff: noqa: N818 - an error is named for what is wrong; its base class says it is an error

from typing import Final

from consumers.log_records import Record
from schemas.errors import Message, SchakelError

LOST: Final = {
    "secret_lost": Message(
        nl="De hub kan het geheim van dit abonnement niet meer openen. "
        "Vervang het met POST /v1/subscriptions/{id}/secret; daarna gaat de hub door.",
        en="The hub can no longer open this subscription's secret. "
        "Replace it with POST /v1/subscriptions/{id}/secret; the hub then goes on.",
    ),
    "credentials_lost": Message(
        nl="De hub kan de inloggegevens (oauth) voor deze ontvanger niet meer openen. "
        "Vervang ze met POST /v1/subscriptions/{id}/oauth; daarna gaat de hub door.",
        en="The hub can no longer open the credentials (oauth) for this receiver. "
        "Replace them with POST /v1/subscriptions/{id}/oauth; the hub then goes on.",
    ),
}
"""Code of what was sealed under a key that is gone, to what its owner does then."""


class ConsumersError(SchakelError):
    """The root of what this package raises."""

    code = "consumers_error"
    status = 503
    title = Message(nl="Verwerking niet beschikbaar", en="Processing unavailable")


class CursorExpired(ConsumersError):
    """A feed cursor points before what the inbox still keeps; ask for a backfill."""

    code = "cursor_expired"
    status = 410
    title = Message(nl="Cursor verlopen", en="Cursor expired")


class StoreNewer(ConsumersError):
    """A newer version of Schakel brought a store up to date; this one does not start on it."""

    code = "store_newer"
    title = Message(nl="Opslag is nieuwer", en="Store is newer")


class WebhookError(ConsumersError):
    """Something about a webhook subscription, or about its receiver."""

    code = "webhook_error"
    title = Message(nl="Fout bij een webhook", en="Webhook error")


class AddressRefused(WebhookError):
    """A receiver's address is not one that the hub calls."""

    code = "address_refused"
    status = 422
    title = Message(nl="Adres geweigerd", en="Address refused")


class InvalidSubscription(WebhookError):
    """A subscription cannot be as asked; `invalid` lists every field that is wrong."""

    code = "subscription_invalid"
    status = 422
    title = Message(nl="Ongeldig abonnement", en="Invalid subscription")


class SubscriptionState(WebhookError):
    """The subscription's state does not allow this now."""

    code = "subscription_state"
    status = 409
    title = Message(nl="Nu niet mogelijk", en="Not possible now")


class SecretLost(WebhookError):
    """A subscription's secret lies under a key-encryption key that is gone: nobody opens it."""

    code = "secret_lost"
    status = 409
    title = Message(nl="Geheim verloren", en="Secret lost")

    def __init__(self) -> None:
        super().__init__(LOST[self.code])


class CredentialsLost(SecretLost):
    """Of the two secrets of a subscription, the one with which the hub gets a token."""

    code = "credentials_lost"
    title = Message(nl="Inloggegevens verloren", en="Credentials lost")


class NotSent(WebhookError):
    """A receiver gave no answer.

    Args:
        reason: why, as the code of an attempt: `timeout`, `connection_failed`, `tls_failed`,
            `name_unknown`, `address_refused`, `answer_incomplete` or `token_refused`.
    """

    code = "not_sent"
    title = Message(nl="Niet verstuurd", en="Not sent")

    def __init__(self, reason: str) -> None:
        super().__init__(Message(nl=f"Geen antwoord: {reason}.", en=f"No answer: {reason}."))
        self.reason = reason


class LogError(ConsumersError):
    """The log could not be read, written or changed."""

    code = "log_error"
    title = Message(nl="Fout in het logboek", en="Log error")


class LogUnavailable(LogError):
    """The broker does not answer, or does not let this principal do what it asked."""

    code = "log_unavailable"
    title = Message(nl="Logboek niet bereikbaar", en="Log unavailable")


class NotPublished(LogError):
    """Not every record of a chunk was acknowledged: publish the same records again.

    Args:
        detail: the sentence for the operator.
        rejected: the broker rejected something in it: publish its records one by one.
    """

    code = "not_published"
    title = Message(nl="Niet gepubliceerd", en="Not published")

    def __init__(self, detail: Message, *, rejected: bool = False) -> None:
        super().__init__(detail)
        self.rejected = rejected


class Poison(LogError):
    """One record can never be published; it is named, its value never shown.

    Args:
        record: the record.
        why: what is wrong with it, such as the broker's error.
    """

    code = "record_rejected"
    status = 422
    title = Message(nl="Record geweigerd", en="Record rejected")

    def __init__(self, record: Record, why: str) -> None:
        super().__init__(
            Message(
                nl=f"Een record voor {record.topic} is geweigerd: {why}.",
                en=f"A record for {record.topic} was rejected: {why}.",
            )
        )
        self.record = record
        self.why = why
