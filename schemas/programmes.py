"""Programme rules as effective-dated data: what a programme allows on a day, under which law.

There is no decree yet on samenlevingsjobs, so no rule of a programme is code (`domain.md` §3.7).
A rule set is never edited once it is in force; a change is a new one. A value that is not set is
None, is not checked, and the decision says `rule_unset`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import yaml

from schemas.codelists import code_list
from schemas.documents import Faults, Section, plain
from schemas.errors import Message, UnknownProgramme
from schemas.rule_reading import PERIOD, raise_for, read_rule_sets, values_of
from schemas.rule_set import DRAFT, ENDED, PUBLISHED, AcquiredRight, Parameters, RuleSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.conversion import Conversion
    from schemas.rule_publication import RulePublication

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
        labels: names of programmes that were published, for people.
        publications: what was published over the shipped rules, oldest first, withdrawn ones too.
        moves: the conversions that stand.
        base: the rules that everything was published over; None when nothing was.
    """

    own: Mapping[str, tuple[RuleSet, ...]]
    shared: tuple[Period, ...] = ()
    labels: Mapping[str, Message] = field(default_factory=dict)
    publications: tuple[RulePublication, ...] = ()
    base: ProgrammeRules | None = field(default=None, repr=False, compare=False)
    moves: tuple[Conversion, ...] = ()
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
            found = self._memo[key] = self._with_shared(self.own_rule_set(programme, on), on)
        return found

    def label(self, programme: str) -> Message:
        """The name of a programme for people; its code when nobody named it."""
        shipped = code_list("programme").codes.get(programme)
        unnamed = Message(nl=programme, en=programme) if shipped is None else shipped.label
        return self.labels.get(programme, unnamed)

    def conversions(self) -> tuple[Conversion, ...]:
        """Every conversion that was published and neither withdrawn nor overtaken, oldest first."""
        return self.moves

    def withdrawn(self) -> frozenset[str]:
        """The references of publications that a later one takes back."""
        return frozenset(one for later in self.publications for one in later.withdraws)

    def versions(self) -> frozenset[str]:
        """The versions of all rule sets there are, also of proposals that were overtaken."""
        published = (sets for one in self.publications for sets in one.rule_sets.values())
        return frozenset(one.version for sets in (*self.own.values(), *published) for one in sets)

    def published(self, publication: RulePublication) -> ProgrammeRules:
        """These rules and a publication over them.

        From the first day of a programme's new rule sets on, they alone hold: an older one ends
        the day before, and a proposal or a conversion that would have begun later falls away.
        What it withdraws is as if it had never been published.
        """
        base = self.base or self
        listed = (*self.publications, publication)
        gone = {one for later in listed for one in later.withdraws}
        rules = base
        for one in listed:
            rules = (_taken_back if one.reference in gone else _laid)(rules, one)
        return replace(rules, base=base, publications=listed, _memo={})

    def on(self, day: date) -> dict[str, RuleSet]:
        """The rules of every programme on a day."""
        return {one: self.rule_set(one, day) for one in self.programmes()}

    def own_rule_set(self, programme: str, on: date) -> RuleSet:
        """As `rule_set`, without what comes from the parameters that every programme shares."""
        known = self.rule_sets(programme)
        for candidate in reversed(known):
            if candidate.valid_from <= on:
                over = candidate.valid_to is not None and candidate.valid_to < on
                return replace(candidate, status=ENDED) if over else candidate
        return replace(known[0], status=PUBLISHED)

    def _with_shared(self, own: RuleSet, on: date) -> RuleSet:
        """Fill in, from the shared parameters of that day, what the programme does not set."""
        values: Mapping[str, Any] = {}
        for period in self.shared:
            if period.holds(on):
                values = period.values
        missing = {name: value for name, value in values.items() if getattr(own, name) is None}
        return replace(own, **missing, left_open=own.left_open - missing.keys())


def _laid(rules: ProgrammeRules, publication: RulePublication) -> ProgrammeRules:
    own = dict(rules.own)
    for programme, sets in publication.rule_sets.items():
        kept = (_until(one, sets[0].valid_from) for one in own.get(programme, ()))
        own[programme] = (*(one for one in kept if one is not None), *sets)
    begins = {name: sets[0].valid_from for name, sets in publication.rule_sets.items()}
    standing = (one for one in rules.moves if not _is_overtaken(one, begins))
    return replace(
        rules,
        own=own,
        labels={**rules.labels, **publication.labels},
        moves=(*standing, *publication.conversions),
    )


def _taken_back(rules: ProgrammeRules, publication: RulePublication) -> ProgrammeRules:
    """Only the names of new programmes stay, as drafts: a test may have used them."""
    drafts = {
        programme: tuple(replace(one, status=DRAFT, legal_reference=None) for one in sets)
        for programme, sets in publication.rule_sets.items()
        if programme not in rules.own
    }
    labels = {**publication.labels, **rules.labels}
    return replace(rules, own={**rules.own, **drafts}, labels=labels)


def _is_overtaken(conversion: Conversion, begins: Mapping[str, date]) -> bool:
    """Whether one of its programmes has newer rules by the day it would take place."""
    named = (conversion.from_programme, conversion.to_programme)
    return any(begins.get(one, date.max) <= conversion.effective for one in named)


def _until(rules: RuleSet, day: date) -> RuleSet | None:
    """A rule set that ends before a day at the latest; None when it does not begin before."""
    if rules.valid_from >= day:
        return None
    last = day - timedelta(days=1)
    ends = last if rules.valid_to is None else min(rules.valid_to, last)
    return replace(rules, valid_to=ends)


@cache
def shipped_rules() -> ProgrammeRules:
    """The rules that come with the hub.

    Raises:
        InvalidProgramme: the data that ships with the hub is faulty.
    """
    folder = files("schemas") / "programmes"
    names = (
        one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")
    )
    own = {name: read_rule_sets(name, _read(name)) for name in sorted(names) if name != SHARED}
    return ProgrammeRules(own, _shared_periods())


def _shared_periods() -> tuple[Period, ...]:
    faults = Faults()
    periods: list[Period] = []
    for place, entry in enumerate(_read(SHARED)):
        path = f"[{place}]"
        section = Section(plain(entry), path, known=PERIOD, required=PERIOD, faults=faults)
        values = values_of(Parameters, section.raw("parameters"), f"{path}.parameters", faults)
        periods.append(
            Period(section.day("valid_from") or date.min, section.day("valid_to"), values)
        )
    raise_for(SHARED, faults)
    return tuple(periods)


def _read(name: str) -> Any:
    source = files("schemas").joinpath("programmes", f"{name}.yaml")
    return yaml.safe_load(source.read_text(encoding="utf-8"))
