"""The eight verbs of a map: from, const, date, enum, decimal, split, join, default.

    given_name: voornaam                                       # short for {from: voornaam}
    birth_date: {from: geboren, date: "%d/%m/%Y"}
    reason_codes: {from: redenen, split: ",", enum: {ritme: work_rhythm}}
    name: {from: [voornaam, naam], join: " "}

Closed on purpose: no conditions, so that a map can be checked without running it.
What does not fit is a Python function of the connector, named by `call` beside `from`.
An empty cell is absent: it gives the `default`, or nothing at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.errors import RowRefused
from schemas.errors import InvalidParam, Message

VERBS = frozenset({"from", "const", "date", "enum", "decimal", "split", "join", "default"})
Lookup = Callable[[str], Any]
Function = Callable[..., Any]
_MAX_PARTS = 200
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Expression:
    """How one field gets its value from columns; made by `parse_expression`."""

    columns: tuple[str, ...] = ()
    const: Any = None
    dates: tuple[str, ...] = ()
    enum: Mapping[str, Any] | None = None
    decimal: str | None = None
    split: str | None = None
    join: str | None = None
    default: Any = None
    call: str | None = None

    def evaluate(self, look_up: Lookup, functions: Mapping[str, Function]) -> Any:
        """Return the value, or None when it is absent.

        Raises:
            RowRefused: the cell cannot be read as what the map says.
        """
        if not self.columns:
            return self.const
        if self.call is not None:
            value = functions[self.call](*(_cell(look_up(name)) for name in self.columns))
        elif self.join is not None:
            texts = [_text(look_up(name)) for name in self.columns]
            value = self.join.join(text for text in texts if text) or None
        else:
            value = _cell(look_up(self.columns[0]))
        if value is None or value == "":
            return self.default
        if self.split is not None:
            return self._parts(_text(value))
        return self._read(value)

    def _parts(self, text: str) -> list[Any] | None:
        parts = [part.strip() for part in text.split(self.split)]
        if len(parts) > _MAX_PARTS:
            raise self._refused("too_many", "bevat te veel delen", "holds too many parts")
        return [self._read(part) for part in parts if part] or self.default

    def _read(self, value: Any) -> Any:
        if self.enum is not None:
            return self._translated(value)
        if self.dates:
            return self._date(value)
        if self.decimal is not None:
            return self._number(value)
        return value

    def _translated(self, value: Any) -> Any:
        assert self.enum is not None  # noqa: S101 - only called when it is set
        found = self.enum.get(folded(_text(value)))
        if found is None:
            known = ", ".join(sorted(self.enum))
            raise self._refused(
                "not_in_list",
                f"heeft een waarde buiten de lijst: {known}",
                f"is not one of: {known}",
            )
        return found

    def _date(self, value: Any) -> str:
        if isinstance(value, datetime):
            return value.date().isoformat()
        if isinstance(value, date):
            return value.isoformat()
        text = _text(value)
        for form in self.dates:
            try:
                # A calendar date has no zone; the parsed time of day is thrown away.
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007
            except ValueError:
                continue
        forms = " / ".join(readable_date(form) for form in self.dates)
        raise self._refused("not_a_date", f"is geen datum als {forms}", f"is no date like {forms}")

    def _number(self, value: Any) -> str:
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
        text = _text(value)
        mark = self.decimal or "."
        if mark == ",":
            text = text.replace(".", "") if _grouped(text) else text
            if "." in text:
                text = "x"
            text = text.replace(",", ".")
        try:
            number = Decimal(text)
        except InvalidOperation:
            number = Decimal("nan")
        if not number.is_finite() or not re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,9})?", text):
            raise self._refused("not_a_number", "is geen getal", "is not a number")
        return format(number, "f")

    def _refused(self, reason: str, nl: str, en: str) -> RowRefused:
        column = self.columns[0]
        detail = Message(nl=f"Kolom '{column}' {nl}.", en=f"Column '{column}' {en}.")
        return RowRefused(reason, detail, column=column)


def parse_expression(
    document: Any, where: str, functions: Mapping[str, Function], faults: list[InvalidParam]
) -> Expression:
    """Read one entry of a map; every fault is added to `faults` under the name `where`."""
    if isinstance(document, str):
        return Expression(columns=(document,))
    if not isinstance(document, Mapping):
        faults.append(fault(where, "not_an_expression", "is geen kolom of object", "is no column"))
        return Expression()
    faults.extend(
        fault(where, "unknown_verb", f"kent '{verb}' niet", f"does not know '{verb}'")
        for verb in sorted(set(document) - VERBS - {"call"})
    )
    columns = _texts(document.get("from"))
    if ("const" in document) == bool(columns):
        faults.append(
            fault(where, "from_or_const", "heeft from of const nodig", "needs from or const")
        )
    call = document.get("call")
    if call is not None and call not in functions:
        faults.append(fault(where, "unknown_function", "noemt geen functie", "names no function"))
        call = None
    if len(columns) > 1 and call is None and "join" not in document:
        faults.append(fault(where, "join_missing", "heeft join nodig", "needs join"))
    enum = document.get("enum")
    if enum is not None and not isinstance(enum, Mapping):
        faults.append(fault(where, "enum", "heeft geen geldige enum", "has no valid enum"))
        enum = None
    return Expression(
        columns=columns,
        const=document.get("const"),
        dates=_texts(document.get("date")),
        enum=None if enum is None else {folded(_written(k)): v for k, v in enum.items()},
        decimal=_character(document, "decimal"),
        split=_character(document, "split"),
        join=document.get("join") if isinstance(document.get("join"), str) else None,
        default=document.get("default"),
        call=call,
    )


def fault(name: str, code: str, nl: str, en: str) -> InvalidParam:
    """One fault of a map or of a connector's file."""
    return InvalidParam(name, code, Message(nl=f"{name} {nl}.", en=f"{name} {en}."))


def folded(text: str) -> str:
    """How codes and column names are compared: without case, outer and doubled blanks."""
    return " ".join(text.split()).casefold()


def readable_date(form: str) -> str:
    """`%d/%m/%Y` as a person writes it: dd/mm/jjjj."""
    return form.replace("%d", "dd").replace("%m", "mm").replace("%Y", "jjjj").replace("%y", "jj")


def _written(key: Any) -> str:
    # YAML reads `ja`, `nee`, `on` and `off` as booleans in some dialects and 1 as a number.
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key)


def _texts(found: Any) -> tuple[str, ...]:
    if isinstance(found, str):
        return (found,)
    if isinstance(found, Sequence):
        return tuple(str(entry) for entry in found)
    return ()


def _character(document: Mapping[str, Any], verb: str) -> str | None:
    value = document.get(verb)
    return value if isinstance(value, str) and value else None


def _cell(value: Any) -> Any:
    """A cell as it is, without outer blanks; refuses characters that no person types."""
    if not isinstance(value, str):
        return value
    if _CONTROL.search(value):
        raise RowRefused(
            "control_character",
            Message(
                nl="De rij bevat een onzichtbaar stuurteken; verwijder het.",
                en="The row holds an invisible control character; remove it.",
            ),
        )
    return value.strip()


def _text(value: Any) -> str:
    cell = _cell(value)
    return "" if cell is None else str(cell)


def _grouped(text: str) -> bool:
    """Whether points stand where a Dutch writer groups thousands: 1.234.567,89."""
    return re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?", text) is not None
