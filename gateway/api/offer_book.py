"""The published offers as everybody may read them: what is free where, and about no person.

What is searched stands in the offers' states; what is shown comes from their own events in the
ledger, which are not sealed. Only fields of class S0 are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gateway.exchange.state_rows import loads_offer
from schemas import codec, territory
from schemas.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.exchange.offer_state import Offer

CHUNK: Final = 500
"""Offers read at a time while a page fills."""

PUBLISHED: Final = "offer.published"
CHANGES: Final = (PUBLISHED, "offer.updated")
PUBLIC: Final = "S0"

_metadata = sa.MetaData()
_offers = sa.Table(
    "offers",
    _metadata,
    sa.Column("id", sa.Text),
    sa.Column("status", sa.Text),
    sa.Column("territory_nis", sa.Text),
    sa.Column("state", sa.LargeBinary),
)
_ledger = sa.Table(
    "ledger",
    _metadata,
    sa.Column("aggregate_id", sa.Text),
    sa.Column("aggregate_version", sa.BigInteger),
    sa.Column("event_name", sa.Text),
    sa.Column("trajectory_id", sa.Text),
    sa.Column("record", sa.LargeBinary),
)


@dataclass(frozen=True, slots=True)
class Search:
    """What a list of offers is limited to; None leaves a member aside.

    Attributes:
        nis: codes of one municipality, those that merged into it included.
        free: only offers with a free place.
        on: the day, as `YYYY-MM-DD`; offers that ended before it are left out.
        after: id of the last offer of the page before.
    """

    on: str
    nis: tuple[str, ...] | None = None
    programme: str | None = None
    daypart: str | None = None
    language: str | None = None
    accessibility: str | None = None
    activity: str | None = None
    free: bool = False
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """One offer of a page: its state, and its public fields as its owner published them."""

    offer: Offer
    shown: dict[str, Any]


class OfferBook:
    """Reads offers; safe from several threads.

    Args:
        ledger: read-only engine of the ledger.
    """

    def __init__(self, ledger: sa.Engine) -> None:
        self._ledger = ledger

    def search(self, wanted: Search) -> tuple[Listed, ...]:
        """One page, in the order of their ids; a full page may have a next one. Blocks.

        Raises the driver's errors when the store does not answer.
        """
        with self._ledger.connect() as connection:
            found: list[Offer] = []
            for offer in self._candidates(connection, wanted):
                if _fits(offer, wanted):
                    found.append(offer)
                if len(found) == wanted.limit:
                    break
            shown = _public(connection, [one.id for one in found])
        return tuple(Listed(one, shown.get(one.id, {})) for one in found)

    def _candidates(self, connection: sa.Connection, wanted: Search) -> Iterator[Offer]:
        query = sa.select(_offers.c.id, _offers.c.state).where(_offers.c.status == "published")
        if wanted.nis is not None:
            query = query.where(_offers.c.territory_nis.in_(wanted.nis))
        after = wanted.after
        while True:
            page = query.where(_offers.c.id > after).order_by(_offers.c.id).limit(CHUNK)
            rows = connection.execute(page).all()
            yield from (loads_offer(state) for _, state in rows)
            if len(rows) < CHUNK:
                return
            after = rows[-1][0]


def _fits(offer: Offer, wanted: Search) -> bool:
    listed = (
        (wanted.programme, offer.programmes),
        (wanted.daypart, offer.dayparts),
        (wanted.language, offer.languages),
        (wanted.accessibility, offer.accessibility),
        (wanted.activity, (offer.activity,)),
    )
    if any(code is not None and code not in codes for code, codes in listed):
        return False
    if wanted.free and offer.free_places < 1:
        return False
    return offer.valid_to is None or wanted.on <= offer.valid_to


def _public(connection: sa.Connection, ids: list[str]) -> dict[str, dict[str, Any]]:
    """The public fields of offers, each change applied to what stood before."""
    if not ids:
        return {}
    query = (
        sa.select(_ledger.c.aggregate_id, _ledger.c.record)
        .where(
            _ledger.c.aggregate_id.in_(ids),
            _ledger.c.trajectory_id.is_(None),
            _ledger.c.event_name.in_(CHANGES),
        )
        .order_by(_ledger.c.aggregate_version)
    )
    found: dict[str, dict[str, Any]] = {}
    for offer_id, record in connection.execute(query):
        _, _, data = codec.decode_record(record)
        shown = found.setdefault(offer_id, {})
        shown.update(_only_public(data))
        for path in data.get("cleared", ()):
            _clear(shown, path.split("."))
    return found


def _only_public(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name in _public_fields()}


@lru_cache
def _public_fields() -> frozenset[str]:
    """Top-level fields all of whose leaves are public."""
    classes: dict[str, set[str]] = {}
    for field in catalogue().event(PUBLISHED).fields:
        name = field.path.partition(".")[0].removesuffix("[]")
        classes.setdefault(name, set()).add(field.sensitivity)
    return frozenset(name for name, found in classes.items() if found == {PUBLIC})


def _clear(shown: dict[str, Any], path: list[str]) -> None:
    inner: Any = shown
    for name in path[:-1]:
        inner = inner.get(name)
        if not isinstance(inner, dict):
            return
    inner.pop(path[-1], None)


def codes_of(nis: str) -> Iterable[str]:
    """The codes under which a municipality's offers stand: its own and those that merged into it.

    Raises:
        UnknownMunicipality: no municipality has or had this code.
    """
    return territory.earlier_codes(territory.current(nis))
