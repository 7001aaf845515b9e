"""By what two records may be about one person: keyed digests of names, numbers and addresses.

Digests belong to no participant, so that two partners' records meet in them.
A hit is never proof: it makes a candidate, and a case holder says whether it is the same person
(`domain.md` §3.12).
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PHONE, EMAIL, BIRTH, PLACE = "phone", "email", "birth", "place"
DECISIVE = frozenset({PHONE, EMAIL, BIRTH})
"""One of these makes a candidate; a name in a place does only with a second hit."""

MOST_SHARING = 5
"""Persons that may share a trait; a shelter's telephone that more of them share tells nothing."""


def traits(data: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Kind and values of what an event says of a person, folded as people mistype it."""
    person: dict[str, str] = data.get("person") or (data.get("values") or {}).get("person") or {}
    family, given = folded(person.get("family_name", "")), folded(person.get("given_name", ""))
    if person.get("phone"):
        yield PHONE, (_digits(person["phone"]),)
    if person.get("email"):
        yield EMAIL, (person["email"].strip().casefold(),)
    if family and given and person.get("birth_date"):
        yield BIRTH, (family, given[0], person["birth_date"])
    if family and given and person.get("postcode"):
        yield PLACE, (family, given, person["postcode"])


def is_candidate(kinds: Iterable[str]) -> bool:
    """Whether these hits make two persons possibly the same one."""
    found = set(kinds)
    return bool(found & DECISIVE) or len(found) > 1


def folded(name: str) -> str:
    """Without accents, case, spaces and signs, as people mistype them."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def _digits(phone: str) -> str:
    """A number in one form: what was stored as +32… and what was typed as 0032… are the same."""
    return "".join(one for one in phone if one.isdigit()).removeprefix("00")
