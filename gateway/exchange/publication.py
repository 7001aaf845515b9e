"""What the ledger takes and gives: a request to publish, its outcomes, and the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from gateway.exchange.decision import DecidedEvent
    from gateway.exchange.decision import Warning as Notice
    from gateway.exchange.submission import Submission
    from schemas.errors import SchakelError

Status = Literal["accepted", "duplicate", "rejected", "blocked"]


class Unread(Struct, frozen=True, gc=False):
    """An event of a batch that was refused before it could become a submission.

    Attributes:
        before: how many submissions of the request came before it.
        named: the ids in it by which a case may be found.
        number: the sender's own number in it; personal, never logged.
    """

    before: int
    named: tuple[str, ...] = ()
    number: str | None = None

    def __repr__(self) -> str:
        """Where it stood."""
        return f"Unread({self.before})"


class PublishRequest(Struct, frozen=True, gc=False):
    """The events of one call, of one client, in the order they have to apply.

    Attributes:
        dry_run: decide everything, write nothing.
        idempotency_key: the caller's `Idempotency-Key`, if any.
        request_hash: SHA-256 of the body, to recognise the key with another body; the hash of
            the submissions when None.
        unread: what was refused before; it blocks later events of the case that it named.
    """

    submissions: tuple[Submission, ...]
    dry_run: bool = False
    idempotency_key: str | None = None
    request_hash: bytes | None = None
    unread: tuple[Unread, ...] = ()


class Receipt(Struct, frozen=True, gc=False):
    """The leaf that proves what the hub accepted (`design/architecture.md` §7).

    `commitment` is SHA-256(salt ‖ canonical JSON of what was sent). `salt` is empty when the
    event was erased since: the leaf stays, and proves nothing about the content any more.
    """

    event_id: str
    participant: str
    recorded_at: int
    decision: str
    agreement: str | None
    agreement_hash: str | None
    record_sha256: bytes
    commitment: bytes
    salt: bytes
    trajectory_id: str | None
    aggregate_id: str
    aggregate_version: int


class ItemOutcome(Struct, frozen=True, gc=False):
    """What became of one submission.

    Attributes:
        step: where a refusal happened: rules, authorisation, lifecycle or ledger.
        error: why, when rejected or blocked.
        receipt: when accepted or duplicate; in a dry run it has no commitment and no hash.
        event: as decided, when accepted in this very call.
        follow: the hub's own events that follow from it.
    """

    status: Status
    step: str | None = None
    error: SchakelError | None = None
    receipt: Receipt | None = None
    event: DecidedEvent | None = None
    follow: tuple[DecidedEvent, ...] = ()
    warnings: tuple[Notice, ...] = ()
