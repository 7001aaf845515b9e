"""Whether somebody is of compulsory school age, by the programme's rules (`domain.md` §3.7)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft


def is_minor(draft: Draft, data: dict[str, Any]) -> bool:
    """Whether a birth date is given that makes the person too young for the programme's rules."""
    born = data.get("person", {}).get("birth_date")
    if born is None:
        return False
    rules = draft.rules(data.get("programme", "to_be_determined"))
    limit = max(rules.min_age or 0, rules.protected_age or 0)
    return _age(date.fromisoformat(born), draft.occurred_on) < limit


def _age(born: date, on: date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
