"""What differs between two rule sets of a programme, in words that a caseworker reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from schemas.codelists import code_list
from schemas.errors import Message
from schemas.roles import NAME
from schemas.rule_set import AcquiredRight, Parameters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.rule_set import RuleSet

PAPER: Final = frozenset({"legal_reference"})
"""Differences that change nothing of what holds for anybody."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One value that differs. None is not set; `left_open` says that the law has yet to say it."""

    rule: str
    before: Any
    after: Any

    @property
    def touches_people(self) -> bool:
        """Whether something else holds for people by it."""
        return self.rule not in PAPER

    def plain(self) -> dict[str, Any]:
        """As JSON, with the sentence in both languages."""
        return {
            "rule": self.rule,
            "before": plain_value(self.before),
            "after": plain_value(self.after),
            "text": asdict(self.sentence()),
        }

    def sentence(self) -> Message:
        """The change in one line."""
        name = label_of(self.rule)
        before, after = spoken(self.before), spoken(self.after)
        return Message(
            nl=f"{name.nl}: {before.nl} wordt {after.nl}.",
            en=f"{name.en}: {before.en} becomes {after.en}.",
        )


def changes(before: RuleSet | None, after: RuleSet | None) -> tuple[RuleChange, ...]:
    """Every value that differs; None on a side has no rules at all."""
    old, new = dict(_values(before)), dict(_values(after))
    names = dict.fromkeys((*old, *new))
    return tuple(
        RuleChange(name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    )


def stated(rules: RuleSet) -> Iterator[tuple[str, Any]]:
    """Every value of a rule set that is set, by name, in the order people read them."""
    return ((name, value) for name, value in _values(rules) if value is not None)


def label_of(rule: str) -> Message:
    """What a value means, for people; its name when the list does not have it."""
    found = code_list("rule").codes.get(rule)
    return Message(nl=rule, en=rule) if found is None else found.label


def plain_values(rules: RuleSet) -> dict[str, Any]:
    """The values that are set, as JSON has them, without status and law."""
    head = ("is_in_force", "legal_reference")
    return {name: plain_value(value) for name, value in stated(rules) if name not in head}


def spoken(value: Any) -> Message:
    """A value as people read it."""
    if value is None:
        return Message(nl="niet vastgelegd", en="not set")
    if isinstance(value, bool):
        return Message(nl="ja", en="yes") if value else Message(nl="nee", en="no")
    if isinstance(value, frozenset):
        names = ", ".join(sorted(NAME[one] for one in value))
        return Message(nl=names or "niemand", en=names or "nobody")
    return Message(nl=str(value), en=str(value))


def plain_value(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if isinstance(value, (Decimal, date)) else value


def _values(rules: RuleSet | None) -> Iterator[tuple[str, Any]]:
    if rules is None:
        return
    yield "is_in_force", rules.is_in_force
    yield "legal_reference", rules.legal_reference
    yield "endorsement_required_from", rules.endorsement_required_from
    for one in fields(Parameters):
        yield one.name, getattr(rules, one.name)
    right = rules.acquired_right
    for one in fields(AcquiredRight):
        yield one.name, None if right is None else getattr(right, one.name)
