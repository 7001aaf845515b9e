"""Identifiers of people, organisations and things, checked for shape only.

Own rules stand beside python-stdnum where the domain is stricter than it (`domain.md` §3.8, §6).
Every function returns the canonical form or raises `InvalidIdentifier`, whose sentence never holds
the value. Nothing here is cached: the values may be personal.
"""

from __future__ import annotations

import os
import re
import time
from typing import Final

from stdnum.be import nn, vat
from stdnum.exceptions import InvalidChecksum, ValidationError

from schemas.errors import InvalidIdentifier, Message

TEST: Final = "test"
PRODUCTION: Final = "production"

_SEPARATORS = str.maketrans("", "", " .-/")
_PHONE_SEPARATORS = str.maketrans("", "", " .-/()")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])", re.ASCII)
_OVO = re.compile(r"OVO[0-9]{6}", re.ASCII)
_VCODE = re.compile(r"V[0-9]{7}", re.ASCII)
_LOCAL_ORGANISATION = re.compile(r"[a-z0-9-]{3,40}", re.ASCII)
_PHONE = re.compile(r"\+[0-9]{8,15}", re.ASCII)
_ELEVEN = re.compile(
    r"(?<![0-9])[0-9]{2}[ .\-/]?[0-9]{2}[ .\-/]?[0-9]{2}[ .\-/]?[0-9]{3}[ .\-/]?[0-9]{2}(?![0-9])",
    re.ASCII,
)
_PRINTED = re.compile(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}", re.ASCII)

_BIS_UNKNOWN_SEX = 20
_BIS_KNOWN_SEX = 40
_TEST_MONTHS = range(61, 73)
_REAL_MONTHS = frozenset(
    month + shift for month in range(13) for shift in (0, _BIS_UNKNOWN_SEX, _BIS_KNOWN_SEX)
)
_LAST_DAY = 31


def _refused(kind: str, nl: str, en: str) -> InvalidIdentifier:
    return InvalidIdentifier(kind, Message(nl=nl, en=en))


def uuid7() -> str:
    """Return a new UUIDv7: millisecond time, then a sub-millisecond fraction, then randomness."""
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    moment = f"{milliseconds:012x}"
    random = os.urandom(8).hex()
    variant = "89ab"[int(random[0], 16) & 3]
    return f"{moment[:8]}-{moment[8:]}-7{fraction:03x}-{variant}{random[1:4]}-{random[4:]}"


def is_uuid(text: str) -> bool:
    """Tell whether `text` is a UUID in its canonical, lower-case form."""
    return _UUID.fullmatch(text) is not None


def insz(text: str, environment: str) -> str:
    """Return a social-security number (rijksregister- or bisnummer) as 11 digits.

    Accepts the usual separators.
    Months 61 to 72 (the TST convention) exist in test installations only, all others in production
    only, so that no real person's number enters a test installation and no synthetic one leaves it.
    Shape and check digits only: it says nothing about whether such a person exists.

    Raises:
        InvalidIdentifier: kind `insz`.
    """
    digits = text.strip().translate(_SEPARATORS)
    if len(digits) != 11 or not (digits.isascii() and digits.isdigit()):  # noqa: PLR2004 - digits
        raise _refused("insz", "Een INSZ telt 11 cijfers.", "An INSZ has 11 digits.")
    month = int(digits[2:4])
    if month in _TEST_MONTHS:
        if environment != TEST:
            raise _refused(
                "insz",
                "Een testnummer (maand 61-72) mag niet in productie.",
                "A test number (month 61-72) is refused in production.",
            )
    elif month not in _REAL_MONTHS:
        raise _refused("insz", "De maand in het INSZ bestaat niet.", "The INSZ's month is unknown.")
    elif environment == TEST:
        raise _refused(
            "insz",
            "Een testinstallatie aanvaardt alleen testnummers (maand 61-72).",
            "A test installation accepts test numbers (month 61-72) only.",
        )
    # stdnum reads a day past the month's end as unknown; no day is past 31 in any register.
    if int(digits[4:6]) > _LAST_DAY:
        raise _refused("insz", "De dag in het INSZ bestaat niet.", "The INSZ's day is unknown.")
    _check_digits(digits)
    return digits


def _check_digits(digits: str) -> None:
    """Check month, century and check digits with python-stdnum, which also reads TST months."""
    try:
        nn.get_birth_year(digits)
    except InvalidChecksum as error:
        raise _refused(
            "insz",
            "De controlecijfers van het INSZ kloppen niet.",
            "The INSZ's check digits do not match.",
        ) from error
    except ValidationError as error:
        raise _refused("insz", "Het INSZ is ongeldig.", "The INSZ is invalid.") from error


def looks_like_insz(text: str) -> bool:
    """Tell whether `text` holds something shaped like an INSZ, in either environment.

    Eleven digits written `71.64.12-123.01` count whatever their check digits;
    otherwise date part and check digits have to fit, so that an ordinary case number passes.
    A UUID never counts.
    """
    if _UUID.fullmatch(text):
        return False
    return any(_is_insz_shaped(match.group()) for match in _ELEVEN.finditer(text))


def _is_insz_shaped(found: str) -> bool:
    if _PRINTED.fullmatch(found):
        return True
    digits = found.translate(_SEPARATORS)
    month, day = int(digits[2:4]), int(digits[4:6])
    if day > _LAST_DAY or (month not in _REAL_MONTHS and month not in _TEST_MONTHS):
        return False
    check = int(digits[9:])
    return check in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97)


def kbo(text: str) -> str:
    """Return an enterprise number (ondernemingsnummer) as 10 digits, first digit 0 or 1.

    Raises:
        InvalidIdentifier: kind `kbo`.
    """
    return _kbo_number(text, "kbo", "01")


def establishment(text: str) -> str:
    """Return an establishment number (vestigingsnummer) as 10 digits, first digit 2 to 8.

    Raises:
        InvalidIdentifier: kind `establishment`.
    """
    return _kbo_number(text, "establishment", "2345678")


def _kbo_number(text: str, kind: str, first: str) -> str:
    digits = text.strip().upper().removeprefix("BE").translate(_SEPARATORS)
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):  # noqa: PLR2004 - digits
        raise _refused(kind, "Een KBO-nummer telt 10 cijfers.", "A KBO number has 10 digits.")
    if digits[0] not in first:
        raise _refused(
            kind,
            f"Een nummer van deze soort begint met {first[0]} tot {first[-1]}.",
            f"A number of this kind starts with {first[0]} to {first[-1]}.",
        )
    # stdnum's `validate` refuses establishments; its check digits are the same for both.
    if vat.checksum(digits) != 0:
        raise _refused(
            kind,
            "De controlecijfers van het KBO-nummer kloppen niet.",
            "The KBO number's check digits do not match.",
        )
    return digits


def ovo(text: str) -> str:
    """Return a Flemish organisation code (OVO and six digits).

    Raises:
        InvalidIdentifier: kind `ovo`.
    """
    code = text.strip().upper()
    if not _OVO.fullmatch(code):
        raise _refused("ovo", "Een OVO-code is OVO en 6 cijfers.", "An OVO code is OVO, 6 digits.")
    return code


def vcode(text: str) -> str:
    """Return a code of the register of associations (V and seven digits).

    Raises:
        InvalidIdentifier: kind `vcode`.
    """
    code = text.strip().upper()
    if not _VCODE.fullmatch(code):
        raise _refused("vcode", "Een VCode is V en 7 cijfers.", "A VCode is V and 7 digits.")
    return code


def organisation_urn(text: str) -> str:
    """Return the canonical URN of an organisation.

    `urn:be:kbo:` enterprise, `urn:be:ovo:`, `urn:be:vcode:` or `urn:schakel:org:` a local name.

    Raises:
        InvalidIdentifier: kind `urn`, or the kind of the number in it.
    """
    stripped = text.strip()
    lowered = stripped.lower()
    for prefix, canonical in _ORGANISATION_SCHEMES:
        if lowered.startswith(prefix):
            return prefix + canonical(stripped[len(prefix) :])
    raise _refused(
        "urn",
        "Een organisatie is urn:be:kbo:…, urn:be:ovo:…, urn:be:vcode:… of urn:schakel:org:….",
        "An organisation is urn:be:kbo:…, urn:be:ovo:…, urn:be:vcode:… or urn:schakel:org:….",
    )


def _local_organisation(text: str) -> str:
    if not _LOCAL_ORGANISATION.fullmatch(text):
        raise _refused(
            "urn",
            "Een lokale organisatienaam telt 3 tot 40 kleine letters, cijfers of streepjes.",
            "A local organisation name has 3 to 40 lower-case letters, digits or hyphens.",
        )
    return text


_ORGANISATION_SCHEMES = (
    ("urn:be:kbo:", kbo),
    ("urn:be:ovo:", ovo),
    ("urn:be:vcode:", vcode),
    ("urn:schakel:org:", _local_organisation),
)


def month(text: str) -> str:
    """Return a calendar month `YYYY-MM`.

    Raises:
        InvalidIdentifier: kind `month`.
    """
    if not _MONTH.fullmatch(text):
        raise _refused("month", "Een maand is JJJJ-MM.", "A month is YYYY-MM.")
    return text


def phone(text: str) -> str:
    """Return a telephone number as `+` and 8 to 15 digits; a national number becomes Belgian.

    Raises:
        InvalidIdentifier: kind `phone`.
    """
    number = text.strip().replace("(0)", "").translate(_PHONE_SEPARATORS)
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0"):
        number = "+32" + number[1:]
    if not _PHONE.fullmatch(number):
        raise _refused(
            "phone",
            "Een telefoonnummer is bijvoorbeeld +32 470 12 34 56.",
            "A telephone number is, for example, +32 470 12 34 56.",
        )
    return number
