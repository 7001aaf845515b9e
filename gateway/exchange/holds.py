"""What a person said no to: an objection, or consent withdrawn (GDPR 7(3) and 21; `domain.md` §4).

A hold belongs to the person and counts on every trajectory of it. Each door asks at hand-over;
lifting an objection lets through again what it held. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from schemas.vocabulary import CONSENT_6_1_A

if TYPE_CHECKING:
    from collections.abc import Iterable

OBJECTION, CONSENT_WITHDRAWN = "objection", "consent_withdrawn"
"""Kinds of holds, and the legs of what they stop."""


class Hold(Struct, frozen=True, gc=False, omit_defaults=True):
    """One no.

    Attributes:
        kind: `objection` or `consent_withdrawn`.
        said_of: the subject that it was recorded on; a person that is linked has it too.
        at: when; microseconds since the epoch.
        organisation: only data of, or deliveries to, this organisation; None for all.
        purpose: only processing for this purpose; None for all.
        over_at: when it was lifted, or when consent was given anew. Consent does not come back
            for what was recorded before.
    """

    kind: str
    said_of: str
    at: int
    organisation: str | None = None
    purpose: str | None = None
    over_at: int | None = None

    @property
    def scope(self) -> tuple[str, str | None, str | None]:
        """What tells one no from another."""
        return self.kind, self.organisation, self.purpose

    @property
    def counts(self) -> bool:
        """Whether it may still stop something."""
        return self.kind == CONSENT_WITHDRAWN or self.over_at is None


class Handing(Struct, frozen=True, gc=False):
    """A hand-over as a hold looks at it: whose data, to whom, what for and on which ground."""

    from_org: str
    to_org: str
    purpose: str | None
    legal_basis: str | None
    recorded_at: int


Holds = tuple[Hold, ...]

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Holds).decode


def dumps(holds: Holds) -> bytes:
    """Those that may still stop something, for the row that the doors read."""
    return _encode(tuple(one for one in holds if one.counts))


def loads(row: bytes) -> Holds:
    """Holds from their row."""
    return _decode(row)


def leg_of(holds: Holds, handing: Handing) -> str | None:
    """The kind of the first hold that stops a hand-over; None when none does."""
    return next((one.kind for one in holds if _stops(one, handing)), None)


def _stops(hold: Hold, handing: Handing) -> bool:
    if hold.organisation not in (None, handing.from_org, handing.to_org):
        return False
    if hold.purpose not in (None, handing.purpose):
        return False
    if hold.kind == OBJECTION:
        return hold.over_at is None
    is_before = hold.over_at is None or handing.recorded_at < hold.over_at
    return handing.legal_basis == CONSENT_6_1_A and is_before


def added(holds: Holds, hold: Hold) -> Holds:
    """With one more; the same said again begins anew."""
    return (*(one for one in holds if one.scope != hold.scope), hold)


def ended(holds: Holds, scope: tuple[str, str | None, str | None], at: int) -> Holds:
    """With one of them over."""
    return tuple(
        replace(one, over_at=at) if one.scope == scope and one.over_at is None else one
        for one in holds
    )


def in_force(holds: Holds, scope: tuple[str, str | None, str | None]) -> bool:
    """Whether this was said and is not over."""
    return any(one.scope == scope and one.over_at is None for one in holds)


def renewed(holds: Holds, organisation: str, at: int) -> Holds:
    """Consent was given anew to an organisation: what is recorded from now on rests on it."""
    return tuple(
        replace(one, over_at=at)
        if one.kind == CONSENT_WITHDRAWN
        and one.over_at is None
        and one.organisation in (None, organisation)
        else one
        for one in holds
    )


def united(one: Holds, other: Holds) -> Holds:
    """Those of two records of one person; of the same no that which is in force, else the last."""
    found: dict[tuple[str, str | None, str | None], Hold] = {}
    for hold in (*one, *other):
        known = found.get(hold.scope)
        if known is None or _weight(hold) > _weight(known):
            found[hold.scope] = hold
    return tuple(found.values())


def without(holds: Holds, subjects: Iterable[str]) -> Holds:
    """Without those that were said on other records, which turned out to be somebody else's."""
    others = frozenset(subjects)
    return tuple(one for one in holds if one.said_of not in others)


def _weight(hold: Hold) -> tuple[bool, int]:
    return hold.over_at is None, hold.at
