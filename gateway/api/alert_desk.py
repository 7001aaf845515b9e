"""Where alerts about dead letters go: checked, confirmed and shown (`deploy/webhooks.md`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from consumers import challenge, subscriptions
from consumers.errors import InvalidSubscription
from consumers.sending import Envelope
from gateway.exchange.alert_addresses import is_known
from schemas.errors import InvalidParam, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumers.subscriptions import Subscription
    from gateway.api.subscription_desk import Desk
    from gateway.api.subscription_documents import AlertsAsked
    from gateway.exchange.registry import Registry
    from gateway.oauth.verifier import Principal


def check(desk: Desk, participant: str, asked: AlertsAsked) -> None:
    """Look at both addresses, without calling anybody.

    Raises:
        InvalidSubscription: 422, the mail address is not one that the registry knows a desk of.
        AddressRefused: 422, the hub does not call that address.
    """
    if asked.email is not None and not asked.mail:
        raise _refused(
            "alerts.mail",
            "contradicts",
            "Laat email weg als u geen mail wilt.",
            "Leave email out if you want no mail.",
        )
    if asked.email is not None and not is_known(desk.registry(), participant, asked.email):
        raise _refused(
            "alerts.email",
            "mailbox_unknown",
            "Geef een mailadres in een domein waar het register een contact van uw organisatie "
            "heeft, of vraag de beheerder van de hub om dat contact op te nemen.",
            "Give a mail address in a domain where the registry has a contact of your "
            "organisation, or ask the hub's administrator to enter that contact.",
        )
    if asked.url is not None:
        desk.policy.target(asked.url, "alerts.url")


def confirm(desk: Desk, asked: AlertsAsked, secrets: Sequence[str]) -> None:
    """Have the receiver of alerts repeat a word, as the receiver of events does.

    Who calls has one of the desk's outward calls.

    Raises:
        InvalidSubscription: 422, it did not; nothing is changed.
    """
    if asked.url is None:
        return
    why = challenge.failed(desk.sender, Envelope("alerts", asked.url, secrets))
    if why is not None:
        raise _refused(
            "alerts.url",
            why,
            "De ontvanger van meldingen herhaalde het woord van de proef niet.",
            "The receiver of alerts did not repeat the word of the challenge.",
        )


def redirect(
    desk: Desk, found: Subscription, principal: Principal, asked: AlertsAsked
) -> Subscription:
    """Send alerts elsewhere from now on, those that are owed already too. Raises as above."""
    check(desk, found.participant, asked)
    # Real time, as signatures are.
    secrets = subscriptions.signing_secrets(found, desk.seal, time.time_ns() // 1000)
    if asked.url is not None:
        with desk.outward.waiting(found.participant):
            confirm(desk, asked, secrets)
    desk.note_alerts(principal, found, asked.url)
    return desk.change(found, alert_email=asked.kept_email(), alert_url=asked.url)


def shown(registry: Registry, found: Subscription) -> dict[str, Any]:
    """Where they go as things stand now."""
    own = registry.participants.get(found.participant)
    contact = own.contact.email if own is not None and own.contact is not None else None
    email = contact if found.alert_email is None else found.alert_email or None
    return {
        "email": email,
        "is_contact": found.alert_email is None and email is not None,
        "url": found.alert_url,
    }


def _refused(name: str, code: str, nl: str, en: str) -> InvalidSubscription:
    told = Message(nl=nl, en=en)
    return InvalidSubscription(told, invalid=(InvalidParam(name, code, told),))
