"""Strict JSON: what is refused, and that the fast path decides as the slow one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import StrictJsonError
from schemas.strictjson import loads, slow_loads

REFUSED = {
    b'{"a":1,"a":2}': "duplicate_key",
    b'{"a":1,"\\u0061":2}': "duplicate_key",
    b'{"a" :1, "a"\t:2}': "duplicate_key",
    b'[{"b":{"a":1,"a":1}}]': "duplicate_key",
    b'{"a":":","a":1}': "duplicate_key",
    b'{"a":NaN}': "not_a_number",
    b"[Infinity]": "not_a_number",
    b"-Infinity": "not_a_number",
    b"1e400": "number_too_large",
    b"9007199254740992": "number_too_large",
    b"[-9007199254740992]": "number_too_large",
    b"18446744073709551616": "number_too_large",
    b"1" * 5000: "number_too_large",
    b'{"a":"\\u0000"}': "nul",
    b'{"\\u0000":1}': "nul",
    b'{"a":"\\ud800"}': "lone_surrogate",
    b'{"\\udc00":1}': "lone_surrogate",
    b'\xef\xbb\xbf{"a":1}': "byte_order_mark",
    '{"a":1}'.encode("utf-16"): "not_utf8",
    '{"a":1}'.encode("utf-16-be"): "malformed",
    '{"a":1}'.encode("utf-32"): "not_utf8",
    b'"\xed\xa0\x80"': "not_utf8",
    b"\xff": "not_utf8",
    b"": "malformed",
    b"{": "malformed",
    b'{"a":1,}': "malformed",
    b'"\x00"': "malformed",
    b'"\n"': "malformed",
    b"01": "malformed",
    b"{'a':1}": "malformed",
    b"1 2": "malformed",
    b"[" * 33 + b"]" * 33: "too_deep",
    b"[" * 100_000 + b"]" * 100_000: "too_deep",
    b'{"a":' * 33 + b"1" + b"}" * 33: "too_deep",
}


@pytest.mark.parametrize(("body", "code"), REFUSED.items(), ids=lambda value: str(value)[:24])
def test_what_readers_disagree_about_is_refused(body: bytes, code: str) -> None:
    """Each rule has a code of its own, and both paths refuse for the same one."""
    for path in (loads, slow_loads):
        with pytest.raises(StrictJsonError) as caught:
            path(body)
        assert [param.code for param in caught.value.invalid] == [code]


ACCEPTED = [
    b"{}",
    b" [ ] ",
    b"null",
    b'"a"',
    b"-0",
    b"1.5e3",
    b"1e20",
    b"9007199254740991",
    b"-9007199254740991",
    b'{"a":":","b":"\\":"}',
    b'{":":":"}',
    b'{"":1}',
    b'{ "a" : { "a" : [ { "a" : null } ] } }',
    '{"naam":"Zoë \U0001f600"}'.encode(),
    b'{"a":"\\ud83d\\ude00"}',
    b'{"time":"2026-03-02T10:00:00Z"}',
    b"[" * 32 + b"]" * 32,
]


@pytest.mark.parametrize("body", ACCEPTED, ids=lambda body: str(body)[:24])
def test_ordinary_json_is_read_as_everybody_reads_it(body: bytes) -> None:
    """The value is that of Python's own reader."""
    assert loads(body) == json.loads(body) == slow_loads(body)


def test_a_duplicate_key_is_named_but_never_one_that_could_hold_a_value() -> None:
    """The parameter names the field, unless the key is free text."""
    with pytest.raises(StrictJsonError) as plain:
        loads(b'{"phone":"1","phone":"2"}')
    with pytest.raises(StrictJsonError) as text:
        loads(b'{"Jan Peeters":1,"Jan Peeters":2}')

    assert plain.value.invalid[0].name == "phone"
    assert text.value.invalid[0].name == "body"


def test_the_depth_limit_counts_containers() -> None:
    """A scalar is no level, and the limit itself is allowed."""
    assert loads(b"[[1]]", max_depth=2) == [[1]]
    with pytest.raises(StrictJsonError):
        loads(b"[[[]]]", max_depth=2)


def verdict(path: Any, body: bytes, max_depth: int) -> tuple[str, Any]:
    """Return what a path says: the value as text, or the codes of its refusal."""
    try:
        return "value", repr(path(body, max_depth))
    except StrictJsonError as error:
        return "refused", [param.code for param in error.invalid]


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**54), 2**54)
    | st.integers(2**63 - 2, 2**65)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=6)
    | st.sampled_from([":", '":', " :", '"', "\\", "a", "\0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", ":", '"', '":', "", "é"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(value=values, spaced=st.booleans(), ascii_only=st.booleans(), depth=st.integers(0, 4))
def test_the_fast_path_agrees_with_the_slow_one_on_json(
    *, value: Any, spaced: bool, ascii_only: bool, depth: int
) -> None:
    """Whatever a writer produces, both paths give the same value or the same refusal."""
    separators = (" , ", " : ") if spaced else (",", ":")
    body = json.dumps(value, ensure_ascii=ascii_only, separators=separators).encode()

    assert verdict(loads, body, depth) == verdict(slow_loads, body, depth)


PIECES = (
    *"{}[],: \n\\-1\x00",
    *('"a"', '"b"', '":"', '""', "null", "NaN", "1e999"),
    *('"a":1', '"a" :1', '{"a":1}', '"\\u0061":2'),
)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=14))
def test_the_fast_path_agrees_with_the_slow_one_on_anything(pieces: list[str]) -> None:
    """Also bodies that nobody's writer produces get one verdict."""
    body = "".join(pieces).encode()

    assert verdict(loads, body, 32) == verdict(slow_loads, body, 32)
