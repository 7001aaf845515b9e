"""Notes which rules a decision needed that nobody has settled yet (`domain.md` §3.7).

A value that a rule set names but leaves open is not checked; the decision says `rule_unset`.
A value that a rule set does not name at all is no rule of that programme, and nothing is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from gateway.exchange.decision import Warning as Notice
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

    from schemas.rule_set import RuleSet

RULE_UNSET = "rule_unset"


class Consulted:
    """A rule set that notes the open values that are read from it; else it is that rule set."""

    __slots__ = ("_needed", "_rules")

    def __init__(self, rules: RuleSet, needed: dict[str, None]) -> None:
        self._rules = rules
        self._needed = needed

    def __getattr__(self, name: str) -> Any:
        if name in self._rules.left_open:
            self._needed[f"{self._rules.programme}.{name}"] = None
        return getattr(self._rules, name)


def consulted(rules: RuleSet, needed: dict[str, None]) -> RuleSet:
    """The rule set, noting in `needed` what is read from it and left open."""
    return cast("RuleSet", Consulted(rules, needed)) if rules.left_open else rules


def unset_warning(needed: Iterable[str]) -> Notice:
    """What a decision says of the rules it needed and nobody has settled."""
    names = tuple(needed)
    listed = ", ".join(names)
    return Notice(
        RULE_UNSET,
        Message(
            nl=f"Niet getoetst, want nog niet vastgelegd: {listed}.",
            en=f"Not checked, because not settled yet: {listed}.",
        ),
        names,
    )
