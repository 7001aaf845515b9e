"""What must hold for any submission: when it happened, which programmes it names, what was seen."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from gateway.errors import RuleBroken, VersionDiffers
from gateway.exchange.decision import HUB
from gateway.exchange.draft import broken
from gateway.exchange.targets import version_of
from schemas.errors import InvalidParam, Message
from schemas.lifecycle import NONE
from schemas.programme_fields import programmes_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.exchange.draft import Draft
    from gateway.exchange.targets import Target

UNKNOWN_PROGRAMME = "unknown_programme"
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


def known_programmes(draft: Draft) -> None:
    """Every programme that the data name has rules, shipped or published.

    Raises:
        RuleBroken: 422 `unknown_programme`, naming each field.
    """
    submission, rules = draft.submission, draft.context.registry.rules
    unknown = [
        (path, code)
        for path, code in programmes_named(submission.event, submission.data)
        if code not in rules.own
    ]
    if not unknown:
        return
    reason = _no_such(unknown[0][1], rules.programmes())
    raise RuleBroken(
        reason,
        leg="rules",
        invalid=[InvalidParam(path, UNKNOWN_PROGRAMME, reason) for path, _ in unknown],
        facts={"rule": UNKNOWN_PROGRAMME},
    )


def _no_such(code: str, known: Sequence[str]) -> Message:
    nearest = ", ".join(get_close_matches(code, known, 3))
    meant = (f" Bedoelt u: {nearest}?", f" Do you mean: {nearest}?") if nearest else ("", "")
    return Message(
        nl=f"Voor dit programma heeft de hub geen regels.{meant[0]} Alle codes: "
        "GET /v1/programmes.",
        en=f"The hub has no rules for this programme.{meant[1]} All codes: GET /v1/programmes.",
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
