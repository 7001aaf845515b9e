"""Query parameters of the bare endpoints, and parameters that several routes share."""

import re
from datetime import date
from typing import Annotated, Final
from urllib.parse import parse_qsl

from pydantic import BeforeValidator

from gateway import errors
from schemas.errors import InvalidParam, Message
from schemas.identifiers import looks_like_insz
from schemas.moments import from_rfc3339

_TOKEN: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")
_QUERY_BYTES: Final = 4096
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _as_written(value: str) -> str:
    if not _DAY.fullmatch(value):
        raise ValueError("not_a_date")
    return value


Day = Annotated[date, BeforeValidator(_as_written)]
"""A day as `2026-03-02`; left alone, the framework also reads seconds since 1970."""


def invalid(name: str, code: str, nl: str, en: str) -> errors.InvalidParameter:
    """The refusal of one parameter; the sentences never hold its value."""
    reason = Message(nl=nl, en=en)
    return errors.InvalidParameter(reason, invalid=(InvalidParam(name, code, reason),))


def query(query_string: bytes) -> dict[str, str]:
    """The query's parameters.

    Raises:
        InvalidParameter: one occurs twice, or the query is too long or unreadable.
    """
    if not query_string:
        return {}
    if len(query_string) > _QUERY_BYTES:
        raise invalid("query", "too_long", "De query is te lang.", "The query is too long.")
    found: dict[str, str] = {}
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise invalid(
            "query", "malformed", "De query is onleesbaar.", "The query is unreadable."
        ) from error
    for name, value in pairs:
        if name in found:
            raise invalid(
                shown_name(name),
                "repeated",
                "Geef deze parameter één keer.",
                "Give this parameter once.",
            )
        found[name] = value
    return found


def shown_name(name: str, otherwise: str = "query") -> str:
    """How a refusal calls what the caller named: as it did, if that can be no number or text."""
    return name if _NAME.fullmatch(name) else otherwise


def flag(parameters: dict[str, str], name: str) -> bool:
    """A parameter that is `true` or `false`; false when absent."""
    value = parameters.get(name, "false")
    if value not in {"true", "false"}:
        raise invalid(name, "not_a_boolean", "Geef true of false.", "Give true or false.")
    return value == "true"


def whole_number(
    parameters: dict[str, str], name: str, *, default: int, low: int, high: int
) -> int:
    """A whole number between two bounds, both included."""
    value = parameters.get(name)
    if value is None:
        return default
    if not (value.isascii() and value.isdigit() and len(value) < 10 and low <= int(value) <= high):  # noqa: PLR2004
        raise invalid(
            name,
            "out_of_range",
            f"Geef een geheel getal van {low} tot {high}.",
            f"Give a whole number from {low} to {high}.",
        )
    return int(value)


def instant_us(text: str, name: str) -> int:
    """An RFC 3339 time with its offset, in microseconds since the epoch."""
    try:
        return from_rfc3339(text)
    except ValueError as error:
        raise _no_instant(name) from error


def _no_instant(name: str) -> errors.InvalidParameter:
    return invalid(
        name,
        "not_an_instant",
        "Geef een tijdstip als 2026-03-02T09:00:00Z.",
        "Give a time such as 2026-03-02T09:00:00Z.",
    )


def idempotency_key(value: bytes | str | None, *, required: bool) -> str | None:
    """The `Idempotency-Key` of a request.

    Raises:
        IdempotencyKeyRequired: it is absent where a creating call needs one.
        InvalidParameter: it has a form that cannot be kept, or that of a national number.
    """
    if value is None:
        if required:
            raise errors.IdempotencyKeyRequired(
                Message(
                    nl="Stuur een Idempotency-Key: een eigen kenmerk, één per doorverwijzing.",
                    en="Send an Idempotency-Key: a mark of your own, one a referral.",
                )
            )
        return None
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    if not _TOKEN.fullmatch(text):
        raise invalid(
            "Idempotency-Key",
            "malformed",
            "1 tot 128 tekens uit A-Z a-z 0-9 . _ : -",
            "1 to 128 characters out of A-Z a-z 0-9 . _ : -",
        )
    if looks_like_insz(text):
        raise invalid(
            "Idempotency-Key",
            "looks_like_insz",
            "Gebruik geen rijksregisternummer als kenmerk.",
            "Do not use a national number as a mark.",
        )
    return text
