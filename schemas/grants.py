"""Agreements and grants as values, and the index that finds the one grant that applies.

A grant is evaluated from an event's producer to one recipient, for role, event, purpose and
territory. Of several that fit exactly one applies, the most recently activated; field sets are
never united (`domain.md` §3.13). The index is built once from the active agreements and answers
from dictionaries, so that its answers take no longer with thousands of agreements.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from schemas import territory as places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

DEFAULT_LEGAL_BASIS: Final = "public_task_6_1_e"
"""For V, O and W, unless the grant states another (`domain.md` §3.6)."""

_PUBLIC_TASK: Final = frozenset("VOW")
_NO_SANCTION: Final = frozenset("PH")
_REMEMBERED_ANSWERS: Final = 65536


@dataclass(frozen=True, slots=True)
class Grant:
    """What one party of an agreement lets others see.

    Attributes:
        agreement_hash: SHA-256 of the document the parties signed.
        activated_at: when the agreement became active; microseconds since the epoch.
        from_org: URN of the organisation whose events it is about.
        to_org: URN of the only recipient; None for every other party in the role.
        to_role: role letter of the recipient.
        events: event names, or a family as `referral.*`.
        territory: NIS codes as written; None for everywhere.
        max_age_days: how old an event may be at hand-over; None for any age.
        doors: feed, webhook, kafka.
        onward: the recipient's own grants may pass earlier events on in a backfill.
        no_sanction_use: may not serve a sanction; None in a document leaves it to the defaults,
            which the index fills in.
        legal_basis: None when neither the document nor the sender's role gives one.
        art9_ground: of article 9(2) GDPR; without one no field that may reveal health goes out.
    """

    agreement_id: str
    agreement_hash: str
    activated_at: int
    valid_from: date
    valid_to: date | None
    from_org: str
    to_org: str | None
    to_role: str
    events: tuple[str, ...]
    purpose: str
    fieldsets: frozenset[str]
    territory: frozenset[str] | None
    doors: frozenset[str]
    max_age_days: int | None = None
    onward: bool = False
    no_sanction_use: bool | None = None
    secrecy_bound: bool = False
    legal_basis: str | None = None
    art9_ground: str | None = None

    def names(self, event: str) -> bool:
        """Tell whether the grant is about an event name."""
        family = event.partition(".")[0] + ".*"
        return event in self.events or family in self.events

    def is_valid_on(self, on: date) -> bool:
        """Tell whether the agreement is in its period on a day."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def covers(self, nis: str | None, on: date) -> bool:
        """Tell whether the grant holds for a place on a day; without a place, only if everywhere.

        Merged municipalities map forward.
        """
        if self.territory is None:
            return True
        return nis is not None and places.covers(self.territory, nis, on)


@dataclass(frozen=True, slots=True)
class Agreement:
    """One data-sharing agreement as its parties signed it.

    Attributes:
        parties: organisation URNs.
        legal: instrument, reference and advice, as written.
        document_hash: SHA-256 in hexadecimal over the document's RFC 8785 form.
        supersedes: id of the agreement that this one replaces on the day it becomes active.
    """

    agreement_id: str
    parties: tuple[str, ...]
    legal: dict[str, str]
    valid_from: date
    valid_to: date | None
    activated_at: int
    document_hash: str
    grants: tuple[Grant, ...]
    supersedes: str | None = None


class Party(Protocol):
    """What the index asks of a registered participant."""

    @property
    def organisation(self) -> str:
        """The organisation's URN."""

    @property
    def role(self) -> str:
        """The role letter."""


class GrantIndex:
    """The grants of all active agreements; immutable, safe to share between threads.

    Args:
        agreements: active ones only; the registry knows which are.
        participants: for the defaults that follow from a sender's role.
    """

    def __init__(self, agreements: Iterable[Agreement], participants: Iterable[Party] = ()) -> None:
        senders: dict[str, set[str]] = defaultdict(set)
        for participant in participants:
            senders[participant.organisation].add(participant.role)
        between: dict[tuple[str, str, str], list[Grant]] = defaultdict(list)
        by_sender: dict[str, list[Grant]] = defaultdict(list)
        reaching: dict[tuple[str, str], list[Grant]] = defaultdict(list)
        # Most recently activated first; the id decides between twins, then the document's order.
        newest = sorted(agreements, key=lambda a: (a.activated_at, a.agreement_id), reverse=True)
        for agreement in newest:
            for written in agreement.grants:
                grant = _with_defaults(written, senders.get(written.from_org, set()))
                by_sender[grant.from_org].append(grant)
                for recipient in _recipients(grant, agreement):
                    between[grant.from_org, recipient, grant.to_role].append(grant)
                    reaching[recipient, grant.to_role].append(grant)
        self._between = {key: tuple(grants) for key, grants in between.items()}
        self._reaching = {key: tuple(grants) for key, grants in reaching.items()}
        self._by_sender = {sender: tuple(grants) for sender, grants in by_sender.items()}
        self._found = lru_cache(_REMEMBERED_ANSWERS)(self._find)
        self._covered = lru_cache(_REMEMBERED_ANSWERS)(self._covers)

    def applicable(
        self,
        *,
        from_org: str,
        to_org: str,
        to_role: str,
        event: str,
        territory: str | None,
        on: date,
        door: str | None = None,
        purpose: str | None = None,
    ) -> Grant | None:
        """Return the one grant that applies, or None.

        The door does not choose between grants: when the one that applies has not that door, an
        older one that has it does not step in.
        """
        grant = self._found((from_org, to_org, to_role), event, territory, on, purpose)
        if grant is None or (door is not None and door not in grant.doors):
            return None
        return grant

    def failing_leg(
        self,
        *,
        from_org: str,
        to_org: str,
        to_role: str,
        event: str,
        territory: str | None,
        on: date,
        door: str | None = None,
        purpose: str | None = None,
    ) -> str | None:
        """Return why no grant applies, None when one does.

        `agreement` (none between these two for the role), then `event`, `validity`, `purpose`,
        `territory`, `door`: the first that leaves no grant.
        """
        grants = self._between.get((from_org, to_org, to_role), ())
        if not grants:
            return "agreement"
        narrowing: tuple[tuple[str, Callable[[Grant], bool]], ...] = (
            ("event", lambda grant: grant.names(event)),
            ("validity", lambda grant: grant.is_valid_on(on)),
            ("purpose", lambda grant: purpose is None or grant.purpose == purpose),
            ("territory", lambda grant: grant.covers(territory, on)),
        )
        for leg, holds in narrowing:
            grants = tuple(grant for grant in grants if holds(grant))
            if not grants:
                return leg
        return "door" if door is not None and door not in grants[0].doors else None

    def covers_sender(self, org: str, event: str, territory: str | None, on: date) -> bool:
        """Tell whether an organisation has any grant for an event and a place: it may publish."""
        return self._covered(org, event, territory, on)

    def grants_to(self, org: str, role: str) -> tuple[Grant, ...]:
        """Return all grants that reach an organisation in a role, whoever gives them."""
        return self._reaching.get((org, role), ())

    def grants_from(self, org: str) -> tuple[Grant, ...]:
        """Return all grants that an organisation gives, most recently activated first."""
        return self._by_sender.get(org, ())

    def _find(
        self,
        between: tuple[str, str, str],
        event: str,
        territory: str | None,
        on: date,
        purpose: str | None,
    ) -> Grant | None:
        for grant in self._between.get(between, ()):
            if purpose is not None and grant.purpose != purpose:
                continue
            if grant.names(event) and grant.is_valid_on(on) and grant.covers(territory, on):
                return grant
        return None

    def _covers(self, org: str, event: str, territory: str | None, on: date) -> bool:
        return any(
            grant.names(event) and grant.is_valid_on(on) and grant.covers(territory, on)
            for grant in self._by_sender.get(org, ())
        )


def _recipients(grant: Grant, agreement: Agreement) -> tuple[str, ...]:
    if grant.to_org is not None:
        return (grant.to_org,)
    return tuple(party for party in agreement.parties if party != grant.from_org)


def _with_defaults(grant: Grant, sender_roles: set[str]) -> Grant:
    """Fill in what the document leaves to the defaults of `domain.md` §3.6 and §3.13."""
    no_sanction_use, legal_basis = grant.no_sanction_use, grant.legal_basis
    if no_sanction_use is None:
        # An organisation in several roles: one of them being P or H is enough to protect.
        no_sanction_use = "attendance" in grant.fieldsets or bool(sender_roles & _NO_SANCTION)
    if legal_basis is None and sender_roles & _PUBLIC_TASK:
        legal_basis = DEFAULT_LEGAL_BASIS
    return replace(grant, no_sanction_use=no_sanction_use, legal_basis=legal_basis)
