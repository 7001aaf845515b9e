"""Reads a document that people write (an agreement, a rule set) and lists all that is wrong in it.

An unknown key or value is a fault: what a reader does not understand may not be silently allowed.
Each method returns something usable also after a fault, so that reading goes on to the next one;
the caller looks at `faults` at the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from schemas.errors import InvalidIdentifier, InvalidParam, Message

_LONGEST_TEXT: Final = 500
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?", re.ASCII)


class Faults:
    """The faults found so far, in order of finding."""

    def __init__(self) -> None:
        self.found: list[InvalidParam] = []

    def add(self, path: str, code: str, nl: str, en: str) -> None:
        """Note one fault."""
        self.found.append(InvalidParam(name=path, code=code, reason=Message(nl=nl, en=en)))


class Section:
    """One object of the document, its keys checked on creation.

    Args:
        value: what stands there; anything but an object is a fault and reads as empty.
        path: where it stands, such as `grants[0]`; empty for the document itself.
        known: every key that may occur.
        required: those that have to.
        faults: where faults are noted.
    """

    def __init__(
        self,
        value: Any,
        path: str,
        *,
        known: frozenset[str],
        required: frozenset[str],
        faults: Faults,
    ) -> None:
        self._faults = faults
        self._prefix = f"{path}." if path else ""
        self._values: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            faults.add(path or "document", "not_an_object", "Is geen object.", "Is no object.")
            return
        for key in self._values:
            if key not in known:
                nl, en = "Deze sleutel bestaat niet.", "There is no such key."
                faults.add(f"{self._prefix}{str(key)[:64]}", "unknown_key", nl, en)
        for key in sorted(required - self._values.keys()):
            faults.add(f"{self._prefix}{key}", "missing", "Ontbreekt.", "Missing.")

    def _fault(self, key: str, code: str, nl: str, en: str) -> None:
        self._faults.add(f"{self._prefix}{key}", code, nl, en)

    def raw(self, key: str) -> Any:
        """Return what stands at a key as it is; None when absent."""
        return self._values.get(key)

    def text(self, key: str, accept: Callable[[str], bool] | None = None) -> str | None:
        """Return a text; a fault when it is empty, longer than 500 characters or not accepted."""
        value = self._values.get(key)
        if value is None:
            return None
        good = isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_TEXT
        if not good or (accept is not None and not accept(value)):
            self._fault(key, "invalid_format", "Heeft een verkeerde vorm.", "Has a wrong form.")
            return None
        return str(value)

    def one_of(self, key: str, allowed: frozenset[str]) -> str | None:
        """Return a text out of a closed list."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or value not in allowed:
            self._unknown(key, allowed)
            return None
        return value

    def many_of(self, key: str, accept: Callable[[str], bool], hint: str) -> tuple[str, ...]:
        """Return a list of texts, at least one, none twice; `hint` says what is accepted."""
        values = self._values.get(key)
        if values is None:
            return ()
        if not isinstance(values, list) or not values:
            nl, en = "Moet een lijst met minstens één waarde zijn.", "Has to be a non-empty list."
            self._fault(key, "not_a_list", nl, en)
            return ()
        for place, value in enumerate(values):
            if not isinstance(value, str) or not accept(value):
                nl, en = f"Onbekende waarde; {hint}.", f"Unknown value; {hint}."
                self._fault(f"{key}[{place}]", "unknown_value", nl, en)
            elif value in values[:place]:
                self._fault(f"{key}[{place}]", "duplicate", "Staat er tweemaal.", "Occurs twice.")
        return tuple(value for value in values if isinstance(value, str))

    def identifier(self, key: str, check: Callable[[str], str]) -> str | None:
        """Return an identifier in its canonical form."""
        value = self._values.get(key)
        if value is None:
            return None
        return checked_identifier(value, f"{self._prefix}{key}", check, self._faults)

    def day(self, key: str) -> date | None:
        """Return a date written `YYYY-MM-DD`."""
        value = self._values.get(key)
        if value is None:
            return None
        try:
            return date.fromisoformat(value if len(value) == len("YYYY-MM-DD") else "")
        except (TypeError, ValueError):
            self._fault(key, "invalid_format", "Moet JJJJ-MM-DD zijn.", "Has to be YYYY-MM-DD.")
            return None

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        value = self._values.get(key)
        if value is not None and not isinstance(value, bool):
            self._fault(key, "invalid_format", "Moet true of false zijn.", "Is not true or false.")
            return None
        return value

    def count(self, key: str) -> int | None:
        """Return a whole number of zero or more."""
        value = self._values.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            nl, en = "Moet een geheel getal vanaf 0 zijn.", "Has to be a whole number from 0."
            self._fault(key, "invalid_format", nl, en)
            return None
        return value

    def decimal(self, key: str) -> Decimal | None:
        """Return an amount, written as text such as "4.10"."""
        value = self._values.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            nl, en = 'Moet een bedrag als "4.10" zijn.', 'Has to be an amount as "4.10".'
            self._fault(key, "invalid_format", nl, en)
            return None
        return Decimal(value)

    def items(self, key: str) -> Iterator[tuple[str, Any]]:
        """Yield the path and value of each item of a list that may not be empty."""
        values = self._values.get(key)
        if values is None:
            return
        if not isinstance(values, list) or not values:
            nl, en = "Moet een lijst met minstens één waarde zijn.", "Has to be a non-empty list."
            self._fault(key, "not_a_list", nl, en)
            return
        for place, value in enumerate(values):
            yield f"{self._prefix}{key}[{place}]", value

    def _unknown(self, key: str, allowed: frozenset[str]) -> None:
        listed = ", ".join(sorted(allowed))
        nl, en = f"Onbekende waarde; mogelijk: {listed}.", f"Unknown value; possible: {listed}."
        self._fault(key, "unknown_value", nl, en)


def checked_identifier(
    value: Any, path: str, check: Callable[[str], str], faults: Faults
) -> str | None:
    """Return an identifier in its canonical form, or note the fault."""
    if not isinstance(value, str):
        faults.add(path, "not_a_text", "Moet tekst zijn.", "Has to be text.")
        return None
    try:
        return check(value)
    except InvalidIdentifier as error:
        faults.found.append(error.param(path))
        return None


def plain(value: Any) -> Any:
    """Return a document as plain JSON: YAML reads unquoted dates as dates, JSON has none."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    return value
