"""Why a call on subscriptions is refused, in the words that its caller reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumers import signatures
from consumers.errors import InvalidSubscription, SubscriptionState
from gateway import errors
from schemas.errors import InvalidParam, Message

if TYPE_CHECKING:
    from collections.abc import Sequence


def require_secret(secret: str | None) -> None:
    """Raises InvalidSubscription for one that is given and no secret."""
    if secret is not None and not signatures.is_secret(secret):
        told = Message(
            nl="Geef whsec_ gevolgd door 24 tot 64 bytes in base64.",
            en="Give whsec_ followed by 24 to 64 bytes in base64.",
        )
        raise invalid([InvalidParam("secret", "malformed", told)])


def invalid(faults: Sequence[InvalidParam]) -> InvalidSubscription:
    """422: these fields are wrong."""
    names = ", ".join(dict.fromkeys(one.name for one in faults))
    told = Message(nl=f"Deze velden kloppen niet: {names}.", en=f"These fields are wrong: {names}.")
    return InvalidSubscription(told, invalid=list(faults))


def too_many(most: int) -> InvalidSubscription:
    """422: one participant has so many."""
    return InvalidSubscription(
        Message(
            nl=f"U hebt al {most} abonnementen. Verwijder er eerst een.",
            en=f"You have {most} subscriptions already. Delete one first.",
        )
    )


def key_reused() -> errors.IdempotencyKeyReused:
    """422: the key came before with other content."""
    return errors.IdempotencyKeyReused(
        Message(
            nl="Deze Idempotency-Key hoort bij een ander abonnement.",
            en="This Idempotency-Key belongs to another subscription.",
        )
    )


def no_agreement() -> errors.AccessError:
    """403: no agreement lets this participant be called."""
    return errors.AccessError(
        Message(
            nl="Geen afspraak laat toe dat u via een webhook ontvangt.",
            en="No agreement lets you receive through a webhook.",
        ),
        facts={"leg": "door"},
    )


def too_busy() -> errors.Overloaded:
    """503: too many calls wait for receivers."""
    return errors.Overloaded(
        Message(
            nl="Te veel proeven wachten op hun ontvanger. Probeer het straks opnieuw.",
            en="Too many tests wait for their receiver. Try again in a moment.",
        )
    )


def too_many_waiting(most: int) -> errors.TooManyAtOnce:
    """429: so many calls of one participant wait for its receivers."""
    return errors.TooManyAtOnce(
        Message(
            nl=f"Ten hoogste {most} proeven van één deelnemer wachten tegelijk op hun ontvanger. "
            "Wacht op antwoorden.",
            en=f"At most {most} tests of one participant wait for their receiver at the same time. "
            "Wait for answers.",
        ),
        facts={"limit": most, "retry_after": 1},
    )


def not_challenged() -> SubscriptionState:
    """409: its receiver has not said yes."""
    return SubscriptionState(
        Message(
            nl="De ontvanger doorstond de proef nog niet. Hervat om die te herhalen.",
            en="The receiver has not passed its challenge yet. Resume to repeat it.",
        )
    )


def unknown() -> errors.UnknownRecord:
    """404: there is none of this name for this caller."""
    return errors.UnknownRecord(
        Message(
            nl="Dit abonnement bestaat niet, of is niet van u.",
            en="This subscription does not exist, or is not yours.",
        )
    )
