"""What the calls on subscriptions do: check, challenge, change; blocks on stores and receivers."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from consumers import challenge, deliveries, signatures, subscriptions, views
from consumers.scope import WHOLE_HUB, Scope
from consumers.sending import Envelope
from gateway import errors
from gateway.api import alert_desk
from gateway.api import subscription_refusals as refusals
from gateway.api.outward_calls import OutwardCalls
from gateway.exchange import audit
from gateway.exchange.webhook_door import DOOR

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from consumers.addresses import AddressPolicy
    from consumers.clock import Clock
    from consumers.sending import Sender, Tried
    from consumers.subscriptions import Subscription
    from consumers.webhook_secrets import Seal
    from gateway.api.collaborators import TokenVerifier
    from gateway.api.subscription_documents import NewSubscription
    from gateway.exchange.registry import Registry
    from gateway.oauth.verifier import Principal

ADMIN_SCOPE: Final = "sj_admin"
ACTIVATE, REMOVE = "webhook.activate", "webhook.remove"
ALERTS: Final = "webhook.alerts"
MOST_SUBSCRIPTIONS: Final = 20


@dataclass(frozen=True, slots=True)
class Desk:
    """Collaborators of the routes; safe from several threads.

    Args:
        reading: read-only engine of the consumers' store.
        writing: writing engine of the consumers' store.
        ledger: writing engine of the ledger's store, for audit lines.
        sender: challenges and tests receivers.
        wake: wakes the deliverer.
        outward: those of its calls that wait for receivers.
    """

    reading: sa.Engine
    writing: sa.Engine
    ledger: sa.Engine
    sender: Sender
    seal: Seal
    policy: AddressPolicy
    registry: Callable[[], Registry]
    clock: Clock
    wake: Callable[[], None]
    verifier: TokenVerifier
    outward: OutwardCalls = field(default_factory=OutwardCalls)

    def one(self, subscription_id: str, scope: Scope) -> Subscription:
        """A subscription of the scope.

        Raises:
            UnknownRecord: there is none, for this caller.
        """
        with self.reading.connect() as connection:
            found = subscriptions.one(connection, scope, subscription_id)
        if found is None:
            raise refusals.unknown()
        return found

    def create(
        self, principal: Principal, asked: NewSubscription, key: str, since: int | None
    ) -> tuple[Subscription, str | None]:
        """Make a subscription and challenge its receiver; the secret, when it was made now.

        Raises:
            InvalidSubscription: 422, a filter, the secret or where alerts go is wrong, or there
                are too many.
            AddressRefused: 422, the hub does not call that address.
            IdempotencyKeyReused: 422, the key came before with other content.
            AccessError: 403, no agreement lets this participant be called.
            TooManyAtOnce, Overloaded: too many calls wait for receivers; nothing was made.
        """
        participant = principal.participant
        self._check(participant, asked)
        # What was added to the body since the first release counts only where it is given.
        content = asked.model_dump(exclude={"alerts"} if asked.alerts is None else None)
        digest = hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
        secret = asked.secret or signatures.new_secret()
        made, is_new = self._made(participant, key), False
        if made is None:
            # Before there is a row: the secret of one that is not challenged would never be shown.
            with self.outward.waiting(participant):
                if asked.alerts is not None:
                    alert_desk.confirm(self, asked.alerts, [secret])
                made, is_new = self._make(
                    participant, asked, key=key, digest=digest, secret=secret, since=since
                )
                if is_new:
                    return self._challenged(made, principal), secret
        if made.creation_hash != digest:
            raise refusals.key_reused()
        return made, None

    def challenge(self, found: Subscription, principal: Principal) -> Subscription:
        """Ask the receiver whether it wants this; active when it does, else pending with why.

        From here on data may go there, so auditors get a line that names the host.
        """
        with self.outward.waiting(found.participant):
            return self._challenged(found, principal)

    def _challenged(self, found: Subscription, principal: Principal) -> Subscription:
        why = challenge.failed(self.sender, self._envelope(found))
        values: dict[str, Any] = {"state": subscriptions.PENDING, "reason": why}
        if why is None:
            self.note(principal, ACTIVATE, found)
            values = {"state": subscriptions.ACTIVE, "due_at": self.clock.now_us()}
            values |= {"reason": None, "failures": 0, "failing_since": None, "held_until": 0}
        return self.change(found, **values)

    def test(self, found: Subscription) -> Tried:
        """Send a message that says nothing; what came of it."""
        message_id, body = challenge.test_message()
        with self.outward.waiting(found.participant):
            return self.sender.send(self._envelope(found), message_id, body)

    def pause(self, found: Subscription) -> Subscription:
        """Send nothing more until it is resumed; what comes waits in the inbox.

        Raises:
            SubscriptionState: 409, its receiver has not been challenged with success yet.
        """
        if found.state == subscriptions.PENDING:
            raise refusals.not_challenged()
        return self.change(found, state=subscriptions.PAUSED, reason=None)

    def resume(self, found: Subscription, principal: Principal) -> Subscription:
        """Go on; a receiver that was never there, or gone, is challenged first."""
        if found.state in {subscriptions.PENDING, subscriptions.GONE}:
            return self.challenge(found, principal)
        if found.state == subscriptions.ACTIVE:
            return found
        return self.change(
            found,
            state=subscriptions.ACTIVE,
            reason=None,
            failures=0,
            failing_since=None,
            held_until=0,
            due_at=self.clock.now_us(),
        )

    def replay(self, found: Subscription, since: int) -> int:
        """Send again what reached the inbox since; how many rows are looked at again."""
        scope = Scope(found.participant)
        with self.writing.begin() as connection:
            before = views.seq_before(connection, scope, since)
            position = min(before, found.position)
            subscriptions.change(connection, scope, found.id, position=position)
            newest = views.newest(connection, scope)
        self.wake()
        return newest - position

    def remove(self, found: Subscription, principal: Principal) -> None:
        """Take it away with all that belongs to it."""
        self.note(principal, REMOVE, found)
        with self.writing.begin() as connection:
            now = self.clock.now_us()
            subscriptions.remove(connection, Scope(found.participant), found.id, now=now)

    def change(self, found: Subscription, **values: Any) -> Subscription:
        """Set columns and wake the deliverer; the row as it is then."""
        scope = Scope(found.participant)
        with self.writing.begin() as connection:
            subscriptions.change(connection, scope, found.id, **values)
            if values.get("state") == subscriptions.ACTIVE:
                deliveries.hurry(connection, scope, found.id, self.clock.now_us())
        self.wake()
        return self.one(found.id, scope)

    def note(
        self, principal: Principal, act: str, found: Subscription, why: str | None = None
    ) -> None:
        """A line for the auditors: who did what to which subscription, and why.

        It is in another store than the act and comes first, so that no act is without its line.

        Args:
            principal: who.
            act: what, as a dotted code.
            found: to which.
            why: in the caller's words; without any, where the subscription sends to.
        """
        with self.ledger.begin() as connection:
            audit.record(
                connection,
                actor=principal.client_id,
                act=act,
                target=found.id,
                reason=where_to(found.url) if why is None else why,
                now_us=self.clock.now_us(),
            )

    def note_alerts(self, principal: Principal, found: Subscription, url: str | None) -> None:
        """A line for the auditors: alerts go elsewhere; the host, and never a mail address."""
        self.note(principal, ALERTS, found, "by mail" if url is None else where_to(url))

    def _made(self, participant: str, key: str) -> Subscription | None:
        """What an earlier call with this key made."""
        with self.reading.connect() as connection:
            known = subscriptions.every(connection, Scope(participant))
        return next((one for one in known if one.creation_key == key), None)

    def _make(
        self,
        participant: str,
        asked: NewSubscription,
        *,
        key: str,
        digest: str,
        secret: str,
        since: int | None,
    ) -> tuple[Subscription, bool]:
        with self.writing.begin() as connection:
            scope = Scope(participant)
            position = (
                views.newest(connection, scope)
                if since is None
                else views.seq_before(connection, scope, since)
            )
            others = [x for x in subscriptions.every(connection, scope) if x.creation_key != key]
            if len(others) >= MOST_SUBSCRIPTIONS:
                raise refusals.too_many(MOST_SUBSCRIPTIONS)
            return subscriptions.create(
                connection,
                participant,
                asked.wanted(),
                key=key,
                content_hash=digest,
                secret=secret,
                seal=self.seal,
                position=position,
                now=self.clock.now_us(),
            )

    def _envelope(self, found: Subscription) -> Envelope:
        now = time.time_ns() // 1000
        secrets = subscriptions.signing_secrets(found, self.seal, now)
        return Envelope(found.id, found.url, secrets, subscriptions.oauth_of(found, self.seal))

    def _check(self, participant: str, asked: NewSubscription) -> None:
        member = self.registry().participant(participant)
        grants = self.registry().grants
        reaching = grants.grants_to(member.organisation, member.role) if member else ()
        if not any(DOOR in grant.doors for grant in reaching):
            raise refusals.no_agreement()
        self.policy.target(asked.url)
        if asked.oauth is not None:
            self.policy.target(asked.oauth.token_endpoint, "oauth.token_endpoint")
        if asked.alerts is not None:
            alert_desk.check(self, participant, asked.alerts)
        refusals.require_secret(asked.secret)
        faults = asked.faults(self.registry().rules.programmes())
        if faults:
            raise refusals.invalid(faults)


def scope_of(principal: Principal) -> Scope:
    """Whose subscriptions a caller may see: an administrator everybody's."""
    return WHOLE_HUB if ADMIN_SCOPE in principal.scopes else Scope(principal.participant)


def where_to(url: str) -> str:
    """A host for an audit line; one that reads like a number or about health is left out."""
    try:
        return audit.checked_reason(f"to {urlsplit(url).hostname}")
    except errors.InvalidParameter:
        return "to a host that is not shown"
