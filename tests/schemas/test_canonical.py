"""RFC 8785: the fast path writes the same bytes as the reference package."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from schemas.canonical import canonical, slow_canonical
from schemas.errors import StrictJsonError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**54), 2**54)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), inner, max_size=4)
    ),
    max_leaves=15,
)


def verdict(path: Any, value: Any) -> bytes | None:
    """Return the bytes, or None when the path refuses."""
    try:
        return bytes(path(value))
    except StrictJsonError:
        return None


@given(values)
def test_the_fast_path_writes_what_the_reference_writes(value: Any) -> None:
    """Same bytes for every JSON value, refusals included."""
    assert verdict(canonical, value) == verdict(slow_canonical, value)


@given(values)
def test_the_bytes_read_back_as_the_value(value: Any) -> None:
    """Nothing is lost but the difference between 1.0 and 1."""
    written = verdict(canonical, value)

    assert written is None or written == rfc8785.dumps(value)


def test_keys_are_sorted_by_utf16_code_units() -> None:
    """The example of RFC 8785 §3.2.3, where byte order would differ."""
    value = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}

    assert (
        canonical(value)
        == ('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}').encode()
    )


def test_numbers_are_written_as_ecmascript_writes_them() -> None:
    """Floats go through the reference package."""
    assert canonical([1.0, 1e21, 1e-7, 0.1, -0.0]) == b"[1,1e+21,1e-7,0.1,0]"


@pytest.mark.parametrize(
    "value",
    [
        2**53,
        -(2**53),
        float("nan"),
        float("inf"),
        "\ud800",
        {"a": {1: 2}},
        pytest.param(object(), id="object"),
        {"a": b"x"},
    ],
    ids=repr,
)
def test_what_is_not_json_is_refused(value: Any) -> None:
    """Nothing outside JSON, and no integer that readers round differently, gets a hash."""
    with pytest.raises(StrictJsonError) as caught:
        canonical(value)

    assert caught.value.invalid[0].code == "not_canonical"
