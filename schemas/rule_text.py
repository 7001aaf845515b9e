"""Rules in plain words: what holds on a day, what changes, and what a file may have overlooked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.errors import Message
from schemas.rule_changes import RuleChange, changes, label_of, spoken, stated
from schemas.rule_set import DRAFT, ENDED, IN_FORCE, PUBLISHED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from schemas.programmes import ProgrammeRules
    from schemas.rule_publication import RulePublication
    from schemas.rule_set import RuleSet

STATUS_WORDS: Final = {
    DRAFT: Message(nl="ontwerp", en="draft"),
    PUBLISHED: Message(nl="gepubliceerd, nog niet van kracht", en="published, not in force yet"),
    IN_FORCE: Message(nl="van kracht", en="in force"),
    ENDED: Message(nl="beëindigd", en="ended"),
}
_HEAD: Final = frozenset({"is_in_force", "legal_reference"})


def explained(rules: ProgrammeRules, programme: str, on: date) -> Iterator[Message]:
    """What holds for a programme on a day, line by line, each value with where it comes from.

    Raises:
        UnknownProgramme: no programme has this code.
    """
    found = rules.rule_set(programme, on)
    name, status = rules.label(programme), STATUS_WORDS[found.status]
    yield Message(
        nl=f"{name.nl} ({programme}) op {on}: {status.nl}",
        en=f"{name.en} ({programme}) on {on}: {status.en}",
    )
    law = found.legal_reference
    yield Message(
        nl=f"  Regels {found.version}, rechtsgrond: {law or 'geen'}",
        en=f"  Rules {found.version}, legal reference: {law or 'none'}",
    )
    for source in found.sources:
        yield Message(nl=f"  Bron: {source}", en=f"  Source: {source}")
    yield from _values(rules, found, on)
    for one in sorted(found.left_open):
        label = label_of(one)
        yield Message(
            nl=f"  {label.nl}: nog niet vastgelegd, wordt niet getoetst",
            en=f"  {label.en}: not settled yet, is not checked",
        )


def _values(rules: ProgrammeRules, found: RuleSet, on: date) -> Iterator[Message]:
    own = rules.own_rule_set(found.programme, on)
    for name, value in stated(found):
        if name in _HEAD:
            continue
        label, said = label_of(name), spoken(value)
        is_shared = hasattr(own, name) and getattr(own, name) is None
        of = ("alle programma's", "every programme") if is_shared else (found.version,) * 2
        yield Message(
            nl=f"  {label.nl}: {said.nl} [{of[0]}]", en=f"  {label.en}: {said.en} [{of[1]}]"
        )


def notices(rules: ProgrammeRules, publication: RulePublication) -> Iterator[tuple[str, Message]]:
    """What is no fault in a file but easily an oversight: place and sentence."""
    for programme, sets in publication.rule_sets.items():
        for place, one in enumerate(sets):
            path = f"programmes.{programme}.rule_sets[{place}]"
            for name in sorted(one.left_open):
                label = label_of(name)
                yield (
                    f"{path}.parameters.{name}",
                    Message(
                        nl=f"{label.nl} blijft open en wordt niet getoetst.",
                        en=f"{label.en} stays open and is not checked.",
                    ),
                )
            if programme in rules.own and place == 0:
                before = rules.rule_set(programme, one.valid_from)
                yield from _dropped(rules.published(publication), before, one, path)


def _dropped(
    after: ProgrammeRules, before: RuleSet, one: RuleSet, path: str
) -> Iterator[tuple[str, Message]]:
    """Values that had been set, and are not even named any more."""
    for change in changes(before, after.rule_set(one.programme, one.valid_from)):
        if change.after is None and change.rule not in one.left_open | _HEAD:
            label, was = label_of(change.rule), spoken(change.before)
            yield (
                f"{path}.parameters",
                Message(
                    nl=f"{label.nl} valt weg (was {was.nl}).",
                    en=f"{label.en} falls away (was {was.en}).",
                ),
            )


def compared(
    before: ProgrammeRules, then: date, after: ProgrammeRules, later: date
) -> dict[str, tuple[RuleChange, ...]]:
    """What differs for each programme between two days, where something does."""
    codes = dict.fromkeys((*before.programmes(), *after.programmes()))
    found = {
        code: changes(
            before.rule_set(code, then) if code in before.own else None,
            after.rule_set(code, later) if code in after.own else None,
        )
        for code in codes
    }
    return {code: listed for code, listed in found.items() if listed}
