"""RFC 8785: the fast path writes the same bytes as the reference package."""

import json
import struct
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


def test_the_example_of_the_standard() -> None:
    """RFC 8785 §3.2.2 to §3.2.4: the sample's bytes."""
    sample = rb"""{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"""
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )

    assert canonical(json.loads(sample)) == expected.encode()


@pytest.mark.parametrize(
    ("bits", "written"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("ffefffffffffffff", "-1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("41b3de4355555556", "333333333.3333334"),
        ("41b3de4355555557", "333333333.33333343"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_the_numbers_of_the_standard(bits: str, written: str) -> None:
    """RFC 8785 appendix B: IEEE 754 bits and how each is written."""
    (value,) = struct.unpack(">d", bytes.fromhex(bits))

    assert canonical([value]) == f"[{written}]".encode()


@pytest.mark.parametrize("bits", ["7fffffffffffffff", "7ff0000000000000"])
def test_what_the_standard_has_no_number_for(bits: str) -> None:
    """RFC 8785 appendix B: NaN and infinity are errors."""
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    with pytest.raises(StrictJsonError):
        canonical([value])


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
