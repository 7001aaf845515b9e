"""Webhook subscriptions: who wants what sent where, and how it stands.

Secrets are kept sealed (`consumers/webhook_secrets.py`), because nothing here holds keys.
Times are microseconds UTC, business time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from consumers import bulk
from consumers.deliveries import abandon
from consumers.scope import WHOLE_HUB, Prepared, Scope, scoped
from consumers.tables import (
    alerts,
    attempts,
    dead_letters,
    inbox_counters,
    subscriptions,
)
from consumers.webhook_secrets import Vault
from schemas.identifiers import uuid7

if TYPE_CHECKING:
    from consumers.views import InboxEntry
    from consumers.webhook_secrets import Oauth, Seal

PENDING: Final = "pending"
ACTIVE: Final = "active"
PAUSED: Final = "paused"
SUSPENDED: Final = "suspended"
GONE: Final = "gone"
DELIVERING: Final = (ACTIVE, SUSPENDED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a participant asks for; empty filters let everything through.

    Attributes:
        municipalities: NIS codes.
        concurrency: requests at once.
        rate: events a second.
        window_us: for how long one event is tried.
        alert_email: where mail about dead letters goes; None is the contact of the registry, an
            empty text nowhere.
        alert_url: where alerts are posted; None is nowhere.
    """

    url: str
    event_names: tuple[str, ...] = ()
    programmes: tuple[str, ...] = ()
    municipalities: tuple[str, ...] = ()
    concurrency: int = 4
    rate: int = 1000
    window_us: int = 72 * 3600 * 1_000_000
    oauth: Oauth | None = field(default=None, repr=False)
    alert_email: str | None = field(default=None, repr=False)
    alert_url: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """One row; `secrets` and `oauth` are sealed."""

    id: str
    participant: str
    url: str
    state: str
    reason: str | None
    event_names: tuple[str, ...]
    programmes: tuple[str, ...]
    municipalities: tuple[str, ...]
    concurrency: int
    rate: int
    window_us: int
    position: int
    secrets: str = field(repr=False)
    oauth: str | None = field(repr=False)
    creation_key: str
    creation_hash: str
    created_at: int
    failures: int
    failing_since: int | None
    due_at: int | None
    held_until: int
    delivered_at: int | None
    alerted_at: int | None
    alert_email: str | None
    alert_url: str | None

    @property
    def has_filters(self) -> bool:
        """Whether there is anything that it does not want."""
        return bool(self.event_names or self.programmes or self.municipalities)

    def lets_through(self, entry: InboxEntry) -> bool:
        """Whether the filters want this event.

        A programme that is not told, because it would say something about health, is wanted.
        """
        return (
            (not self.event_names or entry.event_name in self.event_names)
            and (not self.municipalities or entry.nis in self.municipalities)
            and (not self.programmes or entry.programme in {None, *self.programmes})
        )


def create(
    connection: sa.Connection,
    participant: str,
    wanted: Wanted,
    *,
    key: str,
    content_hash: str,
    secret: str,
    seal: Seal,
    position: int,
    now: int,
) -> tuple[Subscription, bool]:
    """Make a subscription in state pending; whether this call made it, or an earlier one.

    Args:
        connection: of a transaction that writes.
        participant: whose it is.
        wanted: what it asks for.
        key: the caller's own mark of this creation.
        content_hash: of what was asked, so that the same key with other content is told apart.
        secret: signs what is sent.
        seal: keeps the secrets.
        position: the inbox row after which it begins.
        now: microseconds UTC.
    """
    identifier = uuid7()
    vault = Vault(identifier, seal)
    values = {
        "id": identifier,
        "participant": participant,
        "url": wanted.url,
        "state": PENDING,
        "event_names": ",".join(wanted.event_names),
        "programmes": ",".join(wanted.programmes),
        "municipalities": ",".join(wanted.municipalities),
        "concurrency": wanted.concurrency,
        "rate": wanted.rate,
        "window_us": wanted.window_us,
        "position": position,
        "secrets": vault.kept(secret),
        "oauth": vault.kept_oauth(wanted.oauth),
        "creation_key": key,
        "creation_hash": content_hash,
        "created_at": now,
        "failures": 0,
        "held_until": 0,
        "alert_email": wanted.alert_email,
        "alert_url": wanted.alert_url,
    }
    row = tuple(values.get(column.name) for column in subscriptions.columns)
    bulk.insert(connection, subscriptions, [row], skip_present=True)
    query = sa.select(subscriptions).where(subscriptions.c.creation_key == key)
    made = _read(connection.execute(scoped(query, Scope(participant))).one())
    return made, made.id == identifier


def one(
    connection: sa.Connection, scope: Scope, subscription_id: str, *, locked: bool = False
) -> Subscription | None:
    """A subscription of the scope, None when it has none of that id."""
    query = _ONE_LOCKED if locked else _ONE
    found = query.execute(connection, scope, {"wanted": subscription_id}).first()
    return None if found is None else _read(found)


_ONE: Final = Prepared(sa.select(subscriptions).where(subscriptions.c.id == sa.bindparam("wanted")))
_ONE_LOCKED: Final = Prepared(
    sa.select(subscriptions).where(subscriptions.c.id == sa.bindparam("wanted")).with_for_update()
)


@cache
def _changing(names: tuple[str, ...]) -> Prepared[sa.Update]:
    """What sets these columns of one subscription."""
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in names}
    query = sa.update(subscriptions).where(subscriptions.c.id == sa.bindparam("wanted"))
    return Prepared(query.values(values))


def every(connection: sa.Connection, scope: Scope) -> list[Subscription]:
    """The scope's subscriptions, the oldest first."""
    query = sa.select(subscriptions).order_by(subscriptions.c.created_at, subscriptions.c.id)
    return [_read(row) for row in connection.execute(scoped(query, scope))]


def change(connection: sa.Connection, scope: Scope, subscription_id: str, **values: Any) -> None:
    """Set columns of one subscription."""
    given = {f"new_{name}": value for name, value in values.items()}
    query = _changing(tuple(values))
    query.execute(connection, scope, {**given, "wanted": subscription_id})


def remove(connection: sa.Connection, scope: Scope, subscription_id: str, *, now: int) -> None:
    """Take a subscription away, with its attempts, dead letters and alerts.

    Its deliveries stay to tell what arrived; those that did not are stopped.
    """
    abandon(connection, scope, subscription_id, now)
    for table in (attempts, dead_letters):
        gone = sa.delete(table).where(table.c.subscription_id == subscription_id)
        connection.execute(scoped(gone, scope))
    gone = sa.delete(alerts).where(alerts.c.about == subscription_id)
    connection.execute(scoped(gone, scope))
    gone = sa.delete(subscriptions).where(subscriptions.c.id == subscription_id)
    connection.execute(scoped(gone, scope))


@dataclass(frozen=True, slots=True)
class Agenda:
    """What there is to do.

    Attributes:
        ready: subscriptions that have something to send now, in no order.
        following: when the next retry or probe is due, after now; None when none waits for a time.
    """

    ready: tuple[str, ...]
    following: int | None


def agenda(connection: sa.Connection, now: int) -> Agenda:
    """What is to be done now, and when there is more; one query, whatever the number."""
    rows = connection.execute(_AGENDA).all()
    times = [due for _, _, _, due in rows if due is not None and due > now]
    ready = tuple(
        one
        for one, has_new, held_until, due in rows
        if held_until <= now and (has_new or (due is not None and due <= now))
    )
    return Agenda(ready, min(times, default=None))


def _agenda() -> sa.Select[Any]:
    table, counter = subscriptions.c, inbox_counters.c
    has_new = sa.and_(table.state == ACTIVE, counter.seq > table.position)
    query = (
        sa.select(table.id, has_new, table.held_until, table.due_at)
        .select_from(
            subscriptions.outerjoin(inbox_counters, counter.participant == table.participant)
        )
        .where(table.state.in_(DELIVERING), sa.or_(has_new, table.due_at.is_not(None)))
    )
    return scoped(query, WHOLE_HUB)


_AGENDA: Final = _agenda()
"""Asked at every wake-up, so it is put together once."""


def signing_secrets(subscription: Subscription, seal: Seal, now: int) -> list[str]:
    """The secrets that sign now, the newest first; raises what `Vault.signing` does."""
    return Vault(subscription.id, seal).signing(subscription.secrets, now)


def oauth_of(subscription: Subscription, seal: Seal) -> Oauth | None:
    """How to get a token for its receiver; raises what `Vault.oauth` does."""
    return Vault(subscription.id, seal).oauth(subscription.oauth)


def rotate(
    connection: sa.Connection,
    subscription: Subscription,
    seal: Seal,
    *,
    secret: str,
    grace_us: int,
    now: int,
) -> None:
    """Sign with a new secret, and until the grace is over with the former ones that open too."""
    vault = Vault(subscription.id, seal)
    kept = vault.rotated(subscription.secrets, secret, grace_us=grace_us, now=now)
    change(connection, Scope(subscription.participant), subscription.id, secrets=kept)


def authorise(
    connection: sa.Connection, subscription: Subscription, seal: Seal, oauth: Oauth | None
) -> None:
    """Get tokens with these credentials from now on, or send without any."""
    kept = Vault(subscription.id, seal).kept_oauth(oauth)
    change(connection, Scope(subscription.participant), subscription.id, oauth=kept)


def rewrap(engine: sa.Engine, seal: Seal) -> None:
    """Seal anew what an older key-encryption key sealed; idempotent. Raises SQLAlchemyError.

    What was lost before stays as it is, so that older keys are destroyed all the same.
    """
    with engine.begin() as connection:
        for seen in every(connection, WHOLE_HUB):
            # Locked, or a secret that its owner replaces meanwhile would be put back.
            old = one(connection, WHOLE_HUB, seen.id, locked=True)
            if old is None:
                continue
            secrets, oauth = Vault(old.id, seal).resealed(old.secrets, old.oauth)
            if (secrets, oauth) != (old.secrets, old.oauth):
                change(connection, Scope(old.participant), old.id, secrets=secrets, oauth=oauth)


def _read(row: sa.Row[Any]) -> Subscription:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    for name in ("event_names", "programmes", "municipalities"):
        values[name] = tuple(values[name].split(",")) if values[name] else ()
    return Subscription(**values)
