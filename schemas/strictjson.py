"""The only JSON that enters the hub: one body, one meaning (`reliability.md` §2.6).

Refused: duplicate keys, NaN and infinities, NUL, lone surrogates, a byte-order mark, any encoding
but UTF-8, integers beyond 2^53 - 1 (readers disagree about them), and nesting past the limit.

`loads` answers most bodies with orjson and one walk.
Whatever that cannot decide for certain goes to `slow_loads`, which is exact and names the rule.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

import orjson

from schemas.errors import InvalidParam, Message, StrictJsonError

MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1

_LONGEST_INTEGER = len(str(-MAX_INTEGER))
_SPACED_COLONS = (b" :", b"\n:", b"\t:", b"\r:")
_KEY = re.compile(rb'"[ \t\r\n]*:')
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMEABLE = re.compile(r"[A-Za-z0-9_.\-]{1,64}", re.ASCII)


class _UndecidedError(Exception):
    """The fast path met something that only the slow one can judge."""


def loads(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a strict JSON body.

    Raises:
        StrictJsonError: with one invalid parameter, whose code names the rule.
    """
    if b"\\" in body:
        return slow_loads(body, max_depth)
    try:
        value = orjson.loads(body)
        keys = _count_keys(value, max_depth)
    except (orjson.JSONDecodeError, _UndecidedError):
        return slow_loads(body, max_depth)
    # Each key in a body without backslashes is a quote before a colon, and so is a string that
    # starts with a colon. As many of them as keys in the value: no key came twice.
    return value if keys == _count_key_tokens(body) else slow_loads(body, max_depth)


def _count_key_tokens(body: bytes) -> int:
    for spaced in _SPACED_COLONS:
        if spaced in body:
            return len(_KEY.findall(body))
    return body.count(b'":')


def _count_keys(value: Any, depth: int) -> int:
    """Count the keys in all objects of a parsed value.

    Raises:
        _UndecidedError: too deep, or a number that orjson reads in its own way.
    """
    kind = type(value)
    if kind is dict:
        keys, items = len(value), value.values()
    elif kind is list:
        keys, items = 0, value
    else:
        _check_number(value, kind)
        return 0
    if depth == 0:
        raise _UndecidedError
    for item in items:
        item_kind = type(item)
        if item_kind is dict or item_kind is list:
            keys += _count_keys(item, depth - 1)
        elif item_kind is not str:
            _check_number(item, item_kind)
    return keys


def _check_number(value: Any, kind: type) -> None:
    # orjson gives large integers as floats, so large floats are for the slow parser to tell apart.
    if (kind is int or kind is float) and not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise _UndecidedError


def slow_loads(body: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Return what `loads` returns, by the exact way alone.

    Raises:
        StrictJsonError: with one invalid parameter, whose code names the rule.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused("not_utf8", "De inhoud is geen UTF-8.", "The body is not UTF-8.") from error
    if text.startswith("\ufeff"):
        raise _refused(
            "byte_order_mark",
            "De inhoud begint met een byte-order mark; laat die weg.",
            "The body starts with a byte-order mark; leave it out.",
        )
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except RecursionError as error:
        raise _too_deep(max_depth) from error
    except json.JSONDecodeError as error:
        raise _refused(
            "malformed",
            f"De inhoud is geen geldige JSON (regel {error.lineno}, kolom {error.colno}).",
            f"The body is not valid JSON (line {error.lineno}, column {error.colno}).",
        ) from error
    _check_text_and_depth(value, max_depth)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise _refused(
                "duplicate_key",
                "Een veld komt tweemaal voor in hetzelfde object.",
                "A field occurs twice in the same object.",
                name=key if _NAMEABLE.fullmatch(key) else "body",
            )
        seen.add(key)
    return found


def _constant(_text: str) -> NoReturn:
    raise _refused(
        "not_a_number", "NaN en Infinity zijn geen JSON.", "NaN and Infinity are not JSON."
    )


def _integer(text: str) -> int:
    if len(text) > _LONGEST_INTEGER or not -MAX_INTEGER <= int(text) <= MAX_INTEGER:
        raise _refused(
            "number_too_large",
            "Een geheel getal is groter dan 2^53 - 1; stuur het als tekst.",
            "An integer is larger than 2^53 - 1; send it as text.",
        )
    return int(text)


def _float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise _refused(
            "number_too_large",
            "Een getal is te groot om nauwkeurig te lezen.",
            "A number is too large to be read exactly.",
        )
    return number


def _check_text_and_depth(value: Any, max_depth: int) -> None:
    """Refuse NUL, lone surrogates and deep nesting; a loop, as depth is not known to be small."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        found, depth = waiting.pop()
        if isinstance(found, str):
            _check_text(found)
            continue
        if not isinstance(found, (dict, list)):
            continue
        if depth == max_depth:
            raise _too_deep(max_depth)
        if isinstance(found, dict):
            for key in found:
                _check_text(key)
        items = found.values() if isinstance(found, dict) else found
        waiting.extend((item, depth + 1) for item in items)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise _refused("nul", "Een tekst bevat NUL (\\u0000).", "A text holds NUL (\\u0000).")
    if _SURROGATE.search(text):
        raise _refused(
            "lone_surrogate",
            "Een tekst bevat een half teken (los surrogaat).",
            "A text holds half a character (a lone surrogate).",
        )


def _too_deep(max_depth: int) -> StrictJsonError:
    return _refused(
        "too_deep",
        f"De inhoud is dieper genest dan {max_depth} niveaus.",
        f"The body is nested deeper than {max_depth} levels.",
    )


def _refused(code: str, nl: str, en: str, *, name: str = "body") -> StrictJsonError:
    reason = Message(nl=nl, en=en)
    return StrictJsonError(reason, invalid=[InvalidParam(name=name, code=code, reason=reason)])
