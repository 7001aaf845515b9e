"""Examples: at least two an event type, valid, in normal form and about nobody real."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from schemas import identifiers
from schemas.catalogue import EventType, catalogue
from schemas.codec import decode, decode_submitted, encode, frame, merge_staff, parse, split_staff

FOLDER = Path(__file__).parents[2] / "schemas" / "examples"
EVENTS = catalogue().all()
SYNTHETIC_KBO = re.compile(r"urn:be:kbo:[12]999[0-9]{6}")


class Example(NamedTuple):
    """One example file."""

    event: EventType
    name: str
    data: dict[str, Any]


EXAMPLES = tuple(
    Example(event, f"{event.name}/{path.stem}", orjson.loads(path.read_bytes()))
    for event in EVENTS
    for path in sorted((FOLDER / event.name).glob("*.json"))
)


def named(part: Example | EventType) -> str:
    """Give a readable id for a parameter."""
    return part.name


def test_every_folder_is_an_event() -> None:
    """No example is left over of an event that is gone."""
    assert {path.name for path in FOLDER.iterdir()} == set(catalogue().names)


@pytest.mark.parametrize("event", EVENTS, ids=named)
def test_two_different_examples_an_event(event: EventType) -> None:
    """A newcomer sees the least that can be sent and what more there is."""
    bodies = [orjson.dumps(data) for found, _, data in EXAMPLES if found is event]
    assert len(set(bodies)) >= 2


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_example_is_valid_and_in_normal_form(example: Example) -> None:
    """Parsing an example changes nothing."""
    event, _, data = example
    assert parse(event, data, environment="test") == data


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_example_survives_every_form(example: Example) -> None:
    """Through Avro, through a partner's bytes, and apart from its staff contacts, it is itself."""
    event, _, data = example
    body = encode(event, data)
    assert decode(event, body) == data
    assert decode_submitted(frame(event.schema_id, body)) == (event, data)
    main, staff = split_staff(event, data)
    assert merge_staff(decode(event, encode(event, main)), staff) == data


@pytest.mark.parametrize("event", EVENTS, ids=named)
def test_examples_show_every_field(event: EventType) -> None:
    """Between them the examples use every field but those that exclude another."""
    shown = set().union(*(paths(data, "") for found, _, data in EXAMPLES if found is event))
    hidden = {field.path for field in event.fields} - shown
    assert all(".household." in path for path in hidden), hidden


def paths(value: Any, prefix: str) -> set[str]:
    """Give the leaf paths of plain JSON data."""
    if isinstance(value, dict):
        return set().union(*(paths(item, f"{prefix}.{name}") for name, item in value.items()))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return set().union(*(paths(item, f"{prefix}[]") for item in value))
    return {prefix.removeprefix(".")}


@pytest.mark.parametrize("example", EXAMPLES, ids=named)
def test_example_is_about_nobody(example: Example) -> None:
    """Numbers, addresses and organisations come from ranges that nobody real is in."""
    data = example.data
    text = orjson.dumps(data).decode()
    assert len(SYNTHETIC_KBO.findall(text)) == text.count("urn:be:kbo:")
    assert set(re.findall(r"@([a-z.]+)", text)) <= {"example.org"}
    assert all(phone.startswith("+32000") for phone in re.findall(r"\+\d+", text))
    if "insz" in data:
        assert identifiers.insz(data["insz"], "test")
