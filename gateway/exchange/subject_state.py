"""The state of a person over all cases: what the rules need, never who the person is."""

from __future__ import annotations

from msgspec import Struct, field

from gateway.exchange.holds import Hold  # noqa: TC001 - msgspec reads the annotation
from gateway.exchange.state import Right  # noqa: TC001 - msgspec reads the annotation


class Work(Struct, frozen=True, gc=False):
    """One placement of a person, as the rules over a person see it: hours and overlap.

    `hours` maps a month (YYYY-MM) to the sum of its valid reports, in hundredths of an hour;
    `carried` are those that a conversion brought along, which count in the year `carried_in`.
    A converted placement has one for each programme, under its id and the earlier programme.
    """

    placement_id: str
    trajectory_id: str
    programme: str
    organiser: str
    state: str
    hours: dict[str, int] = field(default_factory=dict)
    carried: int = 0
    carried_in: str | None = None


class HeldRight(Struct, frozen=True, gc=False):
    """An acquired right of a person, and the case on which it is kept."""

    trajectory_id: str
    right: Right


class Subject(Struct, frozen=True, gc=False):
    """A person without who it is: what the rules over all of its trajectories need.

    Attributes:
        since: microseconds since the epoch at which the hub first met the person.
        recognised_by: by what the hub knows the person on several trajectories: `insz`, or
            `single_trajectory_only`; rules over a person with links reach by `confirmed_link`
            (`domain.md` §3.12).
        links: subjects that a V or O confirmed to be the same person.
        work: placements by id.
        rights: acquired rights by id, as they stand on their cases.
        not_same: subjects that were said to be somebody else, and are never proposed again.
        merged_into: the older subject that stands for this one since they were merged.
        merged: younger subjects that this one stands for.
        erased: participants whose organisation had its data about the person erased; to them a
            new referral is of somebody new.
        holds: what the person said no to, over or not.
    """

    id: str
    since: int
    recognised_by: str = "single_trajectory_only"
    links: tuple[str, ...] = ()
    work: dict[str, Work] = field(default_factory=dict)
    rights: dict[str, HeldRight] = field(default_factory=dict)
    not_same: tuple[str, ...] = ()
    merged_into: str | None = None
    merged: tuple[str, ...] = ()
    erased: tuple[str, ...] = ()
    holds: tuple[Hold, ...] = ()
