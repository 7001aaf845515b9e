"""Code lists: what each code means in Dutch and English, and from when to when it may be used.

One file a list under `codelists/`, versioned; a list either stands behind an enum of the schemas
or, as the activity list, is open and checked as data (`domain.md` §3.6). Programmes are open as
well: the rules say which there are, and this list names those that come with the hub.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from schemas.errors import Message, UnknownCodeList

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class Code:
    """One code. `valid_to` is the last day on which a new event may use it."""

    code: str
    label: Message
    valid_from: date | None = None
    valid_to: date | None = None

    def valid_on(self, on: date) -> bool:
        """Tell whether a new event of that day may use the code."""
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_to is None or on <= self.valid_to
        )


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list. `codes` keeps the order of the file, which is the order for people."""

    name: str
    version: int
    title: Message
    codes: dict[str, Code] = field(repr=False)
    source: str | None = None


@cache
def code_list(name: str) -> CodeList:
    """Return a code list; reads its file once a process.

    Raises:
        UnknownCodeList: there is no such list.
    """
    entry = files("schemas") / "codelists" / f"{name}.yaml"
    if not name.isidentifier() or not entry.is_file():
        raise UnknownCodeList(
            Message(nl=f"Er is geen codelijst {name}.", en=f"There is no code list {name}.")
        )
    document = yaml.safe_load(entry.read_text(encoding="utf-8"))
    return CodeList(
        name=name,
        version=document["version"],
        title=Message(**document["title"]),
        codes={code: _code(code, entry) for code, entry in document["codes"].items()},
        source=document.get("source"),
    )


def _code(code: str, entry: dict[str, Any]) -> Code:
    return Code(
        code, Message(entry["nl"], entry["en"]), entry.get("valid_from"), entry.get("valid_to")
    )


def code_lists() -> tuple[CodeList, ...]:
    """Return every code list, by name."""
    names = (
        entry.name.removesuffix(".yaml")
        for entry in (files("schemas") / "codelists").iterdir()
        if entry.name.endswith(".yaml")
    )
    return tuple(code_list(name) for name in sorted(names))


def label(list_name: str, code: str, language: str) -> str:
    """Return the label of a code for people; the code itself when the list does not have it.

    Raises:
        UnknownCodeList: there is no such list.
    """
    found = code_list(list_name).codes.get(code)
    return found.label.text(language) if found else code
