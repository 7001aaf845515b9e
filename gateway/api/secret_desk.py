"""What signs a subscription's webhooks and gets its tokens, replaced by its owner."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from consumers import signatures, subscriptions
from consumers.errors import LOST
from consumers.scope import Scope
from gateway.api import subscription_refusals as refusals

if TYPE_CHECKING:
    import sqlalchemy as sa

    from consumers.subscriptions import Subscription
    from consumers.webhook_secrets import Oauth
    from gateway.api.subscription_desk import Desk
    from gateway.oauth.verifier import Principal

ROTATED: Final = "webhook.secret"
AUTHORISED: Final = "webhook.oauth"


def rotate(
    desk: Desk, found: Subscription, principal: Principal, secret: str | None, grace_us: int
) -> str:
    """Sign with a new secret from now on; it is returned, and never shown again.

    Raises:
        InvalidSubscription: 422, the given one is no secret.
        UnknownRecord: 404, it was taken away meanwhile.
    """
    refusals.require_secret(secret)
    fresh = secret or signatures.new_secret()
    desk.note(principal, ROTATED, found)
    now = time.time_ns() // 1000
    with desk.writing.begin() as connection:
        current = _locked(connection, found)
        subscriptions.rotate(
            connection, current, desk.seal, secret=fresh, grace_us=grace_us, now=now
        )
        _go_on(desk, connection, current)
    desk.wake()
    return fresh


def authorise(
    desk: Desk, found: Subscription, principal: Principal, oauth: Oauth | None
) -> Subscription:
    """Get tokens with other credentials from now on, or send without any.

    They are used from the next attempt on; `Desk.test` tells whether they are good.

    Raises:
        AddressRefused: 422, the hub does not call that token endpoint.
        UnknownRecord: 404, it was taken away meanwhile.
    """
    if oauth is not None:
        desk.policy.target(oauth.token_endpoint, "oauth.token_endpoint")
    desk.note(principal, AUTHORISED, found)
    with desk.writing.begin() as connection:
        current = _locked(connection, found)
        subscriptions.authorise(connection, current, desk.seal, oauth)
        _go_on(desk, connection, current)
    desk.wake()
    return desk.one(found.id, Scope(found.participant))


def _locked(connection: sa.Connection, found: Subscription) -> Subscription:
    current = subscriptions.one(connection, Scope(found.participant), found.id, locked=True)
    if current is None:
        raise refusals.unknown()
    return current


def _go_on(desk: Desk, connection: sa.Connection, current: Subscription) -> None:
    """Try at once what stood still because what was replaced could not be opened."""
    if current.reason in LOST:
        at = desk.clock.now_us()
        subscriptions.change(connection, Scope(current.participant), current.id, due_at=at)
