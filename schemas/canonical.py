"""The canonical JSON of RFC 8785, over which commitments, content hashes and signatures run.

orjson writes the same bytes as RFC 8785 when there is no float and every key is ASCII, which is
nearly always; everything else goes to the `rfc8785` package. A property test holds the two equal.
"""

from __future__ import annotations

from typing import Any

import orjson
import rfc8785

from schemas.errors import InvalidParam, Message, StrictJsonError
from schemas.strictjson import MAX_INTEGER


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 form of a JSON value.

    Raises:
        StrictJsonError: the value is not JSON, or holds an integer beyond 2^53 - 1, a NaN, an
            infinity or a lone surrogate.
    """
    if _is_plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError as error:
            raise _refused() from error
    return slow_canonical(value)


def slow_canonical(value: Any) -> bytes:
    """Return what `canonical` returns, by the `rfc8785` package alone.

    Raises:
        StrictJsonError: as `canonical`.
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise _refused() from error


def _is_plain(value: Any) -> bool:
    """Tell whether orjson writes `value` as RFC 8785 does."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    if kind is dict:
        for key in value:
            # Exact strings only: orjson and rfc8785 differ in what else they take as a key.
            if type(key) is not str or not key.isascii():
                return False
        value = value.values()
    elif kind is not list:
        return False
    for item in value:  # noqa: SIM110 - a generator costs more than the items
        if type(item) is not str and not _is_plain(item):
            return False
    return True


def _refused() -> StrictJsonError:
    reason = Message(
        nl="De waarde heeft geen canonieke JSON-vorm (RFC 8785).",
        en="The value has no canonical JSON form (RFC 8785).",
    )
    param = InvalidParam(name="body", code="not_canonical", reason=reason)
    return StrictJsonError(reason, invalid=[param])
