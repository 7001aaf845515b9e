"""How values are written in cells for people: Dutch dates, ja and nee, decimal comma, no formulas.

A cell that a spreadsheet would run as a formula gets an apostrophe before it.
That is done on the way out only: on the way in a value is data, whatever it starts with.
"""

from __future__ import annotations

from datetime import date
from typing import Any

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def neutral(text: str) -> str:
    """The text on one line and never a formula."""
    line = " ".join(text.replace("\r", " ").replace("\n", " ").split(" ")).strip(" ")
    return "'" + line if line.startswith(_FORMULA_STARTS) else line


def plain(value: Any) -> str:
    """A value of an event as text: ja or nee, a list with commas, nothing for nothing."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "ja" if value else "nee"
    if isinstance(value, list):
        return ", ".join(plain(item) for item in value)
    if isinstance(value, dict):
        return " ".join(plain(item) for item in value.values() if item is not None)
    return str(value)


def dutch_date(text: str, form: str) -> str:
    """An ISO date in the partner's form; what is no date stays as it is."""
    try:
        return date.fromisoformat(text[:10]).strftime(form)
    except ValueError:
        return text
