"""The JSON Schemas of events' data agree with the validation that the hub does."""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from schemas.codec import parse
from schemas.errors import SchakelError
from schemas.json_schema import components
from tests.schemas.test_examples import EVENTS, EXAMPLES, Example, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.catalogue import EventType


@cache
def validator(event: EventType) -> Draft202012Validator:
    """A validator of one event's data, with every component at hand."""
    schema = {
        "$ref": f"#/components/schemas/{event.record}",
        "components": {"schemas": components()},
    }
    return Draft202012Validator(schema, format_checker=FormatChecker())


def is_valid(event: EventType, data: Any) -> bool:
    """Whether the data fits the schema."""
    return bool(validator(event).is_valid(data))


def is_accepted(event: EventType, data: Any) -> bool:
    """Whether the hub takes the data."""
    try:
        parse(event, data, environment="test")
    except SchakelError:
        return False
    return True


@pytest.mark.parametrize("name", components())
def test_each_is_a_schema(name: str) -> None:
    """Every component is a schema, and says what it is about."""
    Draft202012Validator.check_schema(components()[name])
    assert components()[name]["description"]


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_every_example_fits(example: Example) -> None:
    """The committed examples are valid, and are shown with the schema."""
    assert list(validator(example.event).iter_errors(example.data)) == []
    assert example.data in components()[example.event.record]["examples"]


def spoiled(data: Any) -> Iterator[tuple[str, Any]]:
    """The data with one thing wrong each, by what was done to it."""
    yield "no object", [data]
    yield "an unknown field", {**data, "unheard_of": 1}
    for path, value in leaves(data, ()):
        for what, wrong in wrongs(value):
            changed = copy.deepcopy(data)
            place = changed
            for part in path[:-1]:
                place = place[part]
            place[path[-1]] = wrong
            yield f"{'.'.join(map(str, path))}: {what}", changed
    for name in data:
        yield f"no {name}", {other: value for other, value in data.items() if other != name}


def leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every place in plain JSON below the top, with its value."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))


def wrongs(value: Any) -> Iterator[tuple[str, Any]]:
    """Values of another type, out of bounds, or empty."""
    yield "null", None
    if isinstance(value, str):
        yield from (("a number", 7), ("empty", ""), ("too long", "x" * 5001), ("odd", "?"))
    elif isinstance(value, bool):
        yield "a text", "true"
    elif isinstance(value, int | float):
        yield from (("a text", str(value)), ("far too large", 10**12))
    elif isinstance(value, list):
        yield from (("a text", "x"), ("empty", []))
    else:
        yield from (("a list", [value]), ("an unknown field", {**value, "unheard_of": 1}))


@pytest.mark.parametrize("event", EVENTS, ids=named)
def test_schema_and_hub_agree_on_what_is_wrong(event: EventType) -> None:
    """Each example with one thing wrong is refused by the schema if and only if the hub refuses."""
    different = [
        (what, is_valid(event, data))
        for found, _, example in EXAMPLES
        if found is event
        for what, data in spoiled(example)
        if is_valid(event, data) != is_accepted(event, data)
    ]

    assert different == []


def test_something_is_refused() -> None:
    """The comparison above is not one of two that accept everything."""
    refused = [
        what for what, data in spoiled(EXAMPLES[0].data) if not is_valid(EXAMPLES[0].event, data)
    ]

    assert len(refused) > 3
