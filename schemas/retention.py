"""How long what is kept: `retention.yaml`, read once a process.

Answers to an `Idempotency-Key` are kept for 30 days by the ledger itself; the exchange log and the
disclosure log for ten years.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

from schemas.errors import Message

if TYPE_CHECKING:
    from datetime import date

CASE, RIGHT, PARTNER_REFERRAL, STAFF, INBOX, DISCLOSURE = (
    "case", "acquired_right", "partner_referral", "staff", "inbox", "disclosure",
)  # fmt: skip
MONTHS = 12


@dataclass(frozen=True, slots=True)
class Period:
    """One period.

    Attributes:
        what: code of what is kept.
        months: how long.
        after: states of its case or part that begin it.
    """

    what: str
    months: int
    after: frozenset[str]
    label: Message

    def ends(self, since: date) -> date:
        """The first day on which it is not kept any more; never later than the month has days."""
        month = since.month - 1 + self.months
        day = min(since.day, 28)
        return since.replace(year=since.year + month // MONTHS, month=month % MONTHS + 1, day=day)


@cache
def periods() -> dict[str, Period]:
    """Every period by what it is of."""
    document: dict[str, Any] = yaml.safe_load(
        (files("schemas") / "retention.yaml").read_text(encoding="utf-8")
    )
    return {
        one["what"]: Period(
            one["what"], one["months"], frozenset(one["after"]), Message(one["nl"], one["en"])
        )
        for one in document["periods"]
    }
