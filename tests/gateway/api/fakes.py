"""Stand-ins for what the HTTP interface is given: each is named for the one thing it does."""

from __future__ import annotations

import queue
import sqlite3
from typing import TYPE_CHECKING, Any

from consumers.spans import Entry
from consumers.traceparent import new_traceparent
from consumers.views import EVERYTHING
from gateway.api.inboxes import FeedPage
from gateway.errors import InvalidToken
from gateway.exchange.publication import ItemOutcome, Receipt
from gateway.oauth.verifier import Principal
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consumers.views import Wanted
    from gateway.api.completions import Completions
    from gateway.exchange.publication import PublishRequest
    from gateway.exchange.submission import Submission
    from gateway.oauth.senders import Sender

ALL_SCOPES = frozenset(
    {
        "sj_feed_read",
        "sj_referral_read",
        "sj_referral_write",
        "sj_placement_write",
        "sj_guidance_write",
        "sj_outcome_write",
        "sj_offer_write",
        "sj_rights_write",
        "sj_agreement_write",
    }
)


class ReadableTokens:
    """Takes `<participant>` or `<participant>+<scope>+<scope>` for a token."""

    def __init__(self, roles: Mapping[str, str]) -> None:
        self._roles = roles
        self.taken_back: set[str] = set()
        self.ask: Callable[[], None] | None = None

    def verify(self, token: str, sender: Sender) -> Principal:  # noqa: ARG002 - takes anybody's
        """The principal that the token spells out."""
        participant, *scopes = token.split("+")
        if participant not in self._roles:
            raise InvalidToken(Message(nl="Ongeldig token.", en="Invalid token."))
        return Principal(
            client_id=f"{participant}-client",
            participant=participant,
            scopes=frozenset(scopes) if scopes else ALL_SCOPES,
            trusted_trace="trusted" in scopes,
            role=self._roles[participant],
        )

    def holds(self, token: str) -> bool:
        """Until it is taken back; its issuer is asked first, when there is one to ask."""
        if self.ask is not None:
            self.ask()
        return token not in self.taken_back

    def may_block(self, token: str) -> bool:  # noqa: ARG002 - the interface's
        """Only when an issuer is asked: else it is all in the token."""
        return self.ask is not None


class NoTracing:
    """Traces nothing, and keeps what it was asked to record."""

    def __init__(self, *, sampled: bool = False) -> None:
        self._sampled = sampled
        self.recorded: list[str] = []

    def enter(self, header: str | None, *, trusted: bool) -> Entry:
        """Continue a trusted trace, else begin one."""
        if header is not None and trusted:
            return Entry(header)
        return Entry(new_traceparent(sampled=self._sampled), link=header)

    def record(
        self,
        name: str,
        traceparent: str | None,  # noqa: ARG002 - the interface's
        started_ns: int,  # noqa: ARG002 - the interface's
        ended_ns: int,  # noqa: ARG002 - the interface's
        attributes: Mapping[str, Any] | None = None,  # noqa: ARG002 - the interface's
        *,
        kind: str = "internal",  # noqa: ARG002 - the interface's
        links: Sequence[str] = (),  # noqa: ARG002 - the interface's
    ) -> None:
        """Keep the name."""
        self.recorded.append(name)


def receipt_for(submission: Submission) -> Receipt:
    """A receipt with made-up proofs."""
    return Receipt(
        event_id="0195550e-7c00-7000-8000-000000000001",
        participant=submission.participant,
        recorded_at=1_780_000_000_000_000,
        decision="accepted",
        agreement="prot-2026-001",
        agreement_hash="aa",
        record_sha256=b"\x01",
        commitment=b"\x02",
        salt=b"\x03",
        trajectory_id="0195550e-7c00-7000-8000-000000000002",
        aggregate_id="0195550e-7c00-7000-8000-000000000003",
        aggregate_version=1,
    )


class InstantLedger:
    """Accepts everything at once, or answers what it was told to."""

    def __init__(self, completions: Completions) -> None:
        self._completions = completions
        self.requests: list[PublishRequest] = []
        self.judge: Callable[[Submission], ItemOutcome] = lambda submission: ItemOutcome(
            "accepted", receipt=receipt_for(submission)
        )
        self.error: Exception | None = None

    def submit(self, request: PublishRequest, ticket: object) -> None:
        """Settle the request before returning."""
        if self.error is not None:
            raise self.error
        self.requests.append(request)
        settled = tuple(self.judge(one) for one in request.submissions)
        self._completions.complete([(ticket, settled)])


class ListFeed:
    """An inbox that is a list of JSON documents."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.reads = 0
        self.looks = 0
        self.wanted = EVERYTHING
        self.fails_after = float("inf")

    def read(
        self,
        participant: str,  # noqa: ARG002 - the interface's
        after: int,
        limit: int,
        actor: str,  # noqa: ARG002 - the interface's
        wanted: Wanted = EVERYTHING,
    ) -> FeedPage:
        """The page after a position."""
        self.reads += 1
        self.wanted = wanted
        if self.reads > self.fails_after:
            raise sqlite3.OperationalError
        page = tuple(self.events[after : after + limit])
        last = after + len(page)
        numbers = tuple(range(after + 1, last + 1))
        return FeedPage(page, numbers, last, len(self.events) - last, 0)

    def positions(self, participants: Sequence[str]) -> dict[str, int]:
        """All inboxes are the one list."""
        self.looks += 1
        return dict.fromkeys(participants, len(self.events))

    def since(self, participant: str, moment_us: int) -> int:  # noqa: ARG002
        """One event came in each second since the epoch."""
        return min(len(self.events), max(0, -(-moment_us // 1_000_000)))


class NoJourneys:
    """Knows no event and no case."""

    def event(self, event_id: str, viewer: str) -> None:  # noqa: ARG002
        """Nothing."""
        return

    def trajectory(self, trajectory_id: str, viewer: str) -> tuple[()]:  # noqa: ARG002
        """Nothing."""
        return ()


class NoCases:
    """Knows no case."""

    def of(self, participant: str, wanted: object) -> tuple[()]:  # noqa: ARG002
        """Nothing."""
        return ()

    def one(self, participant: str, trajectory_id: str) -> None:  # noqa: ARG002
        """Nothing."""
        return


class NoOffers:
    """Knows no offer."""

    def search(self, wanted: object) -> tuple[()]:  # noqa: ARG002
        """Nothing."""
        return ()


class NoLog:
    """A log in which nothing ever is: the test routes from the ledger."""

    def poll(self, timeout_seconds: float, /) -> tuple[()]:  # noqa: ARG002
        """Nothing."""
        return ()

    def commit(self) -> None:
        """Nothing to note."""


class QueueListener:
    """Wake-ups that a test puts in by hand."""

    def __init__(self) -> None:
        self._queue: queue.Queue[bytes] = queue.Queue()

    def wake(self, payload: bytes) -> None:
        """Hand in a wake-up."""
        self._queue.put(payload)

    def wait(self, timeout_seconds: float) -> list[bytes]:
        """The next wake-up, or none in time."""
        try:
            return [self._queue.get(timeout=timeout_seconds)]
        except queue.Empty:
            return []
