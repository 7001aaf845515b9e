"""Strict validation of an event's plain JSON data, compiled once per event type.

Everything that is wrong is reported at once, so that a partner mends a row in one go.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from schemas import avsc, formats, rejection
from schemas.catalogue import catalogue
from schemas.formats import Setting
from schemas.free_text import word_list
from schemas.rejection import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from schemas.catalogue import EventType
    from schemas.formats import Check

Rule = Callable[[dict[str, Any], list[Fault]], None]

MAX_ITEMS: Final = 500
"""Items of one list; the longest that a form or a month of work fills is far below."""

_TOO_MANY = fault("too_many_items", f"Hoogstens {MAX_ITEMS}.", f"At most {MAX_ITEMS} items.")
_TOO_FEW = fault("too_few_items", "Geef er meer.", "Give more of them.")
_ONE_OF = fault("exactly_one", "Geef er precies één van.", "Give exactly one of them.")
_TOO_LOW = fault("too_low", "Dit is minder dan het minimum.", "This is less than the minimum.")
_TOO_EARLY = fault("too_early", "Dit ligt voor het begin.", "This lies before its start.")


def parse(
    event: EventType, data: Mapping[str, Any], *, environment: str, on: date | None = None
) -> dict[str, Any]:
    """Return the normalised plain JSON of an event's data; absent and null are the same.

    INSZ become 11 digits, organisations canonical URNs, decimals strings with all their decimals.
    `on` is the event's day, for what is effective-dated; left out, the latest counts.

    Raises:
        InvalidData: with every field that is wrong (422).
        UnknownFields: among others, fields that the event type does not have (400).
    """
    faults: list[Fault] = []
    setting = Setting(environment, word_list(on))
    parsed: dict[str, Any] = _compiled(event, setting)(data, faults)
    if faults:
        raise rejection.refuse(event, faults)
    return parsed


@cache
def _compiled(event: EventType, setting: Setting) -> Check:
    schema = {**avsc.event_records()[event.record]}
    schema["fields"] = schema["fields"][1:]
    check = _record(schema, setting, partial=event.partial)
    return _correction(event, check) if event.partial else check


@cache
def clearable(event: EventType) -> frozenset[str]:
    """Return the paths that a correcting event may name in `cleared`."""
    corrected = catalogue().event(avsc.event_records()[event.record]["corrects"])
    required = set(_required(avsc.event_records()[corrected.record], ""))
    paths: set[str] = set()
    for field in event.fields:
        path = field.path.partition("[]")[0]
        paths.update(path.rsplit(".", n)[0] for n in range(path.count(".") + 1))
    return frozenset(paths - required - {"cleared"})


def _correction(event: EventType, check: Check) -> Check:
    may_clear = clearable(event)

    def check_correction(value: Any, faults: list[Fault]) -> Any:
        parsed = check(value, faults)
        if not faults and not parsed:
            faults.append(rejection.NOTHING_CHANGED)
        for index, path in enumerate(parsed.get("cleared", ()) if not faults else ()):
            if path not in may_clear or _present(parsed, path):
                bad = fault(
                    "not_clearable",
                    "Dit veld kan niet gewist worden, of krijgt tegelijk een waarde.",
                    "This field cannot be cleared, or is given a value at the same time.",
                    f"cleared[{index}]",
                )
                faults.append(bad)
        return parsed

    return check_correction


def _required(schema: dict[str, Any], prefix: str) -> Iterator[str]:
    """Give the path of every field that a creating event has to hold, records included."""
    for field in schema["fields"]:
        kind = avsc.branch(field)
        if field.get("required"):
            yield prefix + field["name"]
        if isinstance(kind, dict) and kind["type"] == "record" and field["name"] != "header":
            yield from _required(kind, f"{prefix}{field['name']}.")


def _present(data: dict[str, Any], path: str) -> bool:
    value: Any = data
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True


def _record(  # noqa: C901 - one loop over all fields; a call a field would double its cost
    schema: dict[str, Any], setting: Setting, *, partial: bool
) -> Check:
    partial = partial or schema.get("partial", False)
    checks = {
        field["name"]: _value(avsc.branch(field), field, setting, partial=partial)
        for field in schema["fields"]
    }
    check_of, names = checks.get, tuple(checks)
    required = () if partial else tuple(f["name"] for f in schema["fields"] if f.get("required"))
    rules = _rules(schema, partial=partial)

    def check(value: Any, faults: list[Fault]) -> Any:  # noqa: C901 - see above
        parsed: dict[str, Any] = {}
        if not isinstance(value, dict):
            faults.append(rejection.NOT_AN_OBJECT)
            return parsed
        before = len(faults)
        for name, item in value.items():
            check_item = check_of(name)
            if check_item is None:
                faults.append(rejection.unknown_field(str(name), names, faults))
            elif item is not None:
                known = len(faults)
                result = check_item(item, faults)
                if len(faults) > known:
                    _place(faults, known, name)
                # What is empty says as little as what is absent, and is stored as such.
                elif result or name in required or type(result) not in (list, dict):
                    parsed[name] = result
        for name in required:
            if name not in parsed:
                _missing(name, faults, before)
        if rules and len(faults) == before:
            for rule in rules:
                rule(parsed, faults)
        return parsed

    return check


def _missing(name: str, faults: list[Fault], before: int) -> None:
    """Report a required field that is absent, unless it is there and wrong."""
    for path, _, _ in faults[before:]:
        if path == name or path.startswith((f"{name}.", f"{name}[")):
            return
    faults.append((name, "missing", rejection.MISSING))


def _place(faults: list[Fault], start: int, name: str) -> None:
    """Put `name` before the paths of the faults found below it."""
    for index in range(start, len(faults)):
        path, code, reason = faults[index]
        separator = "." if path and not path.startswith("[") else ""
        faults[index] = (f"{name}{separator}{path}", code, reason)


def _value(  # noqa: PLR0911 - one line a type
    kind: Any, field: dict[str, Any], setting: Setting, *, partial: bool
) -> Check:
    if kind == "string":
        return formats.text(field, setting)
    if kind == "boolean":
        return formats.boolean
    if kind in ("int", "long"):
        return formats.whole(field)
    if kind in ("float", "double"):
        return formats.real(field)
    if kind["type"] == "record":
        return _record(kind, setting, partial=partial)
    if kind["type"] == "enum":
        return formats.code(kind["codelist"], frozenset(kind["symbols"]))
    if kind["type"] == "array":
        item = _value(avsc.resolve(kind["items"]), field, setting, partial=False)
        fewest = field.get("min_items", 1 if field.get("required") else 0)
        return _array(item, fewest, partial=partial)
    if kind["logicalType"] == "date":
        return formats.day
    if kind["logicalType"] == "decimal":
        return formats.decimal(kind["precision"], kind["scale"])
    return formats.text(field, setting)


def _array(check_item: Check, fewest: int, *, partial: bool) -> Check:
    def check(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not list:
            faults.append(rejection.NOT_A_LIST)
        elif not value and partial:
            faults.append(rejection.EMPTY_CHANGE)
        elif len(value) < fewest:
            faults.append(_TOO_FEW)
        elif len(value) > MAX_ITEMS:
            faults.append(_TOO_MANY)
        else:
            return _items(value, faults)
        return value

    def _items(value: list[Any], faults: list[Fault]) -> list[Any]:
        parsed = []
        for index, item in enumerate(value):
            known = len(faults)
            parsed.append(check_item(item, faults))
            if len(faults) > known:
                _place(faults, known, f"[{index}]")
        return parsed

    return check


def _rules(schema: dict[str, Any], *, partial: bool) -> tuple[Rule, ...]:
    """Return the rules that tie fields of one record together, as its schema states them."""
    rules: list[Rule] = []
    if "exactly_one_of" in schema and not partial:
        rules.append(_exactly_one(tuple(schema["exactly_one_of"])))
    for field in schema["fields"]:
        for other, code in field.get("required_when", {}).items():
            if not partial:
                rules.append(_required_when(field["name"], other, code))
        if "not_before" in field:
            rules.append(_not_before(field["name"], field["not_before"], _TOO_EARLY))
        if "not_below" in field:
            rules.append(_not_before(field["name"], field["not_below"], _TOO_LOW))
    return tuple(rules)


def _exactly_one(names: tuple[str, ...]) -> Rule:
    def rule(parsed: dict[str, Any], faults: list[Fault]) -> None:
        if sum(name in parsed for name in names) != 1:
            faults.extend((name, *_ONE_OF[1:]) for name in names)

    return rule


def _required_when(name: str, other: str, code: str) -> Rule:
    def rule(parsed: dict[str, Any], faults: list[Fault]) -> None:
        if parsed.get(other) == code and name not in parsed:
            faults.append((name, "missing", rejection.MISSING))

    return rule


def _not_before(name: str, start: str, bad: Fault) -> Rule:
    def rule(parsed: dict[str, Any], faults: list[Fault]) -> None:
        # Dates of one shape sort as text.
        if name in parsed and start in parsed and parsed[name] < parsed[start]:
            faults.append((name, *bad[1:]))

    return rule
