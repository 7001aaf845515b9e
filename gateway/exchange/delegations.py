"""Acting for another organisation: who may, for whom, with which events, where and when (§3.2, §4).

A welfare association sends for the OCMWs that are its members. An event that says `onbehalfof` is
the principal's: its participant, its agreements, its keys; the ledger keeps the client that acted.
Without a delegation nobody acts for anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas import territory
from schemas.agreement import EVERYWHERE
from schemas.catalogue import catalogue
from schemas.identifiers import organisation_urn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from schemas.documents import Faults, Section

KEYS = ("id", "from", "to", "events", "territory", "valid_from", "valid_to", "revoked")
REQUIRED = ("id", "from", "to", "events", "territory", "valid_from")


@dataclass(frozen=True, slots=True)
class Delegation:
    """One organisation lets another act for it.

    Attributes:
        principal: URN of the organisation that is acted for.
        agent: URN of the organisation that acts.
        events: event types, such as `referral.created` or `referral.*`.
        territory: municipalities whose cases it is about; None means all of the principal's.
        status: `active` or `revoked`.
    """

    id: str
    principal: str
    agent: str
    events: tuple[str, ...]
    territory: frozenset[str] | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    status: str = "active"

    def allows(self, event: str, on: date) -> bool:
        """Whether the agent may send an event of this type on a day."""
        return (
            self.status == "active"
            and (self.valid_from is None or self.valid_from <= on)
            and (self.valid_to is None or on <= self.valid_to)
            and any(_matches(pattern, event) for pattern in self.events)
        )

    def reaches(self, nis: str, on: date) -> bool:
        """Whether it is about cases of a municipality, mergers considered."""
        return self.territory is None or territory.covers(self.territory, nis, on)


class Delegations:
    """All delegations of one version of the registry, by who acts for whom."""

    def __init__(self, delegations: Iterable[Delegation]) -> None:
        self.by_id = {one.id: one for one in delegations}
        self._between: dict[tuple[str, str], list[Delegation]] = {}
        for one in self.by_id.values():
            self._between.setdefault((one.agent, one.principal), []).append(one)

    def failing(
        self, agent: str, principal: str, event: str, nis: str | None, on: date
    ) -> str | None:
        """Why one organisation may not send an event for another; None when it may.

        Args:
            agent: URN of who acts.
            principal: URN of who is acted for.
            event: the type's name.
            nis: the municipality it is about; None leaves territory aside.
            on: the day.

        Returns:
            `delegation` when there is none for this event today, else `territory`.
        """
        found = [one for one in self._between.get((agent, principal), ()) if one.allows(event, on)]
        if not found:
            return "delegation"
        if nis is None or any(one.reaches(nis, on) for one in found):
            return None
        return "territory"


def read_delegation(section: Section, identifier: str, path: str, faults: Faults) -> Delegation:
    """The delegation of a section of the registry file; its faults are noted."""
    hint = "referral.created / referral.*"
    nis = "NIS-code van 5 cijfers tussen aanhalingstekens / quoted five-digit NIS code"
    everywhere = section.raw("territory") == EVERYWHERE
    codes = () if everywhere else section.many_of("territory", _is_known_place, nis)
    found = Delegation(
        id=identifier,
        principal=section.identifier("from", organisation_urn) or "",
        agent=section.identifier("to", organisation_urn) or "",
        events=tuple(sorted(section.many_of("events", _is_pattern, hint))),
        territory=None if everywhere else frozenset(codes),
        valid_from=section.day("valid_from"),
        valid_to=section.day("valid_to"),
    )
    if found.principal and found.principal == found.agent:
        nl, en = "Niemand handelt voor zichzelf.", "Nobody acts for itself."
        faults.add(f"{path}.to", "same_organisation", nl, en)
    first, last = found.valid_from, found.valid_to
    if first and last and last < first:
        faults.add(f"{path}.valid_to", "before_start", "Ligt vóór het begin.", "Before the start.")
    return found


def _is_known_place(nis: str) -> bool:
    return nis in territory.known_codes()


def _is_pattern(pattern: str) -> bool:
    names = [one.name for one in catalogue().all() if not one.hub_only]
    return any(_matches(pattern, name) for name in names)


def _matches(pattern: str, event: str) -> bool:
    return event.startswith(pattern[:-1]) if pattern.endswith(".*") else pattern == event
