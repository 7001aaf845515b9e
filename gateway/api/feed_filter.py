"""Which events of its inbox a caller of the feed asks for: by type, programme and municipality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumers.views import Wanted
from gateway.api import parameters
from schemas import territory
from schemas.catalogue import catalogue
from schemas.errors import UnknownMunicipality

if TYPE_CHECKING:
    from collections.abc import Collection

NAMES: Final = ("type", "programme", "nis")


def wanted(given: dict[str, str], programmes: Collection[str]) -> Wanted:
    """What the query's `type`, `programme` and `nis` ask for, each a list with commas.

    A type is an event name or a family such as `placement.*`. A municipality also stands for those
    that merged into it.

    Raises:
        InvalidParameter: 400, a name that does not exist: an empty answer would look like no news.
    """
    return Wanted(
        event_names=frozenset(name for one in _listed(given, "type") for name in _events(one)),
        programmes=frozenset(_programme(one, programmes) for one in _listed(given, "programme")),
        codes=frozenset(code for one in _listed(given, "nis") for code in _codes(one)),
    )


def _listed(given: dict[str, str], name: str) -> list[str]:
    return [one.strip() for one in given[name].split(",")] if name in given else []


def _events(text: str) -> list[str]:
    names = catalogue().names
    if text.endswith(".*"):
        found = [one for one in names if one.startswith(text[:-1])]
    else:
        found = [one for one in names if one == text]
    if not found:
        raise parameters.invalid(
            "type",
            "unknown_event_type",
            "Geef namen als referral.created of een familie als placement.*, met komma's.",
            "Give names such as referral.created or a family such as placement.*, with commas.",
        )
    return found


def _programme(text: str, programmes: Collection[str]) -> str:
    if text not in programmes:
        listed = ", ".join(sorted(programmes))
        raise parameters.invalid(
            "programme", "unknown_code", f"Kies uit: {listed}.", f"Choose from: {listed}."
        )
    return text


def _codes(text: str) -> list[str]:
    try:
        return list(territory.earlier_codes(territory.current(text)))
    except UnknownMunicipality as error:
        raise parameters.invalid(
            "nis", "unknown_municipality", error.detail.nl, error.detail.en
        ) from error
