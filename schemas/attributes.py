"""The rules for the CloudEvents attributes that a partner sends (`architecture.md` §5).

One function per kind of attribute: it returns the canonical value or raises.
`check` applies them to a whole event and lists every fault.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from schemas import identifiers
from schemas.errors import EnvelopeError, InvalidIdentifier, InvalidParam, Message
from schemas.moments import from_rfc3339
from schemas.vocabulary import PURPOSES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TYPE_PREFIX: Final = "be.schakel.activation.v1."
SOURCE_PREFIX: Final = "urn:schakel:participant:"
JSON: Final = "application/json"

ID_PATTERN: Final = re.compile(r"[A-Za-z0-9._:\-]{1,128}", re.ASCII)
PARTICIPANT_PATTERN: Final = re.compile(r"[a-z0-9-]{3,40}", re.ASCII)
TRACEPARENT_PATTERN: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII
)
_EVENT_NAME = re.compile(r"[a-z][a-z_]*\.[a-z][a-z0-9_]*", re.ASCII)
_NIS = re.compile(r"[0-9]{5}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONGEST_TEXT: Final = 128

REQUIRED: Final = ("id", "source", "type", "time")
_NEEDED: Final = frozenset({"specversion", *REQUIRED})

VERSION: Final = "aggregateversion"
"""The one number among the attributes that a partner sends: JSON's, or a header's digits."""

SET_BY_HUB: Final = frozenset(
    {
        "agreementid",
        "agreementhash",
        "aggregatetype",
        "recordedtime",
        "actorrole",
        "dataclassification",
        "dataschema",
        "subjectref",
        "withheld",
        "ruleset",
        "legalbasis",
        "deliveredfor",
        "backfill",
        "redelivery",
    }
)


class AttributeFaultError(Exception):
    """One attribute has a wrong form; `check` turns it into an invalid parameter."""

    def __init__(self, code: str, nl: str, en: str) -> None:
        super().__init__(en)
        self.code = code
        self.reason = Message(nl=nl, en=en)


def fault(name: str, code: str, nl: str, en: str) -> InvalidParam:
    """Return the invalid parameter of one attribute."""
    return InvalidParam(name=name, code=code, reason=Message(nl=nl, en=en))


def check(
    attributes: Mapping[str, Any],
    faults: list[InvalidParam],
    *,
    content_types: tuple[str, ...],
) -> dict[str, Any]:
    """Return the canonical values of the attributes that a partner sent.

    Args:
        attributes: all attributes as they came, without `data`; None counts as absent.
        faults: what the caller found wrong already.
        content_types: the values that `datacontenttype` may have here.

    Raises:
        EnvelopeError: listing `faults` and every further one.
    """
    values: dict[str, Any] = {}
    for name, value in attributes.items():
        if value is None:
            continue
        rule = _RULES.get(name)
        try:
            text = str(value) if name == VERSION and type(value) is int else value
            if rule is None or not isinstance(text, str):
                raise _odd(name)
            values[name] = rule(text)
        except AttributeFaultError as error:
            nameable = ID_PATTERN.fullmatch(name) and not identifiers.looks_like_insz(name)
            shown = name if nameable else "attribute"
            faults.append(InvalidParam(name=shown, code=error.code, reason=error.reason))
        except InvalidIdentifier as error:
            faults.append(error.param(name))
    if not values.keys() >= _NEEDED:
        faults.extend(
            fault(name, "missing", "Ontbreekt.", "Missing.")
            for name in ("specversion", *REQUIRED)
            if attributes.get(name) is None
        )
    if values.setdefault("datacontenttype", JSON) not in content_types:
        known = " / ".join(content_types)
        faults.append(
            fault("datacontenttype", "invalid_value", f"Moet {known} zijn.", f"Has to be {known}.")
        )
    if faults:
        raise refused(faults)
    del values["specversion"]
    return values


def refused(faults: list[InvalidParam]) -> EnvelopeError:
    """Return the error that lists these faults."""
    names = ", ".join(dict.fromkeys(found.name for found in faults))
    detail = Message(
        nl=f"Deze onderdelen van het CloudEvent zijn ongeldig of ontbreken: {names}.",
        en=f"These parts of the CloudEvent are invalid or missing: {names}.",
    )
    return EnvelopeError(detail, invalid=faults)


def _odd(name: str) -> AttributeFaultError:
    """The fault of an attribute that is none of a sender's, or is no text."""
    if name in SET_BY_HUB:
        return AttributeFaultError(
            "set_by_hub", "De hub vult dit zelf in.", "The hub sets this itself."
        )
    if name not in _RULES:
        return AttributeFaultError("unknown_attribute", "Onbekend attribuut.", "Unknown attribute.")
    return AttributeFaultError("not_a_text", "Moet tekst zijn.", "Has to be text.")


def _specversion(text: str) -> str:
    if text != "1.0":
        raise AttributeFaultError("invalid_value", "Moet 1.0 zijn.", "Has to be 1.0.")
    return text


def _id(text: str) -> str:
    if not ID_PATTERN.fullmatch(text):
        raise AttributeFaultError(
            "invalid_format",
            "Mag 1 tot 128 letters, cijfers en . _ : - bevatten.",
            "May hold 1 to 128 letters, digits and . _ : -.",
        )
    return _without_insz(text)


def _without_insz(text: str) -> str:
    if identifiers.looks_like_insz(text):
        raise AttributeFaultError(
            "looks_like_insz",
            "Lijkt op een rijksregisternummer; gebruik een eigen nummer.",
            "Looks like a national number; use a number of your own.",
        )
    return text


def own_number(text: str) -> str:
    """Return a sender's own number or reference, without spaces around it.

    Raises:
        AttributeFaultError: it is not 1 to 128 printable characters, or looks like an INSZ.
    """
    stripped = text.strip()
    if not stripped or len(stripped) > _LONGEST_TEXT or not stripped.isprintable():
        raise AttributeFaultError(
            "invalid_format",
            "Moet 1 tot 128 leesbare tekens zijn.",
            "Has to be 1 to 128 printable characters.",
        )
    return _without_insz(stripped)


def _source(text: str) -> str:
    participant = text.removeprefix(SOURCE_PREFIX)
    if participant == text or not PARTICIPANT_PATTERN.fullmatch(participant):
        raise AttributeFaultError(
            "invalid_format",
            f"Moet {SOURCE_PREFIX} en uw deelnemersnaam zijn.",
            f"Has to be {SOURCE_PREFIX} and your participant id.",
        )
    return text


def _type(text: str) -> str:
    name = text.removeprefix(TYPE_PREFIX)
    if name == text or not _EVENT_NAME.fullmatch(name):
        raise AttributeFaultError(
            "invalid_format",
            f"Moet {TYPE_PREFIX} en een gebeurtenisnaam zijn.",
            f"Has to be {TYPE_PREFIX} and an event name.",
        )
    return text


def _time(text: str) -> int:
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise AttributeFaultError(
            "invalid_format",
            "Moet een tijdstip met zone zijn, zoals 2026-03-02T10:00:00Z.",
            "Has to be an instant with its zone, such as 2026-03-02T10:00:00Z.",
        ) from error


def _uuid(text: str) -> str:
    lowered = text.lower()
    if not identifiers.is_uuid(lowered):
        raise AttributeFaultError("invalid_format", "Moet een UUID zijn.", "Has to be a UUID.")
    return lowered


def _purpose(text: str) -> str:
    if text not in PURPOSES:
        raise AttributeFaultError("unknown_code", "Onbekend doel.", "Unknown purpose.")
    return text


def _nis(text: str) -> str:
    if not _NIS.fullmatch(text):
        raise AttributeFaultError(
            "invalid_format", "Een NIS-code telt 5 cijfers.", "A NIS code has 5 digits."
        )
    return text


def _version(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise AttributeFaultError(
            "invalid_format",
            "Moet het versienummer zijn dat u laatst zag: een geheel getal vanaf 0.",
            "Has to be the version that you saw last: a whole number from 0.",
        )
    return int(text)


def _traceparent(text: str) -> str | None:
    """Drop a malformed trace context, as W3C says: the hub then starts a trace of its own."""
    return text if TRACEPARENT_PATTERN.fullmatch(text) else None


_RULES: Final[dict[str, Callable[[str], Any]]] = {
    "specversion": _specversion,
    "id": _id,
    "source": _source,
    "type": _type,
    "time": _time,
    "datacontenttype": str,
    "subject": _uuid,
    "trajectoryid": _uuid,
    "sourcerecordid": own_number,
    "causationid": _id,
    "onbehalfof": identifiers.organisation_urn,
    "purpose": _purpose,
    "territorynis": _nis,
    "actorref": own_number,
    VERSION: _version,
    "traceparent": _traceparent,
}
