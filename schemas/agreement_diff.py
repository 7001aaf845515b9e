"""How two agreements differ, in words: for people who have to sign the second one. Pure.

Grants are laid beside each other by who gives to whom for which purpose; what one of them lets
through and the other does not is said per list, so that nothing that widens hides in a long text.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas import roles
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.grants import Agreement, Grant

_LISTS: Final = (
    ("events", "gebeurtenis", "event"),
    ("fieldsets", "veldgroep", "field set"),
    ("doors", "deur", "door"),
)
_VALUES: Final = (
    "max_age_days",
    "onward",
    "no_sanction_use",
    "secrecy_bound",
    "legal_basis",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes:
        place: where, such as `validity.to` or `grants[1].fieldsets`; of the newer one, or of the
            older one for what is gone.
        kind: added, removed or changed.
    """

    place: str
    kind: str
    said: Message


def differences(older: Agreement, newer: Agreement) -> tuple[Difference, ...]:
    """Everything that differs, in the order of the document; ids and hashes aside."""
    return (
        *_parties(older, newer),
        *_legal(older, newer),
        *_validity(older, newer),
        *_grants(older, newer),
    )


def described(agreement: Agreement) -> tuple[Message, ...]:
    """What each grant gives, in words: for whoever is about to sign."""
    return tuple(Message(*_described(grant)) for grant in agreement.grants)


def _parties(older: Agreement, newer: Agreement) -> Iterator[Difference]:
    for urn in newer.parties:
        if urn not in older.parties:
            yield _added("parties", f"partij {urn}", f"party {urn}")
    for urn in older.parties:
        if urn not in newer.parties:
            yield _removed("parties", f"partij {urn}", f"party {urn}")


def _legal(older: Agreement, newer: Agreement) -> Iterator[Difference]:
    for key in sorted(older.legal.keys() | newer.legal.keys()):
        yield from _changed(f"legal.{key}", older.legal.get(key), newer.legal.get(key))


def _validity(older: Agreement, newer: Agreement) -> Iterator[Difference]:
    yield from _changed("validity.from", older.valid_from, newer.valid_from)
    yield from _changed("validity.to", older.valid_to, newer.valid_to)


def _grants(older: Agreement, newer: Agreement) -> Iterator[Difference]:
    before, after = _by_key(older), _by_key(newer)
    for key, grants in after.items():
        known = before.get(key, [])
        for (place, grant), (_, other) in zip(grants, known, strict=False):
            yield from _grant(place, other, grant)
        for place, grant in grants[len(known) :]:
            yield _added(place, *_described(grant))
    for key, grants in before.items():
        for place, grant in grants[len(after.get(key, [])) :]:
            yield _removed(place, *_described(grant))


def _by_key(agreement: Agreement) -> dict[tuple[str, str], list[tuple[str, Grant]]]:
    found: dict[tuple[str, str], list[tuple[str, Grant]]] = defaultdict(list)
    for index, grant in enumerate(agreement.grants):
        key = (f"{grant.from_org} {grant.to_org} {grant.to_role}", grant.purpose)
        found[key].append((f"grants[{index}]", grant))
    return found


def _grant(place: str, older: Grant, newer: Grant) -> Iterator[Difference]:
    for name, dutch, english in _LISTS:
        before, after = set(getattr(older, name)), set(getattr(newer, name))
        for one in sorted(after - before):
            yield _added(f"{place}.{name}", f"{dutch} {one}", f"{english} {one}")
        for one in sorted(before - after):
            yield _removed(f"{place}.{name}", f"{dutch} {one}", f"{english} {one}")
    yield from _territory(f"{place}.territory_nis", older.territory, newer.territory)
    for name in _VALUES:
        yield from _changed(f"{place}.{name}", getattr(older, name), getattr(newer, name))


def _territory(
    place: str, older: frozenset[str] | None, newer: frozenset[str] | None
) -> Iterator[Difference]:
    if older is None or newer is None:
        if older is not newer:
            yield from _changed(place, _places(older), _places(newer))
        return
    for nis in sorted(newer - older):
        yield _added(place, f"gemeente {nis}", f"municipality {nis}")
    for nis in sorted(older - newer):
        yield _removed(place, f"gemeente {nis}", f"municipality {nis}")


def _places(territory: frozenset[str] | None) -> str:
    return "all" if territory is None else ", ".join(sorted(territory))


def _described(grant: Grant) -> tuple[str, str]:
    label = roles.LABEL[grant.to_role]
    reader = f" ({grant.to_org})" if grant.to_org else ""
    events, fields = ", ".join(grant.events), ", ".join(sorted(grant.fieldsets))
    places, doors = _places(grant.territory), ", ".join(sorted(grant.doors))
    nl = (
        f"toelating van {grant.from_org} aan {label.nl}{reader} voor {grant.purpose}: {events}; "
        f"velden {fields}; gemeenten {places}; deuren {doors}"
    )
    en = (
        f"grant from {grant.from_org} to {label.en}{reader} for {grant.purpose}: {events}; "
        f"fields {fields}; municipalities {places}; doors {doors}"
    )
    return nl, en


def _changed(place: str, older: object, newer: object) -> Iterator[Difference]:
    if older == newer:
        return
    yield Difference(
        place,
        "changed",
        Message(
            nl=f"{place} was {_word(older, 'niet gezegd')} en wordt {_word(newer, 'niet gezegd')}",
            en=f"{place} was {_word(older, 'not said')} and becomes {_word(newer, 'not said')}",
        ),
    )


def _word(value: object, absent: str) -> str:
    if value is None:
        return absent
    return str(value).lower() if isinstance(value, bool) else str(value)


def _added(place: str, nl: str, en: str) -> Difference:
    return Difference(place, "added", Message(nl=f"komt erbij: {nl}", en=f"added: {en}"))


def _removed(place: str, nl: str, en: str) -> Difference:
    return Difference(place, "removed", Message(nl=f"valt weg: {nl}", en=f"removed: {en}"))
