"""One shared commit: read under locks, decide each submission in turn, seal, write.

Nothing of it is seen by anybody until the one commit at its end, and a refusal of one request
leaves the others as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gateway.errors import Blocked, EventIdReused, IdempotencyKeyReused, UnknownCase
from gateway.exchange import answers, persons, reading, registry_moves, sealing
from gateway.exchange.changed_rows import changed_rows
from gateway.exchange.decision import Accepted, Context, Refused
from gateway.exchange.draft import unknown_case
from gateway.exchange.erasure_effects import is_party_erased
from gateway.exchange.locating import Locator, Place, is_mandate, is_offer, locate, offer_named
from gateway.exchange.outbox import MAX_EVENT_BYTES, OUTBOX, event_row, fact_row, too_large
from gateway.exchange.publication import ItemOutcome
from gateway.exchange.records import LedgerRow, row_from
from gateway.exchange.submission import content
from gateway.exchange.working import Entry, Repeat, Verdict, Working, sender_key
from gateway.exchange.written import (
    AUDIT,
    IDEMPOTENCY,
    LEDGER,
    UNSEALED,
    audit_row,
    ledger_row,
)
from schemas import codec
from schemas.errors import Message, SchakelError
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumers.clock import Clock
    from gateway.exchange.decision import Decide, DecidedEvent
    from gateway.exchange.driver import Driver
    from gateway.exchange.keys import KeyStore
    from gateway.exchange.locating import Handles
    from gateway.exchange.publication import PublishRequest
    from gateway.exchange.registry import Registry
    from gateway.exchange.submission import Submission

Answer = tuple[ItemOutcome, ...] | SchakelError


class Conflict(Exception):  # noqa: N818 - not a fault: another gateway was first, so do it again
    """Another writer recorded the same event, key or digest meanwhile; nothing was written."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a shared commit needs from outside."""

    keys: KeyStore
    decide: Decide
    registry: Callable[[], Registry]
    clock: Clock
    environment: str
    locator: Locator


@dataclass(slots=True)
class SharedCommit:
    """One attempt at recording the requests of one transaction. Used once, then thrown away."""

    driver: Driver
    parts: Parts
    requests: Sequence[PublishRequest]
    registry: Registry
    now: int
    read: reading.Read
    wrote: bool = False

    @classmethod
    def begin(
        cls, driver: Driver, parts: Parts, requests: Sequence[PublishRequest]
    ) -> SharedCommit:
        """Begin the transaction, take the locks and read all that the decisions need."""
        driver.begin()
        read = reading.read(driver, parts.locator, requests)
        return cls(driver, parts, requests, parts.registry(), parts.clock.now_us(), read)

    def run(self) -> list[Answer]:
        """Decide and write everything; the caller commits.

        Raises:
            Conflict: another writer was first; roll back and begin again.
        """
        decided = [self._request(request) for request in self.requests]
        records = self._write()
        return [
            one if isinstance(one, SchakelError) else self._outcomes(one, request, records)
            for one, request in zip(decided, self.requests, strict=True)
        ]

    def _request(self, request: PublishRequest) -> list[Verdict] | SchakelError:
        """What becomes of the submissions of one request, or the error of the whole request."""
        working = self.read.working
        if request.dry_run:
            return self._verdicts(request, working.fork())
        if request.idempotency_key is None:
            return self._verdicts(request, working)
        key, digest = answers.key_of(request), answers.hash_of(request)
        known = working.answered.get(key)
        if known is None and (stored := working.stored.get(key)) is not None:
            known = (stored.request_hash, answers.load(self.driver, stored.answer))
        if known is None:
            known = (digest, self._verdicts(request, working))
        working.answered[key] = known
        return known[1] if known[0] == digest else _key_reused()

    def _verdicts(self, request: PublishRequest, working: Working) -> list[Verdict]:
        verdicts: list[Verdict] = []
        refused: set[str] = set()
        unread = list(reversed(request.unread))
        for number, submission in enumerate(request.submissions):
            while unread and unread[-1].before <= number:
                # Found only now: an earlier event of the request may have brought the name.
                refused |= self.read.meant(unread.pop(), working)
            verdict, touched = self._verdict(submission, working, refused)
            if isinstance(verdict, ItemOutcome):
                refused |= touched
            verdicts.append(verdict)
        return verdicts

    def _verdict(
        self, submission: Submission, working: Working, refused: set[str]
    ) -> tuple[Verdict, set[str]]:
        """The verdict, and the names under which the same case may come again."""
        handles = self.read.handles[id(submission)]
        touched = handles.touched()
        prior = working.priors.get(sender_key(submission))
        if prior is not None:
            return self._repeat(submission, prior), touched
        place = error = None
        try:
            place = locate(submission, handles, working)
            submission = self._resolved(submission, working)
        except UnknownCase as unknown:
            error = unknown
        except SchakelError as taken:
            return ItemOutcome("rejected", "rules", taken), touched
        if place is not None and place.target_id is not None:
            touched.add(place.target_id)
        if not refused.isdisjoint(touched):
            return ItemOutcome("blocked", "ledger", _blocked()), touched
        decision = self._decided(submission, handles, place, working)
        if isinstance(decision, Accepted) and error is not None:
            # Decided without the case it names, so that an unknown case and one of somebody else
            # fail at the same leg; it must not begin a new one in its place.
            decision = Refused(unknown_case(), "authorisation")
        if isinstance(decision, Refused):
            return ItemOutcome("rejected", decision.step, decision.error), touched
        entry = self._entry(submission, decision)
        if any(one.size > MAX_EVENT_BYTES for one in entry.prepared):
            return ItemOutcome("rejected", "ledger", too_large()), touched
        working.apply(entry, decision, handles)
        return entry, touched

    def _decided(
        self, submission: Submission, handles: Handles, place: Place | None, working: Working
    ) -> Accepted | Refused:
        """The decision; about somebody new when whom it names knows the recognised person no more.

        To such an organisation the person is new, as to itself when it refers; only a case that
        the sender names is refused.
        """
        apart: frozenset[str] = frozenset()
        while True:
            context = self._context(submission, handles, place, working, apart)
            decision = self.parts.decide(submission, context)
            is_apart = isinstance(decision, Refused) and is_party_erased(decision.error)
            if place is None or place.subject_id is None or not is_apart:
                return decision
            apart |= {working.canonical(place.subject_id)}
            again = locate(submission, handles, working, apart)
            if again == place:
                return decision
            place = again

    def _repeat(self, submission: Submission, prior: Entry | LedgerRow) -> Verdict:
        """The same event again gives its receipt; other content under its id is refused."""
        if isinstance(prior, Entry):
            commitment, salt = prior.prepared[0].commitment, prior.prepared[0].salt
        else:
            commitment = prior.commitment
            salt = sealing.open_row(prior, self.parts.keys, (sealing.MAIN,)).salt or b""
        if not salt or sealing.commit_to(salt, submission.canonical) != commitment:
            return ItemOutcome("rejected", "ledger", _reused())
        return Repeat(prior, salt)

    def _resolved(self, submission: Submission, working: Working) -> Submission:
        """With the hub's ids where the sender named its own events by its own."""
        named = submission.causation_id
        if named is not None:
            found = working.event_ids.get(f"{submission.sender}/{named}")
            submission = replace(submission, causation_id=found or answers.uuid_or_none(named))
        corrected = submission.data.get("correction_of")
        if corrected is not None:
            found = working.event_ids.get(f"{submission.sender}/{corrected}", corrected)
            submission = replace(submission, data={**submission.data, "correction_of": found})
        if submission.repeats is not None:
            return replace(submission, data=self._repeated(submission.repeats))
        return persons.resolved(submission, working)

    def _repeated(self, key: str) -> dict[str, Any]:
        """The data of an earlier event, opened.

        Raises:
            UnknownCase: it was erased meanwhile.
        """
        (rows,) = self.driver.read((reading.PRIORS, [key]))
        for row in rows:
            data = sealing.open_row(row_from(row), self.parts.keys).data
            if data is not None:
                return data
        raise unknown_case()

    def _context(
        self,
        submission: Submission,
        handles: Handles,
        place: Place | None,
        working: Working,
        apart: frozenset[str],
    ) -> Context:
        target = place.target_id if place is not None else None
        offer, of_mandate = is_offer(submission), is_mandate(submission)
        of_case = not offer and not of_mandate
        subject = place.subject_id if place is not None else None
        if subject is None and submission.event.personal:
            subject = uuid7()
        around = persons.around(
            subject if of_case else None,
            handles,
            target,
            working,
            submission.participant,
            apart=apart,
        )
        return Context(
            registry=self.registry,
            trajectory=working.trajectories[target] if target and of_case else None,
            offer=working.offers[target] if target and offer else None,
            subject_id=subject if of_case else None,
            now=self.now,
            new_id=uuid7,
            environment=self.parts.environment,
            offer_owners=self.read.offer_owners(self.driver),
            offers_at=self.read.offers_at(self.driver),
            find_offer=self.read.offer_finder(self.driver),
            named_offer=working.offers.get(offer_named(submission) or ""),
            subject=around.subject,
            linked=around.linked,
            elsewhere=around.elsewhere,
            twin=around.twin,
            candidates=around.candidates,
            named=around.named,
            mandate=working.mandates[target] if target and of_mandate else None,
            open_files=self.read.open_files(self.driver),
        )

    def _entry(self, submission: Submission, accepted: Accepted) -> Entry:
        first, *follow = accepted.events
        prepared = [sealing.prepare(first, submission.canonical, submission.on_behalf_of)]
        prepared += [sealing.prepare(event, _content(event)) for event in follow]
        return Entry(submission, tuple(prepared), accepted.warnings)

    def _write(self) -> dict[str, bytes]:
        """Make the keys durable, seal, and insert; the records by event id."""
        changes = self.read.working.changes
        prepared = [one for entry in changes.entries for one in entry.prepared]
        if not prepared:
            return {}
        keys = self.parts.keys.data_keys(need for one in prepared for need in one.needs())
        records = {one.event.event_id: sealing.seal(one, keys) for one in prepared}
        rows = [
            ledger_row(entry, one, records[one.event.event_id])
            for entry in changes.entries
            for one in entry.prepared
        ]
        outbox = [event_row(one.event) for one in prepared]
        outbox += [fact_row(fact, codec.encode_fact(fact)) for fact in changes.facts]
        acts = [audit_row(one.prepared[0], one.submission) for one in changes.entries]
        # The same order of tables, and sorted within each, in every writer: no deadlock.
        whole = self.driver.write(
            *changed_rows(self.read.working, self.parts.keys, self.registry, self.now),
            (LEDGER, rows),
            (UNSEALED, [(one.event.event_id,) for one in prepared]),
            (OUTBOX, outbox),
            (IDEMPOTENCY, self._answers()),
            (AUDIT, [one for one in acts if one is not None]),
        )
        if not whole:
            raise Conflict
        moved = [self.read.working.mandates[one] for one in changes.mandates]
        registry_moves.bump(self.driver, moved, self.now)
        self.wrote = True
        return records

    def _answers(self) -> list[tuple[object, ...]]:
        """Answers to keep: those of this commit in which something was accepted."""
        working = self.read.working
        return [
            (key, digest, answers.dump(verdicts), self.now)
            for key, (digest, verdicts) in sorted(working.answered.items())
            if key not in working.stored and any(isinstance(one, Entry) for one in verdicts)
        ]

    def _outcomes(
        self, verdicts: list[Verdict], request: PublishRequest, records: dict[str, bytes]
    ) -> tuple[ItemOutcome, ...]:
        return tuple(
            one
            if isinstance(one, ItemOutcome)
            else answers.outcome(one, self.parts.keys, records, dry_run=request.dry_run)
            for one in verdicts
        )


def _content(event: DecidedEvent) -> bytes:
    """What a hub event commits to: nobody sent it, so there is no submission to take it from."""
    return content(event.event_id, event.event.name, event.aggregate_id, event.data)


def _reused() -> EventIdReused:
    return EventIdReused(
        Message(
            nl="Dit id is al gebruikt voor een andere inhoud. Geef elke gebeurtenis een eigen id.",
            en="This id was used for other content. Give every event an id of its own.",
        )
    )


def _blocked() -> Blocked:
    return Blocked(
        Message(
            nl="Een eerdere gebeurtenis van dit dossier is geweigerd. Herstel die eerst.",
            en="An earlier event of this case was refused. Put that right first.",
        )
    )


def _key_reused() -> IdempotencyKeyReused:
    return IdempotencyKeyReused(
        Message(
            nl="Deze Idempotency-Key hoort bij een andere inhoud. Gebruik een nieuwe.",
            en="This Idempotency-Key belongs to another body. Use a new one.",
        )
    )
