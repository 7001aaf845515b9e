"""Programme rules as effective-dated data: what a programme allows on a day, under which law.

There is no decree yet on samenlevingsjobs, so no rule of a programme is code (`domain.md` §3.7).
A rule set is never edited once it is in force; a change is a new one. A value that is not set is
None, is not checked, and the decision says `rule_unset`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import yaml

from schemas import roles
from schemas.documents import Faults, Section, plain
from schemas.errors import InvalidProgramme, Message, UnknownProgramme
from schemas.rule_set import DRAFT, ENDED, PUBLISHED, STATUSES, AcquiredRight, Parameters, RuleSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["AcquiredRight", "Parameters", "ProgrammeRules", "RuleSet", "shipped_rules"]

SHARED: Final = "parameters"
"""The file that every programme's own values stand on."""
MEMO_LIMIT: Final = 10_000
"""Remembered answers; past it they are forgotten, so that nothing grows."""


@dataclass(frozen=True, slots=True)
class Period:
    """What holds for every programme between two days, unless its own rule set says otherwise."""

    valid_from: date
    valid_to: date | None
    values: Mapping[str, Any]

    def holds(self, on: date) -> bool:
        """Whether the day lies in it."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)


@dataclass(frozen=True, slots=True)
class ProgrammeRules:
    """The rules of every programme, at every date. Nothing in it ever changes.

    Answers are remembered, so that asking again costs a look-up.

    Attributes:
        own: the rule sets of each programme, oldest first.
        shared: the parameters that every programme stands on, oldest first.
    """

    own: Mapping[str, tuple[RuleSet, ...]]
    shared: tuple[Period, ...] = ()
    _memo: dict[tuple[str, date], RuleSet] = field(default_factory=dict, repr=False, compare=False)

    def programmes(self) -> tuple[str, ...]:
        """The codes of all programmes that have rules."""
        return tuple(sorted(self.own))

    def rule_sets(self, programme: str) -> tuple[RuleSet, ...]:
        """Every rule set of a programme, oldest first, without the shared parameters.

        Raises:
            UnknownProgramme: no programme has this code.
        """
        found = self.own.get(programme)
        if found is None:
            raise UnknownProgramme(
                Message(
                    nl="Dit programma bestaat niet in de regels van de hub.",
                    en="The hub has no rules for this programme.",
                )
            )
        return found

    def rule_set(self, programme: str, on: date) -> RuleSet:
        """The rules of a programme on a day.

        A day after the last period gets the last rule set with status `ended`; one before the
        first gets the first with status `published`, as it was known but not in force.

        Raises:
            UnknownProgramme: no programme has this code.
        """
        key = (programme, on)
        found = self._memo.get(key)
        if found is None:
            if len(self._memo) >= MEMO_LIMIT:
                self._memo.clear()
            found = self._memo[key] = self._on(programme, on)
        return found

    def on(self, day: date) -> dict[str, RuleSet]:
        """The rules of every programme on a day."""
        return {one: self.rule_set(one, day) for one in self.programmes()}

    def _on(self, programme: str, on: date) -> RuleSet:
        known = self.rule_sets(programme)
        for candidate in reversed(known):
            if candidate.valid_from <= on:
                over = candidate.valid_to is not None and candidate.valid_to < on
                found = replace(candidate, status=ENDED) if over else candidate
                return self._with_shared(found, on)
        return self._with_shared(replace(known[0], status=PUBLISHED), on)

    def _with_shared(self, own: RuleSet, on: date) -> RuleSet:
        """Fill in, from the shared parameters of that day, what the programme does not set."""
        values: Mapping[str, Any] = {}
        for period in self.shared:
            if period.holds(on):
                values = period.values
        missing = {name: value for name, value in values.items() if getattr(own, name) is None}
        return replace(own, **missing, left_open=own.left_open - missing.keys())


@cache
def shipped_rules() -> ProgrammeRules:
    """The rules that come with the hub.

    Raises:
        InvalidProgramme: the data that ships with the hub is faulty.
    """
    names = (
        entry.name.removesuffix(".yaml")
        for entry in files("schemas").joinpath("programmes").iterdir()
    )
    own = {name: read_rule_sets(name, _read(name)) for name in sorted(names) if name != SHARED}
    return ProgrammeRules(own, _shared_periods())


def read_rule_sets(programme: str, entries: Any) -> tuple[RuleSet, ...]:
    """Read the rule sets of one programme from parsed YAML.

    Raises:
        InvalidProgramme: listing every unknown key, wrong value, gap in order or overlap.
    """
    faults = Faults()
    listed = entries if isinstance(entries, list) else []
    if not listed:
        faults.add("document", "not_a_list", "Is geen lijst.", "Is no list.")
    found = [
        _rule_set(programme, plain(entry), f"[{place}]", faults)
        for place, entry in enumerate(listed)
    ]
    for place, (older, newer) in enumerate(pairwise(found), start=1):
        if older.valid_to is None or older.valid_to >= newer.valid_from:
            nl, en = "Overlapt met de vorige.", "Overlaps with the one before."
            faults.add(f"[{place}].valid_from", "overlap", nl, en)
    _raise_for(programme, faults)
    return tuple(found)


def _rule_set(programme: str, entry: Any, path: str, faults: Faults) -> RuleSet:
    section = Section(entry, path, known=_HEAD, required=_HEAD - _OPTIONAL, faults=faults)
    channels = section.raw("endorsement_required_from")
    if not isinstance(channels, list) or not roles.PARTNER_LETTERS.issuperset(channels):
        nl, en = "Moet een lijst van rolletters zijn.", "Has to be a list of role letters."
        faults.add(f"{path}.endorsement_required_from", "unknown_value", nl, en)
        channels = []
    right = section.raw("acquired_right")
    parameters = section.raw("parameters")
    return RuleSet(
        programme=programme,
        version=section.text("version") or "",
        status=section.one_of("status", STATUSES) or DRAFT,
        valid_from=section.day("valid_from") or date.min,
        valid_to=section.day("valid_to"),
        legal_reference=section.text("legal_reference"),
        sources=tuple(str(source) for source in section.raw("sources") or ()),
        endorsement_required_from=frozenset(channels),
        acquired_right=None
        if right is None
        else AcquiredRight(**_values(AcquiredRight, right, f"{path}.acquired_right", faults)),
        left_open=_left_open(parameters),
        **_values(Parameters, parameters, f"{path}.parameters", faults),
    )


def _left_open(parameters: Any) -> frozenset[str]:
    named = parameters if isinstance(parameters, dict) else {}
    return frozenset(name for name, value in named.items() if value is None)


def _values(kind: type, value: Any, path: str, faults: Faults) -> dict[str, Any]:
    """Read the values of a dataclass whose fields are all optional, by their annotations."""
    types = {column.name: str(column.type) for column in fields(kind)}
    known = frozenset(types)
    section = Section(value, path, known=known, required=frozenset(), faults=faults)
    readers: dict[str, Callable[[str], Any]] = {
        "bool": section.flag,
        "int": section.count,
        "str": section.text,
        "date": section.day,
        "Decimal": section.decimal,
    }
    found = {name: readers[types[name].partition(" ")[0]](name) for name in types}
    return {name: read for name, read in found.items() if read is not None}


def _shared_periods() -> tuple[Period, ...]:
    faults = Faults()
    periods: list[Period] = []
    for place, entry in enumerate(_read(SHARED)):
        path = f"[{place}]"
        section = Section(plain(entry), path, known=_PERIOD, required=_PERIOD, faults=faults)
        values = _values(Parameters, section.raw("parameters"), f"{path}.parameters", faults)
        periods.append(
            Period(section.day("valid_from") or date.min, section.day("valid_to"), values)
        )
    _raise_for(SHARED, faults)
    return tuple(periods)


def _read(name: str) -> Any:
    source = files("schemas").joinpath("programmes", f"{name}.yaml")
    return yaml.safe_load(source.read_text(encoding="utf-8"))


def _raise_for(programme: str, faults: Faults) -> None:
    if faults.found:
        raise InvalidProgramme(
            Message(
                nl=f"De regels van {programme} bevatten {len(faults.found)} fout(en).",
                en=f"The rules of {programme} hold {len(faults.found)} fault(s).",
            ),
            invalid=faults.found,
        )


_PERIOD: Final = frozenset({"valid_from", "valid_to", "parameters"})
_OPTIONAL: Final = frozenset({"acquired_right"})
_HEAD: Final = (
    _PERIOD
    | _OPTIONAL
    | frozenset({"version", "status", "legal_reference", "sources", "endorsement_required_from"})
)
