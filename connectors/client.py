"""A partner's client of the hub, and every name that a partner's program needs (`__all__`).

    with HubClient.from_file(Path("credentials.json")) as hub:
        hub.publish(hub.event("referral.created", data, id="case-1"))
        for event in hub.follow(FileCursor(Path("feed.cursor"))): ...

Except where a method says that it is patient, it makes one attempt per call and says exactly one of
three things: recorded, refused (`HubRefused`: never written; the same again gives the same), or
unavailable (`HubUnavailable`: unknown; send the same call again).
Synchronous; one client per thread. Needs nothing of the hub's own packages.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from connectors.answers import (
    Decided,
    Delivered,
    DryRun,
    ItemAnswer,
    Page,
    Receipt,
    Recipient,
    Refilled,
    Warned,
    unreadable,
)
from connectors.calls import Calls
from connectors.credentials import Credentials, load_credentials, parse_credentials
from connectors.errors import (
    ConnectorError,
    HubRefused,
    HubUnavailable,
    InvalidCredentials,
    InvalidEvents,
    StateUnusable,
    WebhookRefused,
)
from connectors.following import Form, Wanted
from connectors.patience import Patience
from connectors.positions import CursorStore, FileCursor, MemoryCursor, Position
from connectors.receiving import Receiving
from connectors.records import fetch_records
from connectors.sdk import Event
from connectors.submitting import Submitting
from connectors.webhooks import challenge_of, new_webhook_secret, verify_webhook
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    import httpx

    from schemas.record_checks import Checked

__all__ = [
    "ConnectorError",
    "Credentials",
    "CursorStore",
    "Decided",
    "Delivered",
    "DryRun",
    "Event",
    "FileCursor",
    "Form",
    "HubClient",
    "HubRefused",
    "HubUnavailable",
    "InvalidCredentials",
    "InvalidEvents",
    "ItemAnswer",
    "MemoryCursor",
    "Page",
    "Patience",
    "Position",
    "Receipt",
    "Recipient",
    "Refilled",
    "StateUnusable",
    "Wanted",
    "Warned",
    "WebhookRefused",
    "challenge_of",
    "load_credentials",
    "new_webhook_secret",
    "parse_credentials",
    "verify_webhook",
]


class HubClient(Submitting, Receiving):
    """The hub over HTTPS, for one client; its tokens are bound to a key of this object's own.

    Args:
        url: the gateway's address.
        credentials: who calls.
        transport: httpx's, for tests.
        language: of the sentences in problems, `nl` or `en`.
        now: real time in seconds since the epoch.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        language: str = "nl",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._calls = Calls(url, credentials, transport=transport, language=language, now=now)
        Submitting.__init__(self, self._calls, credentials.participant, now)
        Receiving.__init__(self, self._calls)

    @classmethod
    def from_file(cls, path: Path, *, language: str = "nl") -> Self:
        """A client from a credentials file that names its hub, as `schakel client create` writes.

        Raises:
            InvalidCredentials: not there, readable by others, or without `hub`.
        """
        credentials = load_credentials(path)
        if credentials.hub is None:
            raise InvalidCredentials(
                Message(
                    nl=f"{path} noemt geen hub: zet er het adres van de gateway in als hub.",
                    en=f"{path} names no hub: add the gateway's address as hub.",
                )
            )
        return cls(credentials.hub, credentials, language=language)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._calls.close()

    def me(self) -> dict[str, Any]:
        """Who the hub says this client is: participant, organisation, roles, scopes."""
        return self._calls.get("/v1/me")

    def erase(
        self, trajectory_id: str, legal_ground: str, *, reason: str, key: str
    ) -> dict[str, Any]:
        """Order the erasure of the own organisation's data about the person of a case.

        Args:
            trajectory_id: the case.
            legal_ground: code of the list `legal_ground`.
            reason: for the hub's audit line; no name and no number.
            key: `Idempotency-Key`; the same again gives the same order.

        Returns:
            The order, with its `erasure_id` and `stage`. Raises as `publish`.
        """
        body = {"trajectory_id": trajectory_id, "legal_ground": legal_ground, "reason": reason}
        return self._calls.post("/v1/erasures", body, key=key)

    def confirm_erasure(self, erasure_id: str) -> dict[str, Any]:
        """Confirm that the own copies are erased.

        Args:
            erasure_id: of the order, or id of the `subject.erased` that told of it.
        """
        return self._calls.post(f"/v1/erasures/{erasure_id}/receipts", {"erased": True})

    def agreements(self) -> list[dict[str, Any]]:
        """The agreements that the own organisation is a party of, with status, `document_hash`."""
        found = self._calls.get("/v1/agreements").get("agreements")
        if not isinstance(found, list):
            raise unreadable()
        return found

    def agreement(self, agreement_id: str) -> dict[str, Any]:
        """One of them, with every signature. Raises HubRefused for those of others."""
        return self._calls.get(f"/v1/agreements/{agreement_id}")

    def record_key(self) -> dict[str, Any]:
        """The hub's public proof keys, a JWK Set: compare it with what its operator tells you."""
        return self._calls.get("/v1/records/key")

    def records(self, out: Path, *, key: Mapping[str, Any], older: Path | None = None) -> Checked:
        """Fetch the own exchange records into a file and check every one of them.

        Args:
            out: the file, written whole or not at all; `schakel verify` checks it again offline.
            key: the JWK Set that you trust, as `record_key` gave it once.
            older: an earlier file: fetch what came after it, and check that nothing before changed.

        Raises:
            InvalidProof: something does not hold; the file is kept as `<out>.part` then.
            Else as `publish`.
        """
        return fetch_records(self._calls.get, out, key, older)
