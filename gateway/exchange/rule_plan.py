"""What publishing a rule file would change: a pure comparison with the rules of the registry.

What holds already is never edited: a file begins today at the earliest, and in production so many
days ahead as the rules say when it changes what holds for people (R15).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from schemas.documents import Faults
from schemas.rule_changes import changes
from schemas.rule_publication import refused
from schemas.rule_set import IN_FORCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.exchange.registry import Registry
    from schemas.conversion import Conversion
    from schemas.programmes import ProgrammeRules
    from schemas.rule_changes import RuleChange
    from schemas.rule_publication import RulePublication
    from schemas.rule_set import RuleSet

EVERY_PROGRAMME = "to_be_determined"


@dataclass(frozen=True, slots=True)
class Turn:
    """What changes for one programme on the first day of one of its new rule sets."""

    programme: str
    version: str
    on: date
    changes: tuple[RuleChange, ...]
    left_open: tuple[str, ...]

    @property
    def touches_people(self) -> bool:
        """Whether something else holds for people from that day on."""
        return any(one.touches_people for one in self.changes)


@dataclass(frozen=True, slots=True)
class RulePlan:
    """What publishing would do; without turns it is published already.

    Attributes:
        version: of the registry it was compared with.
        known: the same file was published before.
    """

    version: int
    reference: str
    turns: tuple[Turn, ...]
    known: bool = False


def plan(registry: Registry, publication: RulePublication, today: date) -> RulePlan:
    """Compare a rule file with the rules there are.

    Raises:
        InvalidRuleFile: with everything in the file that they do not allow.
    """
    rules, faults = registry.rules, Faults()
    for one in rules.publications:
        if one.reference == publication.reference:
            if one.hash == publication.hash:
                return RulePlan(registry.version, publication.reference, (), known=True)
            nl = "Onder deze reference is al iets anders gepubliceerd. Kies een nieuwe."
            en = "Something else was published under this reference. Choose a new one."
            faults.add("reference", "publication_immutable", nl, en)
    _check_withdrawn(rules, publication, today, faults)
    after, notice = rules.published(publication), _notice_days(registry, today)
    turns = tuple(_turns(rules, after, publication))
    for programme, sets in publication.rule_sets.items():
        path = f"programmes.{programme}"
        _check_name(rules, publication, programme, path, faults)
        for place, each in enumerate(sets):
            _check_version(rules, each, f"{path}.rule_sets[{place}].version", faults)
        touches = any(one.touches_people for one in turns if one.programme == programme)
        earliest = today + timedelta(days=notice if touches else 0)
        _check_begin(sets[0], f"{path}.rule_sets[0].valid_from", today, earliest, faults)
    for place, conversion in enumerate(publication.conversions):
        _check_conversion(after, conversion, f"conversions[{place}]", today, faults)
    if faults.found:
        raise refused(faults)
    return RulePlan(registry.version, publication.reference, turns)


def _check_withdrawn(
    rules: ProgrammeRules, publication: RulePublication, today: date, faults: Faults
) -> None:
    known = {one.reference: one for one in rules.publications}
    for place, reference in enumerate(publication.withdraws):
        path = f"withdraws[{place}]"
        if reference not in known or reference in rules.withdrawn():
            nl = "Onder deze reference staat geen voorstel open."
            en = "No proposal stands under this reference."
            faults.add(path, "unknown_reference", nl, en)
        elif known[reference].begins() <= today:
            nl = "Wat al geldt, wordt niet ingetrokken. Publiceer nieuwe regels."
            en = "What holds already is not withdrawn. Publish new rules."
            faults.add(path, "in_force", nl, en)


def _turns(
    before: ProgrammeRules, after: ProgrammeRules, publication: RulePublication
) -> Iterator[Turn]:
    for one in before.publications:
        if one.reference in publication.withdraws:
            yield from _undone(before, after, one)
    for programme, sets in publication.rule_sets.items():
        older = None
        if programme in before.own:
            older = before.rule_set(programme, sets[0].valid_from)
        for each in sets:
            newer = after.rule_set(programme, each.valid_from)
            yield Turn(
                programme,
                each.version,
                each.valid_from,
                changes(older, newer),
                tuple(sorted(newer.left_open)),
            )
            older = newer


def _undone(
    before: ProgrammeRules, after: ProgrammeRules, withdrawn: RulePublication
) -> Iterator[Turn]:
    """What a proposal would have changed, and now does not."""
    for programme, sets in withdrawn.rule_sets.items():
        on = sets[0].valid_from
        newer = after.rule_set(programme, on)
        found = changes(before.rule_set(programme, on), newer)
        yield Turn(programme, newer.version, on, found, tuple(sorted(newer.left_open)))


def _check_name(
    rules: ProgrammeRules,
    publication: RulePublication,
    programme: str,
    path: str,
    faults: Faults,
) -> None:
    if programme not in rules.own and programme not in publication.labels:
        nl = "Dit programma is nieuw. Geef het een label in het Nederlands en het Engels."
        en = "This programme is new. Give it a label in Dutch and English."
        faults.add(f"{path}.label", "label_missing", nl, en)


def _check_version(rules: ProgrammeRules, one: RuleSet, path: str, faults: Faults) -> None:
    if one.version in rules.versions():
        nl = "Deze version bestaat al en verandert niet meer. Kies een nieuwe."
        en = "This version exists already and never changes. Choose a new one."
        faults.add(path, "version_taken", nl, en)


def _notice_days(registry: Registry, today: date) -> int:
    """How long ahead people know of a change; a test installation need not wait."""
    if registry.environment != "production":
        return 0
    return registry.rules.rule_set(EVERY_PROGRAMME, today).publication_notice_days or 0


def _check_begin(first: RuleSet, path: str, today: date, earliest: date, faults: Faults) -> None:
    if first.valid_from < today:
        faults.add(
            path,
            "in_the_past",
            "Regels die golden, veranderen niet meer. Begin vandaag of later.",
            "Rules that held never change. Begin today or later.",
        )
    elif first.valid_from < earliest:
        days = (earliest - today).days
        faults.add(
            path,
            "notice_too_short",
            f"Wat voor mensen verandert, is {days} dagen vooraf bekend. Begin ten vroegste op "
            f"{earliest}.",
            f"What changes for people is known {days} days ahead. Begin on {earliest} at the "
            "earliest.",
        )


def _check_conversion(
    rules: ProgrammeRules, conversion: Conversion, path: str, today: date, faults: Faults
) -> None:
    for name, code in (
        ("from_programme", conversion.from_programme),
        ("to_programme", conversion.to_programme),
    ):
        if code not in rules.own:
            nl = "Voor dit programma zijn er geen regels. Neem ze in dit bestand op."
            en = "There are no rules for this programme. Put them in this file."
            faults.add(f"{path}.{name}", "unknown_programme", nl, en)
            return
    if conversion.effective < today:
        nl, en = "Een omzetting gaat vandaag of later in.", "A conversion begins today or later."
        faults.add(f"{path}.effective", "in_the_past", nl, en)
    if rules.rule_set(conversion.to_programme, conversion.effective).status != IN_FORCE:
        nl = "Op die dag zijn geen regels van het nieuwe programma van kracht."
        en = "No rules of the new programme are in force on that day."
        faults.add(f"{path}.effective", "programme_not_in_force", nl, en)
