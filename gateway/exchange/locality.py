"""The municipality of a new case or offer, from what the sender gave (`architecture.md` §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.errors import RuleBroken
from schemas import territory
from schemas.errors import InvalidParam, Message, UnknownMunicipality

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft


def nis_of(draft: Draft) -> str:
    """The NIS code, valid on the day the event happened.

    In this order: `territorynis`, the offer's place, the person's NIS code or postcode, the OCMW
    of a reference address, the sender's only municipality.

    Raises:
        RuleBroken: 422 `territory_missing`, `territory_ambiguous` or `territory_not_valid`.
    """
    named = draft.submission.territory_nis or _place(draft) or _person_nis(draft)
    if named is not None:
        return _valid(draft, named)
    found = _by_postcode(draft) or _by_reference_address(draft) or _only_one(draft)
    if found is None:
        raise _refused(
            "territory_missing",
            "De gemeente is niet bekend. Geef territorynis of person.postcode mee.",
            "The municipality is not known. State territorynis or person.postcode.",
            "territorynis",
        )
    return found


def _place(draft: Draft) -> str | None:
    location: dict[str, Any] = draft.data.get("location", {})
    return location.get("nis")


def _person(draft: Draft) -> dict[str, Any]:
    person: dict[str, Any] = draft.data.get("person", {})
    return person


def _person_nis(draft: Draft) -> str | None:
    return _person(draft).get("nis")


def _valid(draft: Draft, nis: str) -> str:
    try:
        if territory.valid_on(nis, draft.occurred_on):
            return nis
        now = territory.current(nis)
    except UnknownMunicipality:
        now = None
    hint = "" if now in (None, nis) else f" ({now})"
    raise _refused(
        "territory_not_valid",
        f"De NIS-code was op de datum van de gebeurtenis niet geldig{hint}.",
        f"The NIS code was not valid on the date of the event{hint}.",
        "territorynis",
    )


def _by_postcode(draft: Draft) -> str | None:
    code = _person(draft).get("postcode")
    if code is None:
        return None
    found = territory.by_postcode(code, draft.occurred_on)
    if len(found) == 1:
        return found[0].nis
    if not found:
        raise _refused(
            "postcode_unknown",
            "Deze postcode hoort bij geen Vlaamse gemeente. Geef territorynis mee.",
            "This postcode belongs to no Flemish municipality. State territorynis.",
            "person.postcode",
        )
    names = ", ".join(f"{one.name} ({one.nis})" for one in found)
    raise _refused(
        "territory_ambiguous",
        f"Deze postcode ligt in meer dan één gemeente: {names}. Geef territorynis mee.",
        f"This postcode lies in several municipalities: {names}. State territorynis.",
        "person.postcode",
    )


def _by_reference_address(draft: Draft) -> str | None:
    urn = draft.data.get("reference_address_of")
    for one in draft.context.registry.participants_of(urn) if urn else ():
        if one.role == "O" and one.territory is not None and len(one.territory) == 1:
            return territory.current(next(iter(one.territory)))
    return None


def _only_one(draft: Draft) -> str | None:
    served = draft.sender.territory
    if served is None or len(served) != 1:
        return None
    return territory.current(next(iter(served)))


def _refused(code: str, nl: str, en: str, field: str) -> RuleBroken:
    message = Message(nl=nl, en=en)
    return RuleBroken(
        message,
        leg="rules",
        invalid=(InvalidParam(name=field, code=code, reason=message),),
        facts={"rule": code},
    )
