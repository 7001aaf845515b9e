"""The state of a trajectory: what the rules need, never who the person is.

States are frozen structs, which msgspec reads, writes and copies in C.
The ledger keeps them as JSON, one row a trajectory or offer.
Relations are derived from the aggregates, so that there is one place where a role is held.
"""

from __future__ import annotations

from msgspec import Struct, field

from gateway.exchange.tally import Tally


class Referral(Struct, frozen=True, gc=False):
    """One referral. `previous` is the state to return to when it is reopened.

    `since`: when it came into its state; every part of a case knows that of itself.

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
    predecessor_id: str | None = None
    expires_on: str | None = None
    since: int = 0


class Report(Struct, frozen=True, gc=False, array_like=True):
    """The valid report of a month: by which event, and how much in hundredths of an hour."""

    event_id: str
    hours: int


class Assignment(Struct, frozen=True, gc=False):
    """Work of one placement at one organisation or household.

    Attributes:
        host: the participant; None for a household and for a host that takes no part.
        household: the organiser's own coach stands in for mentor and confirmation.
        reports: the valid report of each month.
        stated: hours of each month as the host stated them, in hundredths.
    """

    id: str
    host: str | None = None
    household: bool = False
    mentored: bool = False
    activity: str | None = None
    begins: str | None = None
    ends: str | None = None
    ended: bool = False
    reports: dict[str, Report] = field(default_factory=dict)
    stated: dict[str, int] = field(default_factory=dict)


class Former(Struct, frozen=True, gc=False, array_like=True):
    """An organiser that was succeeded, and the first day of its successor."""

    participant: str
    until: str


class Carried(Struct, frozen=True, gc=False, array_like=True):
    """A placement went on under another programme: since when, and what counts on.

    `hours` are hundredths of an hour; `extensions` were made before.
    """

    from_programme: str
    effective: str
    hours: int
    months: int
    extensions: int


class Placement(Struct, frozen=True, gc=False):
    """One placement. `assignments.settle` keeps what follows from its assignments.

    That is: `hosts` and `planned_hosts`, `mentored` (every living assignment at an organisation
    names a mentor) and `hosted` (some work floor is an organisation's, which has to confirm the
    start; `confirmed`).
    `reported`: the last months (YYYY-MM) with an hours report, whatever it says.
    """

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
    hosted: bool = False
    confirmed: bool = False
    assignments: dict[str, Assignment] = field(default_factory=dict)
    extensions: int = 0
    expected_until: str | None = None
    ended_on: str | None = None
    reported: tuple[str, ...] = ()
    former: tuple[Former, ...] = ()
    conversions: tuple[Carried, ...] = ()
    since: int = 0


class Outcome(Struct, frozen=True, gc=False):
    """One outcome. `lasts`: it can be asked months later whether it still holds.

    `followed_up`: the months after which it was said how it goes on.
    """

    id: str
    state: str
    version: int
    recorder: str
    placement_id: str | None = None
    on: str | None = None
    lasts: bool = False
    followed_up: tuple[int, ...] = ()
    since: int = 0


class Right(Struct, frozen=True, gc=False):
    """One acquired right from the time of the PWA.

    Attributes:
        service: the VDAB that verifies it and decides on it.
        verified: VDAB said at some time that it exists.
        claimed_activity: the last month with work (YYYY-MM) that its registration named.
        last_activity: the last month in which hours were worked, by that and by all reports.
        kept_from: month of the last decision that keeps it; inactivity counts from there on.
        ends_on: the first day on which it counts no more; None while there is none.
    """

    id: str
    state: str
    version: int
    registrant: str
    service: str | None = None
    basis: str | None = None
    hours_cap_month: int | None = None
    verified: bool = False
    claimed_activity: str | None = None
    last_activity: str | None = None
    kept_from: str | None = None
    lapses_on: str | None = None
    ends_on: str | None = None
    since: int = 0


class Task(Struct, frozen=True, gc=False):
    """Something a named participant has to answer. Nobody falls out while one is open.

    `concerns`: the referral or other part that it is about.
    `pair`: when it asks whether two persons are one, this case's subject and the other one.
    `twin_case`: the trajectory that the same question is asked on.
    """

    id: str
    what: str
    addressee: str
    due: str
    answered: str | None = None
    concerns: str | None = None
    pair: tuple[str, str] | None = None
    twin_case: str | None = None


class Sent(Struct, frozen=True, gc=False, array_like=True):
    """When a clock of the hub was last due and when it was sent.

    `told` is the date that its event named; `settled`: what it asked for is done.
    """

    due: int
    at: int
    told: str | None = None
    settled: bool = False


class Left(Struct, frozen=True, gc=False, array_like=True):
    """When somebody ceased to be a member, and what it was: it hears of the end a while longer.

    `by` is the event by which it left; what one commit records has one time. `keeps`: another
    succeeded it under a mandate, so that it keeps reading its own period.
    """

    at: int
    relations: tuple[str, ...]
    by: str = ""
    keeps: bool = False

    def takes(self, recorded_at: int, event_id: str) -> bool:
        """Whether an event from the time before is nothing for it any more."""
        return not self.keeps and (recorded_at, event_id) < (self.at, self.by)


class Viewing(Struct, frozen=True, gc=False, array_like=True):
    """Why somebody looks along, and its last day."""

    ground: str
    until: str


class Trajectory(Struct, frozen=True, gc=False):
    """One person's path with its referrals, placements, outcomes and rights.

    `version` counts the events whose aggregate is the trajectory itself.
    `members` maps participant to role letter, for everybody who ever joined; `left` holds those who
    are members no more. `reopened_at`: since when the case is open this time.
    `viewing` has the viewing rights that end by themselves.
    `reminded` holds the last sending of each clock (`clocks.py`), by clock.
    `erased` holds participants whose organisation had its data about the person erased, here or in
    another case; they do nothing more here.
    `active_at` is the last event that was not the hub's, `holder_told_at` the last one of somebody
    else's that reached the case holder.
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
    viewing: dict[str, Viewing] = field(default_factory=dict)
    left: dict[str, Left] = field(default_factory=dict)
    reopened_at: int = 0
    referrals: dict[str, Referral] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    rights: dict[str, Right] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    reminded: dict[str, Sent] = field(default_factory=dict)
    since: int = 0
    active_at: int = 0
    holder_told_at: int = 0
    erased: tuple[str, ...] = ()
    last_contact_on: str | None = None
    last_evaluation_on: str | None = None
