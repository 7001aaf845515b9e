"""What nobody would send: every call answers or refuses it, on PostgreSQL too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gateway.exchange.scopes import SCOPES
from tests.isolation.calls import OPERATION
from tests.isolation.ways import WAYS
from tests.letter.partners import CAW
from tests.letter.region import region

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.letter.region import Region

ANYTHING = "+".join((CAW, *sorted(SCOPES)))
"""A participant that is the hub's administrator too."""
OWN_SHAPE = ("/oauth/", "/subjects", "/compatibility/")
"""Whose refusals are those of OAuth and of schema registries."""
BODIES = {
    "nul": b'{"reason":"\\u0000"}',
    "lone_surrogate": b'{"reason":"\\ud800"}',
    "not_a_number": b'{"reason":NaN}',
    "duplicate_key": b'{"reason":"a","reason":"b"}',
    "number_too_large": b'{"reason":9223372036854775808}',
    "not_utf8": '{"reason":"a"}'.encode("utf-16"),
}
ODD = (
    "-1",
    str(2**63),
    str(2**70),
    "x" * 3000,
    "%ED%A0%80",  # half a character
    "%C2%B2",  # a digit, and no number
    "9999-12-31T23:59:59.999999-14:00",
    "0001-01-01T00:00:00+14:00",
    "x:9223372036854775808",
    "AQ",
)
TOPS = (b"[]", b"null", b"1", b'"x"', b"{", b"", b"[" * 3000, b'{"\\ud800":1}', b"reason=1")


@pytest.fixture
def around(tmp_path: Path, migrated_postgres_url: str) -> Iterator[Region]:
    """The hub around Tienen on PostgreSQL, which keeps no NUL; nobody's budget is spent."""
    often = {"budget_calls_at_once": 1_000_000, "budget_calls_per_second": 100_000}
    with region(tmp_path / "hub", database_url=migrated_postgres_url, **often) as made:
        yield made


def operations(around: Region) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    paths = around.client.call("GET", "/openapi.json").json()["paths"]
    for path, found in paths.items():
        for method, operation in found.items():
            yield method.upper(), path, operation


def named(operation: dict[str, Any], place: str) -> list[str]:
    """The parameters of an operation in the path or in the query."""
    given = operation.get("parameters", ())
    return [one["name"] for one in given if one.get("in") == place]


def filled(path: str, **names: str) -> str:
    """The path with something in every place."""
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", names.get(name, OPERATION.get(name, "x")))
    return path


def call(
    around: Region, method: str, path: str, kind: str = "application/json", **options: Any
) -> httpx.Response:
    """One call by somebody who may make it; its key is of the right form."""
    headers = {
        "authorization": f"Bearer {ANYTHING}",
        "idempotency-key": "odd",
        "content-type": kind,
    }
    return around.client.call(method, path, headers=headers, **options)


def test_nul_is_refused_wherever_it_stands(around: Region) -> None:
    """In every place of every path and in every parameter of every query, with its name."""
    tried = 0
    for method, path, operation in operations(around):
        places = {name: filled(path, **{name: "%00"}) for name in named(operation, "path")}
        query = {name: f"{filled(path)}?{name}=%00" for name in named(operation, "query")}
        for name, asked in (places | query).items():
            answer = call(around, method, asked)
            assert answer.status_code == 400, (method, asked, answer.text)
            (fault,) = answer.json()["invalidParams"]
            assert fault["name"] == name
            tried += 1
    assert tried > len(WAYS)


def test_a_body_of_every_call_has_one_meaning(around: Region) -> None:
    """What only some parsers read, or no store keeps, is refused before anything is done."""
    for method, path, operation in operations(around):
        if "requestBody" not in operation or path.startswith(OWN_SHAPE):
            continue
        kind = next(one for one in operation["requestBody"]["content"] if one.endswith("json"))
        for code, content in BODIES.items():
            answer = call(around, method, filled(path), kind, content=content)
            assert answer.status_code == 400, (path, code, answer.text)
            assert [one["code"] for one in answer.json()["invalidParams"]] == [code], (path, code)


@pytest.mark.parametrize("query", ["%00=1", "a=1&a=%00"])
def test_nul_is_refused_in_a_query_that_nobody_reads(around: Region, query: str) -> None:
    """A parameter without a name of ours is called the query's."""
    answer = call(around, "GET", f"/v1/me?{query}")

    assert answer.status_code == 400
    assert answer.json()["invalidParams"][0]["code"] == "nul"


def test_a_refusal_names_no_key_that_may_be_a_number_of_a_person(around: Region) -> None:
    """What is a name is said, so that its sender finds it."""
    body = json.dumps({"85.07.30-033.28": 1, "grace_hour": 1}).encode()
    answer = call(around, "POST", "/v1/subscriptions", "application/json", content=body)
    names = {one["name"] for one in answer.json()["invalidParams"]}

    assert (answer.status_code, names) == (400, {"url", "?", "grace_hour"})


def test_no_odd_value_is_a_failure(around: Region) -> None:
    """Each in every path and query, and a parameter given twice: answered or refused."""
    for method, path, operation in operations(around):
        places, queries = named(operation, "path"), named(operation, "query")
        asked = [filled(path, **{name: odd}) for name in places for odd in ODD]
        asked += [f"{filled(path)}?{name}={odd}" for name in queries for odd in ODD]
        asked += [f"{filled(path)}?{name}=1&{name}=2" for name in queries]
        for one in asked:
            answer = call(around, method, one)
            assert answer.status_code < 500, (method, one[:200], answer.text)


def test_no_odd_body_is_a_failure(around: Region) -> None:
    """Whatever stands at the top, and whatever it is said to be."""
    for method, path, operation in operations(around):
        if method != "POST":
            continue
        for content in TOPS:
            for kind in [*operation.get("requestBody", {}).get("content", {}), "text/plain"]:
                answer = call(around, method, filled(path), kind, content=content)
                assert answer.status_code < 500, (path, kind, content[:20], answer.text)
