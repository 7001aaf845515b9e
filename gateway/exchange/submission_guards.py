"""What must hold for a submission's own attributes: when it happened, and what its sender saw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.errors import VersionDiffers
from gateway.exchange.decision import HUB
from gateway.exchange.draft import broken
from gateway.exchange.targets import version_of
from schemas.errors import InvalidParam, Message
from schemas.lifecycle import NONE

if TYPE_CHECKING:
    from gateway.exchange.draft import Draft
    from gateway.exchange.targets import Target

CLOCKS_APART = 5 * 60 * 1_000_000
"""How far a sender's clock may be ahead of the hub's, in microseconds."""


def not_in_future(draft: Draft) -> None:
    """An event has happened; clocks may differ by five minutes.

    Raises:
        RuleBroken: 422 `occurred_in_future`.
    """
    submission = draft.submission
    if submission.participant == HUB:
        return
    if submission.occurred_at > draft.context.now + CLOCKS_APART:
        raise broken(
            "occurred_in_future",
            "time ligt in de toekomst. Stuur wat gebeurd is, en kijk de klok en tijdzone na.",
            "time lies in the future. Send what has happened, and check clock and time zone.",
            "time",
        )


def as_expected(draft: Draft, target: Target) -> None:
    """A sender that says which version it saw is refused when there is a newer one.

    Raises:
        VersionDiffers: 409, with the version there is now.
    """
    expected = draft.submission.expected_version
    if expected is None:
        return
    now = 0 if target.state == NONE else version_of(draft, target.kind, target.id)[0]
    if expected == now:
        return
    message = Message(
        nl=f"Dit is intussen versie {now}. Lees wat er veranderde en stuur opnieuw.",
        en=f"This is version {now} by now. Read what changed and send again.",
    )
    raise VersionDiffers(
        message,
        leg="lifecycle",
        invalid=(InvalidParam("aggregateversion", "version_differs", message),),
        facts={"state": target.state, "version": now},
    )
