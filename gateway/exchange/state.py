"""The state of a trajectory, a person and an offer: what the rules need, never who the person is.

States are frozen structs, which msgspec reads, writes and copies in C.
The ledger keeps them as JSON, one row a trajectory or offer.
Relations are derived from the aggregates, so that there is one place where a role is held.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field

from gateway.exchange.tally import Tally


class Referral(Struct, frozen=True, gc=False):
    """One referral. `previous` is the state to return to when it is reopened.

    `protected`: of somebody of compulsory school age, so it stays with OCMW and VDAB.
    """

    id: str
    state: str
    version: int
    programme: str
    referrer: str
    target: str | None = None
    handler: str | None = None
    endorser: str | None = None
    offer_id: str | None = None
    parent_id: str | None = None
    previous: str | None = None
    closed_by: str | None = None
    closed_at: int | None = None
    placement_id: str | None = None
    organiser: str | None = None
    candidates: tuple[str, ...] = ()
    protected: bool = False


class Placement(Struct, frozen=True, gc=False):
    """One placement. `mentored`: every assignment at an organisation names a mentor."""

    id: str
    state: str
    version: int
    programme: str
    organiser: str
    referral_id: str | None = None
    offer_id: str | None = None
    hosts: tuple[str, ...] = ()
    planned_hosts: tuple[str, ...] = ()
    start_date: str | None = None
    planned_end: str | None = None
    mentored: bool = False
    started: bool = False
    previous: str | None = None
    closed_by: str | None = None
    closed_at: int | None = None


class Outcome(Struct, frozen=True, gc=False):
    """One outcome."""

    id: str
    state: str
    version: int
    recorder: str
    placement_id: str | None = None


class Right(Struct, frozen=True, gc=False):
    """One acquired right."""

    id: str
    state: str
    version: int
    registrant: str


class Task(Struct, frozen=True, gc=False):
    """Something a named participant has to answer. Nobody falls out while one is open."""

    id: str
    what: str
    addressee: str
    due: str
    answered: str | None = None


class Sent(Struct, frozen=True, gc=False, array_like=True):
    """When a clock of the hub was last due, and when it was sent; `settled`: no longer open."""

    due: int
    at: int
    settled: bool = False


class Trajectory(Struct, frozen=True, gc=False):
    """One person's path with its referrals, placements, outcomes and rights.

    `version` counts the events whose aggregate is the trajectory itself.
    `members` maps participant to role letter, for everybody who ever joined.
    `reminded` holds the last sending of each clock (`clocks.py`), by clock.
    """

    id: str
    subject_id: str
    state: str
    version: int
    territory_nis: str
    holder: str | None = None
    proposed_holder: str | None = None
    offered_holder: str | None = None
    holder_due: str | None = None
    previous: str | None = None
    closed_at: int | None = None
    last_event_at: int = 0
    members: dict[str, str] = field(default_factory=dict)
    viewers: tuple[str, ...] = ()
    referrals: dict[str, Referral] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    rights: dict[str, Right] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    reminded: dict[str, Sent] = field(default_factory=dict)


class Work(Struct, frozen=True, gc=False):
    """One placement of a person, as the rules over a person see it: hours and overlap.

    `hours` maps a month (YYYY-MM) to the sum of its valid reports, in hundredths of an hour.
    """

    placement_id: str
    trajectory_id: str
    programme: str
    organiser: str
    state: str
    hours: dict[str, int] = field(default_factory=dict)


class Subject(Struct, frozen=True, gc=False):
    """A person without who it is: what the rules over all of its trajectories need.

    Attributes:
        since: microseconds since the epoch at which the hub first met the person.
        recognised_by: how far rules over the person reach: `insz`, `confirmed_link`, or
            `single_trajectory_only` (`domain.md` §3.12).
        links: subjects that a V or O confirmed to be the same person.
        work: placements by id.
    """

    id: str
    since: int
    recognised_by: str = "single_trajectory_only"
    links: tuple[str, ...] = ()
    work: dict[str, Work] = field(default_factory=dict)


class Offer(Struct, frozen=True, gc=False):
    """One offer of places. It is about no person."""

    id: str
    state: str
    version: int
    owner: str
    territory_nis: str
    hosts: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    valid_to: str | None = None
    declared: bool = False
    tally: Tally = field(default_factory=Tally)
    reminded: dict[str, Sent] = field(default_factory=dict)


_encode = msgspec.json.Encoder().encode
_trajectory = msgspec.json.Decoder(Trajectory).decode
_offer = msgspec.json.Decoder(Offer).decode
_subject = msgspec.json.Decoder(Subject).decode


def dumps(state: Trajectory | Subject | Offer) -> bytes:
    """The state as JSON, for its row."""
    return _encode(state)


def loads_trajectory(row: bytes) -> Trajectory:
    """A trajectory from its row."""
    return _trajectory(row)


def loads_offer(row: bytes) -> Offer:
    """An offer from its row."""
    return _offer(row)


def loads_subject(row: bytes) -> Subject:
    """A person's state from its row."""
    return _subject(row)
