"""Field names, codes, dates and organisations in words that somebody at an OCMW would use."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from connectors.world.organisations import ORGANISATIONS
from schemas import territory
from schemas.catalogue import catalogue
from schemas.codelists import label
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

DAYS = {
    "nl": ["ma", "di", "wo", "do", "vr", "za", "zo"],
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
}
MONTHS = {
    "nl": ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
YES = {"nl": {True: "ja", False: "nee"}, "en": {True: "yes", False: "no"}}
ENUM = "enum:"
NAMES = {one.urn: one.name for one in ORGANISATIONS}
OPEN_LISTS = {
    "programme": "programme",
    "programme_scope": "programme",
    "from_programme": "programme",
    "to_programme": "programme",
    "activity_code": "activity_code",
    "competence": "generic_v1",
}
"""Fields whose codes are no enum of the schema, because others may add to them."""
OF_PARENT = frozenset({"name", "function", "phone", "email", "address", "nis", "min", "max"})
"""Names that say nothing without what they are part of."""
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def day(on: date, language: str) -> str:
    """A day as people say it: wo 7 jan 2026."""
    name, month = DAYS[language][on.weekday()], MONTHS[language][on.month - 1]
    return f"{name} {on.day} {month} {on.year}"


def event_label(name: str, language: str) -> str:
    """What people call an event."""
    return catalogue().event(name).label.text(language)


def field_label(path: str, language: str) -> str:
    """What people call a field, by the last part of its path, and what it is part of."""
    above, _, name = path.replace("[]", "").rpartition(".")
    parent = above.rpartition(".")[2]
    if name in OF_PARENT and parent in _words():
        return f"{_word(parent, language)} {_word(name, language)}"
    return _word(name, language)


def _word(name: str, language: str) -> str:
    found = _words().get(name)
    return name.replace("_", " ") if found is None else found.text(language)


def fields(event: str, data: Mapping[str, Any], language: str) -> Iterator[tuple[str, str]]:
    """The fields of an event's data with their values, in words; ids are left out."""
    types = {one.path: one.type for one in catalogue().event(event).fields}
    seen: dict[str, list[str]] = {}
    for path, value in _leaves(data, ""):
        kind = types.get(path, "")
        if not _is_id(kind, path):
            seen.setdefault(path, []).append(_value(kind, path, value, language))
    for path, values in seen.items():
        yield field_label(path, language), ", ".join(dict.fromkeys(values))


def withheld(paths: tuple[str, ...], language: str) -> str:
    """What somebody does not get to see, in words; ids are left out."""
    words = (field_label(path, language) for path in paths if not path.endswith("_id"))
    return ", ".join(dict.fromkeys(words))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            marked = f"{path}[]" if isinstance(inner, dict) else path
            yield from _leaves(inner, marked)
    else:
        yield path, value


def _is_id(kind: str, path: str) -> bool:
    return "uuid" in kind or path.endswith(("_id", "correction_of", "concerns", "_ref"))


def _value(kind: str, path: str, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return YES[language][value]
    text = str(value)
    if ENUM in kind:
        return _code(kind.partition(ENUM)[2].rstrip(">"), text, language)
    if text in NAMES:
        return NAMES[text]
    if _DATE.fullmatch(text):
        year, month, number = text.split("-")
        return f"{int(number)} {MONTHS[language][int(month) - 1]} {year}"
    return _looked_up(path.rpartition(".")[2], text, language)


def _code(enum: str, code: str, language: str) -> str:
    """The label of a code; a list is named as its enum is, except that of role names."""
    return label(_CAPITAL.sub("_", enum).lower().removesuffix("_name"), code, language)


def _looked_up(name: str, text: str, language: str) -> str:
    """Texts that stand for something else: municipalities, and codes of open lists."""
    if name == "nis":
        return territory.municipality(text).name
    found = OPEN_LISTS.get(name)
    return text if found is None else label(found, text, language)


@cache
def _words() -> dict[str, Message]:
    text = files("connectors.world").joinpath("words.yaml").read_text("utf-8")
    return {name: Message(**entry) for name, entry in yaml.safe_load(text).items()}
