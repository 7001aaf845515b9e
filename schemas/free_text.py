"""What does not belong in free text: numbers that identify, and words about health.

Which field is what stands on the Avro field, as `text_kind`:

    note       somebody's own words about a person or a case: numbers and health words are refused
    public     words that everybody may read, such as an offer's: numbers are refused
    name       what a person, an organisation, a place or a function is called: numbers are refused
    reference  a number or code of somebody's own making: numbers that identify are refused

The word list is data (`free_text.yaml`), conservative on purpose: a refusal that nobody
understands is worked around.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import yaml
from stdnum import iban

from schemas.identifiers import looks_like_insz

if TYPE_CHECKING:
    from datetime import date

NOTE: Final = "note"
KINDS: Final = frozenset({NOTE, "public", "name", "reference"})

_SHORTEST_NUMBER: Final = 11
_IBAN = re.compile(r"(?<![A-Z0-9])(?=([A-Z]{2}[0-9]{2}(?:[ .\-]?[0-9A-Z]){11,30}))", re.ASCII)
_IBAN_SEPARATORS = str.maketrans("", "", " .-")
_SHORTEST_IBAN, _LONGEST_IBAN = 15, 34


@dataclass(frozen=True, slots=True, eq=False)
class WordList:
    """The health words of one period; compiled once."""

    version: int
    valid_from: date
    words: re.Pattern[str]
    allowed: re.Pattern[str]

    def mentions_health(self, text: str) -> bool:
        """Tell whether a text holds one of the words as a whole word."""
        plain = _plain(text)
        return self.words.search(self.allowed.sub(" ", plain)) is not None


def holds_number(text: str) -> bool:
    """Tell whether a text holds an INSZ or an IBAN, however it is spaced or punctuated."""
    if len(text) < _SHORTEST_NUMBER:
        return False
    return looks_like_insz(text) or _holds_iban(text)


def word_list(on: date | None = None) -> WordList:
    """Return the health words of a day; those in force last when no day is given."""
    known = word_lists()
    if on is None:
        return known[-1]
    return next((one for one in reversed(known) if one.valid_from <= on), known[0])


@cache
def word_lists() -> tuple[WordList, ...]:
    """Return every word list, oldest first; reads the file once a process."""
    entries = yaml.safe_load((files("schemas") / "free_text.yaml").read_text(encoding="utf-8"))
    return tuple(
        WordList(
            version=entry["version"],
            valid_from=entry["valid_from"],
            words=_whole(entry["words"]),
            allowed=_whole(entry["except"]),
        )
        for entry in entries
    )


def _whole(words: list[str]) -> re.Pattern[str]:
    # The longest first, so that a phrase goes before a word that it begins with.
    plain = sorted((_plain(word) for word in words), key=len, reverse=True)
    joined = "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in plain)
    return re.compile(rf"(?<!\w)(?:{joined})(?!\w)")


def _plain(text: str) -> str:
    """Without case and accents, as people mistype them."""
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text).casefold()
        if not unicodedata.combining(letter)
    )


def _holds_iban(text: str) -> bool:
    return any(_begins_with_iban(match.group(1)) for match in _IBAN.finditer(text.upper()))


def _begins_with_iban(found: str) -> bool:
    """Whether an account number stands at the start; words may follow it without a separator."""
    joined = found.translate(_IBAN_SEPARATORS)
    ends = range(_SHORTEST_IBAN, min(len(joined), _LONGEST_IBAN) + 1)
    return any(iban.is_valid(joined[:end], check_country=False) for end in ends)
