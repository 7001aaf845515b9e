"""Faults found in an event's data, and the sentences they become.

A fault names the field and what is wrong with it, never the value: values may be personal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.errors import InvalidData, InvalidParam, Message, UnknownFields

if TYPE_CHECKING:
    from schemas.catalogue import EventType

Fault = tuple[str, str, Message]
"""Path relative to where it was found, stable code, sentence."""

UNKNOWN_FIELD: Final = "unknown_field"


def fault(code: str, nl: str, en: str, path: str = "") -> Fault:
    """Return one fault."""
    return path, code, Message(nl=nl, en=en)


MISSING: Final = Message(nl="Dit veld is verplicht.", en="This field is required.")
UNKNOWN: Final = Message(
    nl="Dit veld bestaat niet bij dit gebeurtenistype; kijk de spelling na.",
    en="This event type has no such field; check the spelling.",
)
NOT_AN_OBJECT: Final = fault("wrong_type", "Hier hoort een object.", "An object belongs here.")
NOT_A_LIST: Final = fault("wrong_type", "Hier hoort een lijst.", "A list belongs here.")
NOT_TEXT: Final = fault("wrong_type", "Hier hoort tekst.", "Text belongs here.")
NOT_BOOLEAN: Final = fault("wrong_type", "Hier hoort true of false.", "True or false belongs here.")
NOT_WHOLE: Final = fault("wrong_type", "Hier hoort een geheel getal.", "A whole number is needed.")
NOT_NUMBER: Final = fault("wrong_type", "Hier hoort een getal.", "A number belongs here.")
EMPTY: Final = fault("empty", "Laat het veld weg in plaats van leeg.", "Leave it out, not empty.")
EMPTY_CHANGE: Final = fault(
    "empty",
    "Noem een gewist veld in `cleared`.",
    "Name a field that lost its value in `cleared`.",
)
CONTROL: Final = fault(
    "invalid_characters", "Het veld bevat stuurtekens.", "The field holds control characters."
)
IDENTIFIED: Final = fault(
    "identification_number",
    "Zet geen rijksregister- of rekeningnummer in dit veld.",
    "Put no social-security or account number in this field.",
)
NOTHING_CHANGED: Final = fault(
    "nothing_changed",
    "Geef ten minste één gewijzigd veld of `cleared`.",
    "Give at least one changed field, or `cleared`.",
)


def refuse(event: EventType, faults: list[Fault]) -> InvalidData:
    """Return the error for all faults of one event's data."""
    invalid = [InvalidParam(path, code, reason) for path, code, reason in faults]
    kind = UnknownFields if any(item[1] == UNKNOWN_FIELD for item in faults) else InvalidData
    count = len(invalid)
    return kind(
        Message(
            nl=f"{event.name}: {count} veld(en) kloppen niet; verbeter ze en stuur opnieuw.",
            en=f"{event.name}: {count} field(s) are wrong; correct them and send again.",
        ),
        invalid=invalid,
    )
