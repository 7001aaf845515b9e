"""Compatibility: what breaks a reader is found, what does not is let through."""

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from schemas.catalogue import catalogue
from schemas.compatibility import check, check_published, fingerprint
from schemas.errors import InvalidSchema
from schemas.fingerprint import essence
from schemas.publication import framed_records

EVENT = "placement.hours_reported"
Change = Callable[[dict[str, Any]], None]


def schema() -> dict[str, Any]:
    """Give a schema to change."""
    return copy.deepcopy(catalogue().event(EVENT).schema)


def field(changed: dict[str, Any], name: str) -> dict[str, Any]:
    """Give a field of a schema by its name."""
    found: dict[str, Any] = next(entry for entry in changed["fields"] if entry["name"] == name)
    return found


def add_mandatory_field(changed: dict[str, Any]) -> None:
    """Old bodies have no value for it."""
    changed["fields"].append({"name": "shift", "type": "string"})


def make_mandatory(changed: dict[str, Any]) -> None:
    """Old bodies may hold null."""
    field(changed, "period").update(type="string")
    del field(changed, "period")["default"]


def change_type(changed: dict[str, Any]) -> None:
    """A number is no text."""
    field(changed, "period")["type"][1] = "int"


def widen_type(changed: dict[str, Any]) -> None:
    """Old readers cannot read a long."""
    field(changed, "cheques")["type"][1] = "long"


def change_scale(changed: dict[str, Any]) -> None:
    """The same bytes would mean ten times as many hours."""
    field(changed, "hours")["type"][1]["scale"] = 1


def date_to_number(changed: dict[str, Any]) -> None:
    """The same bytes would no longer be a day."""
    items = field(changed, "absences")["type"][1]["items"]
    field(items, "date")["type"][1] = "int"


def rename_record(changed: dict[str, Any]) -> None:
    """Readers resolve records by name."""
    changed["name"] = "HoursReported"


def drop_enum_default(changed: dict[str, Any]) -> None:
    """Without it a new symbol breaks an old reader."""
    items = field(changed, "absences")["type"][1]["items"]
    kind = field(items, "kind")["type"][1]
    del kind["default"]
    kind["symbols"].remove("absent_with_notice")


BREAKING: tuple[Change, ...] = (
    add_mandatory_field,
    make_mandatory,
    change_type,
    widen_type,
    change_scale,
    date_to_number,
    rename_record,
    drop_enum_default,
)


def add_optional_field(changed: dict[str, Any]) -> None:
    """Old bodies get null, old readers skip it."""
    changed["fields"].append({"name": "shift", "type": ["null", "string"], "default": None})


def remove_field(changed: dict[str, Any]) -> None:
    """Every field has a default, so that any may go."""
    changed["fields"].remove(field(changed, "cheques"))


def add_symbol(changed: dict[str, Any]) -> None:
    """Old readers see UNKNOWN."""
    items = field(changed, "absences")["type"][1]["items"]
    field(items, "kind")["type"][1]["symbols"].append("absent_at_random")


def reword(changed: dict[str, Any]) -> None:
    """Documentation and classes are no part of the wire."""
    changed["doc"] = "Other words."
    field(changed, "period").update(doc="Other words.", audience=["all"])


HARMLESS: tuple[Change, ...] = (add_optional_field, remove_field, add_symbol, reword)


@pytest.mark.parametrize("change", BREAKING, ids=lambda change: change.__name__)
def test_breaking_change_is_found(change: Change) -> None:
    """Against the schema it changes, and against what was published."""
    changed = schema()
    change(changed)
    found = check(changed, [schema()])
    assert found
    assert all(problem.message for problem in found)
    if change is not rename_record:
        assert check_published("PlacementHoursReported", changed)


@pytest.mark.parametrize("change", HARMLESS, ids=lambda change: change.__name__)
def test_harmless_change_passes(change: Change) -> None:
    """What full compatibility allows is allowed."""
    changed = schema()
    change(changed)
    assert check(changed, [schema()]) == []
    assert check_published("PlacementHoursReported", changed) == []


def test_every_earlier_schema_counts() -> None:
    """Compatible with the last is not enough: topics and ledgers hold the older ones too."""
    oldest, middle, newest = schema(), schema(), schema()
    change_type(oldest)
    remove_field(middle)
    middle["fields"].remove(field(middle, "period"))
    assert check(middle, [oldest]) == []
    assert check(newest, [middle]) == []
    (first, *_) = check(newest, [oldest, middle])
    assert first.against == 0


def test_both_directions_are_checked() -> None:
    """A new reader of old data and an old reader of new data."""
    changed = schema()
    add_mandatory_field(changed)
    assert {problem.direction for problem in check(changed, [schema()])} == {"backward"}
    assert {problem.direction for problem in check(schema(), [changed])} == {"forward"}


@pytest.mark.parametrize("fields", [[1], [{}], None, 1, "ab"], ids=str)
def test_fields_of_what_is_no_record_are_nothing(fields: Any) -> None:
    """The parser does not look at them, so they may be anything."""
    changed = schema()
    field(changed, "header")["type"] = ["null", {"type": "string", "fields": fields}]

    assert check(changed, [schema()])


def test_a_type_that_stands_in_no_data_is_refused() -> None:
    """Avro has records of errors for its calls; they parse, and nothing can be said of them."""
    changed = schema()
    field(changed, "period")["type"] = {"type": "error", "name": "Failure", "fields": []}

    with pytest.raises(InvalidSchema):
        check(changed, [changed])


STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    2**53 - 1,
    "",
    "int",
    "record",
    "error",
    [],
    {},
    [1],
    [{}],
    ["null", ["null"]],
    {"type": "array"},
    {"type": "map", "values": []},
    {"type": "enum", "name": "E", "symbols": [1]},
    {"type": "fixed", "name": "F", "size": "x"},
    {"type": "string", "logicalType": []},
    {"type": "bytes", "logicalType": "decimal", "precision": "a", "scale": []},
)


STRANGE_KEYS = ("fields", "items", "symbols", "logicalType", "default")


def parts(value: Any) -> Iterator[dict[str, Any] | list[Any]]:
    """Give all objects and lists in a schema."""
    if isinstance(value, (dict, list)):
        if value:
            yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from parts(inner)


def test_no_change_of_a_schema_is_more_than_invalid() -> None:
    """Anybody may ask: whatever stands where, it is compared or refused, and nobody is warned."""
    dice = random.Random(3)  # noqa: S311 - a seed, so that a failure comes again
    for _ in range(200):
        changed = schema()
        for _ in range(dice.randint(1, 3)):
            part: Any = dice.choice(list(parts(changed)))
            key = dice.choice(
                [*part, *STRANGE_KEYS] if isinstance(part, dict) else range(len(part))
            )
            part[key] = copy.deepcopy(dice.choice(STRANGE))
        with suppress(InvalidSchema):
            check(changed, [schema()])


@pytest.mark.parametrize("record", framed_records())
def test_nothing_breaks_what_was_published(record: str) -> None:
    """A breaking change of a file in `avro/` fails here."""
    assert check_published(record, framed_records()[record]) == []


def test_fingerprint_is_of_what_readers_act_on() -> None:
    """Words and classes keep it; types, logical types, defaults and names change it."""
    reworded, retyped = schema(), schema()
    reword(reworded)
    date_to_number(retyped)
    assert fingerprint(reworded) == fingerprint(schema()) == fingerprint(essence(schema()))
    assert fingerprint(retyped) != fingerprint(schema())
