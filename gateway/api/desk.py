"""The seven-field referral (`domain.md` §3.9) as pure functions: from flat form to event data.

The form's names are the referrer's; the event's paths are the catalogue's. Whatever the catalogue
finds wrong is told under the form's names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway import errors
from schemas import attributes, rejection, territory
from schemas.errors import InvalidParam, Message, SchakelError
from schemas.roles import NAME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from gateway.exchange.registry import Participant, Registry

REQUIRED: Final = ("programme", "reason", "given_name", "family_name", "informed_person_at")
OPTIONAL: Final = (
    "phone",
    "email",
    "postcode",
    "nis",
    "reference_address_of",
    "known_at",
    "sourcerecordid",
    "birth_date",
    "language",
    "represented_by",
    "consent_ref",
    "offer_id",
    "note",
)
_PERSON: Final = (
    *("given_name", "family_name", "phone", "email", "postcode", "nis"),
    *("birth_date", "language"),
)
_AS_GIVEN: Final = (
    *("known_at", "reference_address_of", "represented_by", "consent_ref", "offer_id", "note"),
)
_FORM_NAME: Final = {
    "reason_codes": "reason",
    "informed": "informed_person_at",
    "territorynis": "nis",
}
_DEFAULT_NOTICE: Final = "schakel-1"
_DEFAULT_LANGUAGE: Final = "nl"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the person lives or stays: a municipality, and its desk when one takes part."""

    nis: str
    desk: Participant | None


def check_form(form: Any) -> dict[str, str]:
    """The form's fields, known, present and text.

    Raises:
        MalformedRequest: 400, no object, or fields that the form does not have.
        InvalidReferral: 422, every field that is missing or is no text.
    """
    if not isinstance(form, dict):
        raise errors.MalformedRequest(
            Message(nl="Stuur één JSON-object.", en="Send one JSON object.")
        )
    _check_known(form)
    faults = [
        _fault(name, "not_a_text", "Geef tekst.", "Give text.")
        for name, value in form.items()
        if value is not None and not isinstance(value, str)
    ]
    given = {name: value for name, value in form.items() if isinstance(value, str) and value}
    faults += [_missing(name) for name in REQUIRED if form.get(name) is None or form[name] == ""]
    if "phone" not in given and "email" not in given:
        faults.append(_missing("phone"))
    if not {"postcode", "nis", "reference_address_of"} & set(given):
        faults.append(_missing("postcode"))
    if "sourcerecordid" in given:
        faults += _own_number(given)
    if faults:
        raise invalid_referral(faults)
    return given


def _own_number(given: dict[str, str]) -> list[InvalidParam]:
    """Put the sender's number in its canonical form, or say what is wrong with it."""
    try:
        given["sourcerecordid"] = attributes.own_number(given["sourcerecordid"])
    except attributes.AttributeFaultError as error:
        return [InvalidParam("sourcerecordid", error.code, error.reason)]
    return []


def locate(form: Mapping[str, str], registry: Registry, on: date) -> Place:
    """The municipality and its desk: known at VDAB alone means VDAB, everything else the OCMW.

    Raises:
        InvalidReferral: 422, the place is unknown.
        TerritoryAmbiguous: 422, the postcode spans several municipalities; all are named.
    """
    nis = form.get("nis") or _by_postcode(form, on) or _by_reference_address(form, registry)
    order = ("V", "O") if form.get("known_at") == "vdab" else ("O", "V")
    found = (registry.competent(role, nis, on) for role in order)
    return Place(nis, next((one for one in found if one is not None), None))


def event_data(form: Mapping[str, str], place: Place, sender: Participant) -> dict[str, Any]:
    """The data of `referral.created`, with all that the hub fills in for the referrer.

    The notice is the sender's own, in the person's language when the form says it.
    A sender that is the desk itself refers openly.
    """
    data: dict[str, Any] = {
        "programme": form["programme"],
        "reason_codes": [form["reason"]],
        "person": {name: form[name] for name in _PERSON if name in form},
        "contact_person": _contact(sender),
        "informed": {
            "on": form["informed_person_at"],
            "channel": "oral",
            "notice_version": sender.notice_version or _DEFAULT_NOTICE,
            "language": form.get("language", _DEFAULT_LANGUAGE),
            "by_role": NAME[sender.role],
        },
    }
    data.update({name: form[name] for name in _AS_GIVEN if name in form})
    if place.desk is not None and place.desk.id != sender.id:
        data["target_org"] = place.desk.organisation
        data["target_role"] = NAME[place.desk.role]
    return data


def in_form_names(error: SchakelError) -> SchakelError:
    """The catalogue's findings under the names of the form; other refusals as they are."""
    if not error.invalid:
        return error
    return invalid_referral(
        [InvalidParam(_form_name(one.name), one.code, one.reason) for one in error.invalid]
    )


def renamed(error: SchakelError) -> SchakelError:
    """A refusal of the exchange, whose fields have the form's names."""
    error.invalid = tuple(
        InvalidParam(_form_name(one.name), one.code, one.reason) for one in error.invalid
    )
    return error


def invalid_referral(faults: Sequence[InvalidParam]) -> errors.InvalidReferral:
    """The refusal that lists every field at fault."""
    names = ", ".join(dict.fromkeys(fault.name for fault in faults))
    return errors.InvalidReferral(
        Message(
            nl=f"Deze velden ontbreken of kloppen niet: {names}.",
            en=f"These fields are missing or wrong: {names}.",
        ),
        invalid=faults,
    )


def _check_known(form: dict[str, Any]) -> None:
    unknown = sorted(set(form) - set(REQUIRED) - set(OPTIONAL))
    if unknown:
        # The name of a field may hold a person, when two columns were swapped: count, and name
        # only what looks like a field.
        named = [name if name.isascii() and name.isidentifier() else "?" for name in unknown]
        faults: list[rejection.Fault] = []
        for name in named:
            faults.append(rejection.unknown_field(name, (*REQUIRED, *OPTIONAL), faults))
        raise errors.MalformedRequest(
            Message(
                nl="Het formulier kent deze velden niet.", en="The form does not have these fields."
            ),
            invalid=[InvalidParam(*one) for one in faults],
        )


def _by_postcode(form: Mapping[str, str], on: date) -> str | None:
    code = form.get("postcode")
    if code is None:
        return None
    found = territory.by_postcode(code, on)
    if not found:
        raise invalid_referral(
            [
                _fault(
                    "postcode",
                    "postcode_unknown",
                    "Deze postcode hoort bij geen Vlaamse gemeente.",
                    "This postcode belongs to no Flemish municipality.",
                )
            ]
        )
    if len(found) > 1:
        raise _ambiguous(found)
    return found[0].nis


def _by_reference_address(form: Mapping[str, str], registry: Registry) -> str:
    for one in registry.participants_of(form.get("reference_address_of", "")):
        if one.role == "O" and one.territory is not None and len(one.territory) == 1:
            return territory.current(next(iter(one.territory)))
    raise invalid_referral(
        [
            _fault(
                "reference_address_of",
                "unknown_organisation",
                "Geen ingeschreven OCMW; geef ook een postcode.",
                "No registered OCMW; give a postcode too.",
            )
        ]
    )


def _ambiguous(found: Sequence[territory.Municipality]) -> errors.TerritoryAmbiguous:
    names = ", ".join(f"{one.name} ({one.nis})" for one in found)
    message = Message(
        nl=f"Deze postcode ligt in meer dan één gemeente: {names}. Geef nis mee.",
        en=f"This postcode lies in several municipalities: {names}. Give nis too.",
    )
    return errors.TerritoryAmbiguous(
        message,
        invalid=(InvalidParam("postcode", "territory_ambiguous", message),),
        facts={"municipalities": [{"nis": one.nis, "name": one.name} for one in found]},
    )


def _contact(sender: Participant) -> dict[str, str]:
    contact = sender.contact
    if contact is None:
        return {"name": sender.name}
    found = {"name": contact.name, "phone": contact.phone, "email": contact.email}
    return {name: value for name, value in found.items() if value}


def _form_name(path: str) -> str:
    head, _, rest = path.partition(".")
    head = head.partition("[")[0]
    return rest if head == "person" and rest else _FORM_NAME.get(head, head)


def _missing(name: str) -> InvalidParam:
    return _fault(name, "missing", "Ontbreekt.", "Missing.")


def _fault(name: str, code: str, nl: str, en: str) -> InvalidParam:
    return InvalidParam(name, code, Message(nl=nl, en=en))
