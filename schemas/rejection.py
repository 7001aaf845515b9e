"""Faults found in an event's data, and the sentences they become.

A fault names the field and what is wrong with it, never the value: values may be personal.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from schemas.errors import InvalidData, InvalidParam, Message, UnknownFields

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from schemas.catalogue import EventType

Fault = tuple[str, str, Message]
"""Path relative to where it was found, stable code, sentence."""

UNKNOWN_FIELD: Final = "unknown_field"
UNKNOWN_CODE: Final = "unknown_code"
LONGEST_NAME: Final = 64
"""Letters of a name that are told back, and compared with the names that exist."""

SUGGESTIONS: Final = 20
"""Faults of one event up to which the nearest name is looked up; comparing costs time."""

_SHORT_LIST: Final = 12
_CLOSE: Final = 0.7
_AS_CODE: Final = str.maketrans(" -", "__")


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
HEALTH: Final = fault(
    "health_information",
    "Dit veld lijkt iets over iemands gezondheid te zeggen. Schrijf wat de persoon kan of nodig "
    "heeft, niet waarom.",
    "This field seems to say something about somebody's health. Write what the person can do or "
    "needs, not why.",
)
NOTHING_CHANGED: Final = fault(
    "nothing_changed",
    "Geef ten minste één gewijzigd veld of `cleared`.",
    "Give at least one changed field, or `cleared`.",
)


def unknown_field(name: str, known: Sequence[str], before: Sequence[Fault]) -> Fault:
    """Return the fault of a field that does not exist; names the field that may be meant."""
    path = name[:LONGEST_NAME]
    nearest = _nearest(path, known, before)
    if not nearest:
        return path, UNKNOWN_FIELD, UNKNOWN
    return fault(
        UNKNOWN_FIELD,
        f"{UNKNOWN.nl} Bedoelt u {nearest[0]}?",
        f"{UNKNOWN.en} Do you mean {nearest[0]}?",
        path,
    )


def unknown_code(name: str, allowed: Collection[str], value: Any, before: Sequence[Fault]) -> Fault:
    """Return the fault of a code that its list does not have; a short list is told whole."""
    nl = f"Deze code staat niet in de codelijst {name}."
    en = f"The code list {name} has no such code."
    if len(allowed) <= _SHORT_LIST:
        listed = ", ".join(sorted(allowed))
        return fault(UNKNOWN_CODE, f"{nl} Kies uit: {listed}.", f"{en} Choose from: {listed}.")
    sent = value[:LONGEST_NAME].lower().translate(_AS_CODE) if isinstance(value, str) else ""
    nearest = ", ".join(_nearest(sent, sorted(allowed), before))
    hint = (f" Bedoelt u: {nearest}?", f" Do you mean: {nearest}?") if nearest else ("", "")
    command = f"`schakel schemas codes {name}`"
    return fault(
        UNKNOWN_CODE,
        f"{nl}{hint[0]} Alle codes: {command}.",
        f"{en}{hint[1]} All codes: {command}.",
    )


def _nearest(sent: str, known: Sequence[str], before: Sequence[Fault]) -> list[str]:
    """What may be meant, of names that exist; nothing any more when much is wrong already."""
    if not sent or len(before) >= SUGGESTIONS:
        return []
    return get_close_matches(sent, known, 3, cutoff=_CLOSE)


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
