"""What a shared commit reads, under locks taken in one order by every writer.

Digests, then persons, then trajectories, then offers, then mandates, then clocks, each sorted: so
writers wait for each other and never in a circle.
What was accepted or answered before is read last: whoever sees what another gateway's commit
changed then also sees that commit's events, and a twin that waited is answered as a repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.exchange import answers, mandate
from gateway.exchange.driver import Lookup
from gateway.exchange.likeness import MOST_SHARING
from gateway.exchange.locating import Handles, Known, Locator, is_mandate, is_offer, offer_named
from gateway.exchange.records import COLUMNS, row_from
from gateway.exchange.state_rows import loads_offer, loads_subject, loads_trajectory
from gateway.exchange.succession import concerns
from gateway.exchange.working import Stored, Working, sender_key
from schemas import territory
from schemas.lifecycle import lifecycles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.exchange.driver import Driver
    from gateway.exchange.offer_state import Offer
    from gateway.exchange.publication import PublishRequest, Unread
    from gateway.exchange.submission import Submission

PRIORS = Lookup("ledger", ", ".join(COLUMNS), "sender_key")
CAUSES = Lookup("ledger", "sender_key, event_id", "sender_key")
STORED = Lookup("idempotency", "key, request_hash, answer", "key")
AGGREGATES = Lookup("aggregates", "aggregate_id, trajectory_id, subject_id", "aggregate_id")
PERSONS = Lookup("trajectories", "id, subject_id", "id")
DIGESTS = Lookup("blind_index", "digest, subject_id, target_id", "digest", lock=True)
LIKENESS = Lookup("likeness", "digest, subject_id", "digest")
REFERENCES = Lookup("subject_references", "participant, reference, subject_id", "reference")
SUBJECTS = Lookup("subjects", "id, state", "id", lock=True)
OF_SUBJECT = Lookup("trajectories", "id", "subject_id")
TRAJECTORIES = Lookup("trajectories", "id, state", "id", lock=True)
OFFERS = Lookup("offers", "id, state", "id", lock=True)
MANDATES = Lookup("mandates", "id, state", "id", lock=True)
CLOCKS = Lookup("clocks", "target_id, due_at, refused", "target_id", lock=True)
OFFER = Lookup("offers", "state", "id")
CASES_AT = Lookup("trajectories", "status, state", "territory_nis")
OFFERS_AT = Lookup("offers", "status, state", "territory_nis")

Rows = list[tuple[Any, ...]]
OfferOwners = Callable[[str, str], frozenset[str]]
OffersAt = Callable[[str], "tuple[Offer, ...]"]
OpenFiles = Callable[[str, tuple[str, ...]], int]
FindOffer = Callable[[str], "Offer | None"]


@dataclass(slots=True)
class Read:
    """What one shared commit read.

    Attributes:
        handles: of each submission, by its identity.
        unread: the names of each event that was refused unread, by its identity.
    """

    working: Working
    handles: dict[int, Handles]
    unread: dict[int, set[str]] = field(default_factory=dict)
    _near: dict[str, tuple[Offer, ...]] = field(default_factory=dict)

    def meant(self, one: Unread, working: Working) -> set[str]:
        """The names under which the case of an event that was refused unread may come again."""
        names = self.unread[id(one)]
        found = {working.trajectory_of(name) for name in names}
        found.update(working.digests[name].target_id for name in names & working.digests.keys())
        return names | {one for one in found if one is not None}

    def offers_at(self, driver: Driver) -> OffersAt:
        """The published offers of a municipality, read when first asked.

        Those that were published under a code that has merged since count as well.
        """

        def offers(nis: str) -> tuple[Offer, ...]:
            if nis not in self._near:
                (rows,) = driver.read((OFFERS_AT, territory.earlier_codes(nis)))
                self._near[nis] = tuple(
                    loads_offer(state) for status, state in rows if status == "published"
                )
            return self._near[nis]

        return offers

    def offer_owners(self, driver: Driver) -> OfferOwners:
        """Who has a published offer of a programme in a municipality, read when first asked."""
        offers = self.offers_at(driver)

        def owners(programme: str, nis: str) -> frozenset[str]:
            return frozenset(one.owner for one in offers(nis) if programme in one.programmes)

        return owners

    def offer_finder(self, driver: Driver) -> FindOffer:
        """An offer by its id: as this commit leaves it, else as it is, without a lock."""

        def find(offer_id: str) -> Offer | None:
            known = self.working.offers.get(offer_id)
            if known is None:
                (rows,) = driver.read((OFFER, [offer_id]))
                known = loads_offer(rows[0][0]) if rows else None
            return known

        return find

    def open_files(self, driver: Driver) -> OpenFiles:
        """In how many open cases of some municipalities an organiser has a part."""

        def count(organiser: str, nis: tuple[str, ...]) -> int:
            (rows,) = driver.read((CASES_AT, territory.codes_within(nis)))
            table = lifecycles()["trajectory"]
            found = (loads_trajectory(state) for status, state in rows if table.is_active(status))
            return sum(concerns(one, organiser) for one in found)

        return count


@dataclass(slots=True)
class _Names:
    """All names that the submissions of one commit touch."""

    senders: set[str] = field(default_factory=set)
    causes: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    offers: set[str] = field(default_factory=set)
    mandates: set[str] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)
    likeness: set[str] = field(default_factory=set)
    persons: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)

    def add(self, submission: Submission, handles: Handles) -> None:
        self.senders.add(sender_key(submission))
        corrected = submission.data.get("correction_of")
        for own in (submission.causation_id, corrected):
            if own:
                self.causes.add(f"{submission.sender}/{own}")
        self._about(submission).update(handles.named)
        about = offer_named(submission)
        if about is not None:
            self.offers.add(about)
        self.digests.update(digest for _, digest in handles.digests())
        self.likeness.update(digest for _, digest in handles.likeness)
        self.persons.update(handles.persons)
        if handles.beside is not None:
            self.named.add(handles.beside)
        if handles.whole:
            self.whole.update(handles.touched())

    def add_unread(self, one: Unread, request: PublishRequest, locator: Locator) -> set[str]:
        """All names of an event that was refused unread.

        Whose it would have been is not known: its sender's, or of somebody it acts for.
        """
        numbers: set[str] = set()
        if one.number is not None:
            whose = {
                found for sent in request.submissions for found in (sent.participant, sent.sender)
            }
            numbers = locator.own_numbers(whose, one.number)
        self.named.update(one.named)
        self.digests.update(numbers)
        return numbers.union(one.named)

    def _about(self, submission: Submission) -> set[str]:
        if is_offer(submission):
            return self.offers
        return self.mandates if is_mandate(submission) else self.named


class _Found(NamedTuple):
    """Persons to read, and those of them whose trajectories are all read."""

    persons: set[str]
    whole: set[str]


def read(driver: Driver, locator: Locator, requests: Sequence[PublishRequest]) -> Read:
    """Lock and read everything that these requests may touch, in three round trips or few more."""
    names, handles, unread = _Names(), {}, {}
    for request in requests:
        if request.idempotency_key is not None:
            names.keys.add(answers.key_of(request))
        for submission in request.submissions:
            found = handles[id(submission)] = locator.handles(submission)
            names.add(submission, found)
        for one in request.unread:
            unread[id(one)] = names.add_unread(one, request, locator)
    working = Working()
    siblings = _persons(driver, working, _identities(driver, names, working))
    _cases(driver, names, working, siblings)
    return Read(working, handles, unread)


def _identities(driver: Driver, names: _Names, working: Working) -> _Found:
    """Read what the names and digests stand for; the persons behind them."""
    if names.likeness:
        # Two gateways that each bring one record of a person must not miss each other.
        driver.lock(sorted(names.likeness))
    named = list(names.named)
    aggregates, persons, digests, likeness, references = driver.read(
        (AGGREGATES, named),
        (PERSONS, named),
        (DIGESTS, list(names.digests)),
        (LIKENESS, list(names.likeness)),
        (REFERENCES, list(names.persons)),
    )
    working.aggregates.update((aggregate, trajectory) for aggregate, trajectory, _ in aggregates)
    working.digests.update((digest, Known(*known)) for digest, *known in digests)
    for digest, subject in likeness:
        working.likeness[digest] = working.likeness.get(digest, frozenset()) | {subject}
    working.references.update(((who, said), subject) for who, said, subject in references)
    behind = {name: subject for name, _, subject in aggregates} | dict(persons)
    behind |= {name: one.subject_id for name, one in working.digests.items() if one.subject_id}
    alike = {one for some in working.likeness.values() if len(some) <= MOST_SHARING for one in some}
    # The hub names persons by its own ids.
    meant = alike | set(working.references.values()) | names.persons
    whole = {behind[name] for name in names.whole & behind.keys()} | meant
    recognised = {one.subject_id for one in working.digests.values() if one.subject_id}
    return _Found(set(behind.values()) | meant, whole | recognised)


def _persons(driver: Driver, working: Working, found: _Found) -> set[str]:
    """Read persons and whomever they are linked to or merged with; the cases of whole ones."""
    siblings: set[str] = set()
    whole, wanted = set(found.whole), set(found.persons)
    asked: set[str] = set()
    while wanted:
        subjects, cases = driver.read((SUBJECTS, list(wanted)), (OF_SUBJECT, list(wanted & whole)))
        asked |= wanted
        siblings.update(one for (one,) in cases)
        wanted = set()
        for one, row in subjects:
            state = working.subjects[one] = loads_subject(row)
            into = () if state.merged_into is None else (state.merged_into,)
            same = {*state.links, *state.merged, *into}
            wanted.update(same - asked)
            if one in whole:
                whole.update(same)
    return siblings


def _cases(driver: Driver, names: _Names, working: Working, siblings: set[str]) -> None:
    """Read trajectories, offers and mandates, locking them in this order."""
    targets = {known.target_id for known in working.digests.values()}
    wanted = names.named | set(working.aggregates.values()) | targets | siblings
    trajectories, offers, mandates, dues, *earlier = driver.read(
        (TRAJECTORIES, list(wanted)),
        (OFFERS, list(names.offers | targets)),
        (MANDATES, list(names.mandates)),
        (CLOCKS, list(wanted | names.offers)),
        (PRIORS, list(names.senders)),
        (CAUSES, list(names.causes)),
        (STORED, list(names.keys)),
    )
    for one, state in trajectories:
        working.trajectories[one] = loads_trajectory(state)
    for one, state in offers:
        working.offers[one] = loads_offer(state)
    working.mandates.update((one, mandate.loads(state)) for one, state in mandates)
    working.dues.update((one, (due, refused)) for one, due, refused in dues)
    _earlier(working, *earlier)


def _earlier(working: Working, priors: Rows, causes: Rows, stored: Rows) -> None:
    for row in map(row_from, priors):
        working.priors[row.sender_key] = row
    working.event_ids.update(causes)
    working.stored.update((key, Stored(digest, answer)) for key, digest, answer in stored)
