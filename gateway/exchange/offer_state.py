"""The state of an offer: what the rules and the search need."""

from __future__ import annotations

from msgspec import Struct, field

from gateway.exchange.state import Sent  # noqa: TC001 - msgspec reads the annotation
from gateway.exchange.tally import Tally


class Offer(Struct, frozen=True, gc=False):
    """One offer of places. It is about no person.

    Attributes:
        free_places: what its owner stated last, or all of them; `accepted` counts the referrals
            that were accepted since on naming it.
        uses: cases with a referral or placement that names it, and whoever led them here.
    """

    id: str
    state: str
    version: int
    owner: str
    territory_nis: str
    hosts: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    valid_to: str | None = None
    declared: bool = False
    host_org: str | None = None
    activity: str | None = None
    places: int = 0
    free_places: int = 0
    waiting: int = 0
    accepted: int = 0
    dayparts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    accessibility: tuple[str, ...] = ()
    uses: dict[str, str] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    reminded: dict[str, Sent] = field(default_factory=dict)
    since: int = 0
