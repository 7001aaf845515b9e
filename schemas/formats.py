"""What one value must look like: a check per Avro type and `format` of a field.

A check takes the value and the list of faults and returns the normalised value; when it appends a
fault, what it returns is not used. Checks are made once per field and run for every event.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from schemas import free_text, identifiers, rejection
from schemas.codelists import code_list
from schemas.errors import InvalidIdentifier
from schemas.rejection import Fault, fault

if TYPE_CHECKING:
    from schemas.free_text import WordList

Check = Callable[[Any, list[Fault]], Any]


class Setting(NamedTuple):
    """What decides on values beside their field: the installation, and the event's day."""

    environment: str
    words: WordList


DEFAULT_LENGTH: Final = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_BUT_LINES = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_YEARS: Final = range(1900, 2101)

_PATTERNS: Final[dict[str, tuple[re.Pattern[str], str, str]]] = {
    # Shape only: people move to and work in regions whose codes we do not keep; where the
    # municipality matters, the rules look it up on the event's day.
    "nis": (
        re.compile(r"[1-9][0-9]{4}", re.ASCII),
        "Een NIS-code telt 5 cijfers.",
        "A NIS code has 5 digits.",
    ),
    "postcode": (
        re.compile(r"[1-9][0-9]{3}", re.ASCII),
        "Een postcode telt 4 cijfers.",
        "A postal code has 4 digits.",
    ),
    "email": (
        re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)+"),
        "Een e-mailadres is bijvoorbeeld naam@example.org.",
        "An e-mail address is, for example, name@example.org.",
    ),
    "time": (
        re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII),
        "Een uur is UU:MM.",
        "A time of day is HH:MM.",
    ),
    "participant": (
        re.compile(r"[a-z0-9-]{3,40}", re.ASCII),
        "Een deelnemer telt 3 tot 40 kleine letters, cijfers of streepjes.",
        "A participant has 3 to 40 lower-case letters, digits or hyphens.",
    ),
    # Shape only: the rules say which programmes there are, and are published at any time.
    "programme": (
        re.compile(r"[a-z][a-z0-9_]{1,39}", re.ASCII),
        "Een programmacode telt 2 tot 40 kleine letters, cijfers of lage streepjes.",
        "A programme's code has 2 to 40 lower-case letters, digits or underscores.",
    ),
    "sha256": (
        re.compile(r"[0-9a-f]{64}", re.ASCII),
        "Een SHA-256 telt 64 hexadecimale cijfers.",
        "A SHA-256 has 64 hexadecimal digits.",
    ),
}

_BAD_DATE = fault("invalid_date", "Een datum is JJJJ-MM-DD.", "A date is YYYY-MM-DD.")
_BAD_UUID = fault("invalid_uuid", "Hier hoort een UUID.", "A UUID belongs here.")


def boolean(value: Any, faults: list[Fault]) -> Any:
    """Check true or false."""
    if value is not True and value is not False:
        faults.append(rejection.NOT_BOOLEAN)
    return value


def whole(field: dict[str, Any]) -> Check:
    """Check a whole number within `minimum` and `maximum`, or among `one_of`."""
    one_of = frozenset(field.get("one_of", ()))
    low = field.get("minimum", -(2**31))
    high = field.get("maximum", 2**31 - 1)
    if one_of:
        allowed = ", ".join(map(str, sorted(one_of)))
        outside = fault("out_of_range", f"Kies uit {allowed}.", f"Choose from {allowed}.")
    else:
        outside = fault("out_of_range", f"Van {low} tot {high}.", f"From {low} to {high}.")

    def check(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not int:
            faults.append(rejection.NOT_WHOLE)
        elif not low <= value <= high or (one_of and value not in one_of):
            faults.append(outside)
        return value

    return check


def real(field: dict[str, Any]) -> Check:
    """Check a finite number within `minimum` and `maximum`."""
    low, high = field.get("minimum", -1e308), field.get("maximum", 1e308)
    outside = fault("out_of_range", f"Van {low} tot {high}.", f"From {low} to {high}.")

    def check(value: Any, faults: list[Fault]) -> Any:
        if type(value) not in (int, float) or not math.isfinite(value):
            faults.append(rejection.NOT_NUMBER)
        elif not low <= value <= high:
            faults.append(outside)
        return value

    return check


def decimal(precision: int, scale: int) -> Check:
    """Check a decimal written as a string; the normalised form has all its decimals."""
    pattern = re.compile(rf"[0-9]{{1,{precision - scale}}}(?:\.[0-9]{{1,{scale}}})?", re.ASCII)
    bad = fault(
        "invalid_decimal",
        f'Schrijf het getal als tekst, met een punt en hoogstens {scale} decimalen: "12.50".',
        f'Write the number as a string, with a point and at most {scale} decimals: "12.50".',
    )

    def check(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not str or not pattern.fullmatch(value):
            faults.append(bad)
            return value
        units, _, decimals = value.partition(".")
        return f"{int(units)}.{decimals:0<{scale}}"

    return check


def code(name: str, symbols: frozenset[str]) -> Check:
    """Check membership of a code list; UNKNOWN is what old readers see, never what is sent."""
    allowed = symbols - {"UNKNOWN"}

    def check(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not str or value not in allowed:
            faults.append(rejection.unknown_code(name, allowed, value, faults))
        return value

    return check


def text(field: dict[str, Any], setting: Setting) -> Check:
    """Check a string field by its `format`, its `codelist` and its `max_length`."""
    kind = field.get("format")
    if "codelist" in field:
        return code(field["codelist"], frozenset(code_list(field["codelist"]).codes))
    if kind in _PATTERNS:
        return _pattern(kind)
    makers: dict[str, Callable[[], Check]] = {
        "uuid": lambda: _uuid,
        "urn": lambda: _identifier(_organisation),
        "insz": lambda: _identifier(lambda value: identifiers.insz(value, setting.environment)),
        "month": lambda: _identifier(identifiers.month),
        "phone": lambda: _identifier(identifiers.phone),
    }
    if kind in makers:
        return makers[kind]()
    words = setting.words if field.get("text_kind") == free_text.NOTE else None
    control = _CONTROL_BUT_LINES if kind == "text" else _CONTROL
    return _free(field.get("max_length", DEFAULT_LENGTH), control, words)


def day(value: Any, faults: list[Fault]) -> Any:
    """Check a calendar date `YYYY-MM-DD`."""
    # `fromisoformat` also reads week dates and dates without hyphens; both stop here.
    if type(value) is not str or len(value) != 10 or value[4] != "-" or value[7] != "-":  # noqa: PLR2004 - the shape YYYY-MM-DD
        faults.append(_BAD_DATE)
        return value
    try:
        found = date.fromisoformat(value)
    except ValueError:
        faults.append(_BAD_DATE)
        return value
    if found.year not in _YEARS:
        faults.append(_BAD_DATE)
    return value


def _pattern(kind: str) -> Check:
    pattern, nl, en = _PATTERNS[kind]
    matches = pattern.fullmatch
    bad = fault(f"invalid_{kind}", nl, en)

    def check(value: Any, faults: list[Fault]) -> Any:
        if (
            type(value) is not str
            or len(value) > DEFAULT_LENGTH
            or not matches(value := value.strip())
        ):
            faults.append(bad)
        return value

    return check


def _uuid(value: Any, faults: list[Fault]) -> Any:
    if type(value) is not str or not identifiers.is_uuid(value := value.lower()):
        faults.append(_BAD_UUID)
    return value


@lru_cache(maxsize=4096)
def _organisation(value: str) -> str:
    # Organisations are few and public, and a URN with its check digits costs microseconds.
    return identifiers.organisation_urn(value)


def _identifier(normalise: Callable[[str], str]) -> Check:
    def check(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not str or len(value) > DEFAULT_LENGTH:
            faults.append(rejection.NOT_TEXT)
            return value
        try:
            return normalise(value)
        except InvalidIdentifier as error:
            faults.append(("", f"invalid_{error.kind}", error.reason))
            return value

    return check


@cache
def _free(longest: int, control: re.Pattern[str], words: WordList | None) -> Check:
    too_long = fault("too_long", f"Hoogstens {longest} tekens.", f"At most {longest} characters.")

    def check(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not str:
            faults.append(rejection.NOT_TEXT)
            return value
        value = value.strip()
        if not value:
            faults.append(rejection.EMPTY)
        elif len(value) > longest:
            faults.append(too_long)
        elif not value.isprintable() and control.search(value):
            faults.append(rejection.CONTROL)
        elif free_text.holds_number(value):
            faults.append(rejection.IDENTIFIED)
        elif words is not None and words.mentions_health(value):
            faults.append(rejection.HEALTH)
        return value

    return check
