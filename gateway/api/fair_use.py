"""Fair use: what one participant may ask of this gateway, decided before a body is read.

Three buckets a participant (calls, events, bytes of bodies) and a number of calls under way a
client. A call is let in while its bucket holds something; what it turns out to cost is taken
afterwards and may leave a debt, which has to flow back first. So a whole batch always gets in once,
and nobody gets in for ever. Answers say what is left in `RateLimit` and `RateLimit-Policy`
(draft-ietf-httpapi-ratelimit-headers).

Kept in the memory of one gateway, with its part of the figures: a restart fills the buckets, which
costs nothing, and no call waits for a shared row.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final

from gateway import errors
from gateway.exchange.budgets import Limits
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.api.responses import Message as AsgiMessage
    from gateway.api.responses import Receive, Scope, Send
    from gateway.exchange.budgets import Rate
    from gateway.exchange.registry import Registry
    from gateway.oauth.verifier import Principal

SCOPE_KEY: Final = "schakel.admission"
USE_KEY: Final = "schakel.fair_use"
READS: Final = frozenset({"GET", "HEAD"})
NAMES: Final = {
    "calls": Message(nl="oproepen", en="calls"),
    "events": Message(nl="gebeurtenissen", en="events"),
    "bytes": Message(nl="bytes", en="bytes"),
}
_UNITS: Final = {"calls": ';qu="requests"', "events": "", "bytes": ';qu="content-bytes"'}
_LONGEST_SECONDS: Final = 3600
_LENGTH_DIGITS: Final = 20


class _Bucket:
    """What is left of one budget; may be below zero."""

    __slots__ = ("left", "name", "rate")

    def __init__(self, name: str, rate: Rate) -> None:
        self.name = name
        self.rate = rate
        self.left = rate.at_once

    def flow(self, seconds: float) -> None:
        self.left = min(self.rate.at_once, self.left + seconds * self.rate.per_second)

    def wait_seconds(self) -> int:
        """Seconds until something is in it again."""
        return min(_LONGEST_SECONDS, max(1, math.ceil((1 - self.left) / self.rate.per_second)))

    def policy(self) -> str:
        window = max(1, round(self.rate.at_once / self.rate.per_second))
        return f'"{self.name}";q={int(self.rate.at_once)};w={window}{_UNITS[self.name]}'

    def state(self) -> str:
        missing = (self.rate.at_once - self.left) / self.rate.per_second
        return f'"{self.name}";r={max(0, int(self.left))};t={math.ceil(missing)}'


class _Account:
    """The buckets of one participant under one set of figures, and its calls under way."""

    def __init__(self, limits: Limits, now: float) -> None:
        self.limits = limits
        self.calls = _Bucket("calls", limits.calls)
        self.events = _Bucket("events", limits.events)
        self.content = _Bucket("bytes", limits.content)
        self.buckets = (self.calls, self.events, self.content)
        self.policy = ", ".join(one.policy() for one in self.buckets).encode()
        self.under_way: dict[str, int] = {}
        self._flowed_at = now

    def flow(self, now: float) -> None:
        seconds = max(0.0, now - self._flowed_at)
        self._flowed_at = now
        for one in self.buckets:
            one.flow(seconds)

    def take_over(self, before: _Account) -> None:
        """Go on where the account stood under other figures: no new figures fill a bucket."""
        for new, old in zip(self.buckets, before.buckets, strict=True):
            new.left = min(new.left, old.left)
        self.under_way = before.under_way


class Admission:
    """One call that was let in, to `leave` when it is answered; without a client, one refused."""

    __slots__ = ("_account", "_client", "_lock")

    def __init__(self, account: _Account, lock: threading.Lock, client: str | None = None) -> None:
        self._account = account
        self._client = client
        self._lock = lock

    @property
    def is_let_in(self) -> bool:
        """Whether the call is under way, rather than refused."""
        return self._client is not None

    def charge(self, *, events: int = 0, content: int = 0) -> None:
        """Take what the call turned out to cost; may leave a debt."""
        with self._lock:
            self._account.events.left -= events
            self._account.content.left -= content

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What the caller is told of its budgets."""
        account = self._account
        with self._lock:
            state = ", ".join(one.state() for one in account.buckets)
        return [(b"ratelimit-policy", account.policy), (b"ratelimit", state.encode())]

    def leave(self) -> None:
        """The call is no longer under way."""
        if self._client is None:
            return
        with self._lock:
            left = self._account.under_way[self._client] - 1
            if left:
                self._account.under_way[self._client] = left
            else:
                del self._account.under_way[self._client]


class FairUse:
    """The accounts of all participants; safe from several threads, never blocks on anything.

    Args:
        registry: the newest snapshot, for a participant's own figures.
        usual: everybody's figures in this installation.
        gateways: how many gateways share a participant's calls; each gives its part.
        now: seconds that only go forward.
    """

    def __init__(
        self,
        registry: Callable[[], Registry],
        usual: Limits | None = None,
        *,
        gateways: int = 1,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._usual = usual or Limits()
        self._gateways = gateways
        self._now = now
        self._accounts: dict[str, _Account] = {}
        self._known: Registry | None = None
        self._lock = threading.Lock()
        self.refused = 0

    def enter(self, scope: Scope, principal: Principal) -> None:
        """Let a call in and count it, once; its `Admission` is kept in the ASGI scope.

        A call that may write counts as one event and with the length it announces; `charge` takes
        the rest.

        Raises:
            BudgetSpent: 429, a budget is used up; the facts say which, and when to come again.
            TooManyAtOnce: 429, too many calls of this client are under way.
        """
        before = admission_of(scope)
        if before is not None and before.is_let_in:
            return
        try:
            self._enter(scope, principal)
        except (errors.BudgetSpent, errors.TooManyAtOnce):
            self.refused += 1
            raise

    def figures(self) -> dict[str, float]:
        """What `/metrics` shows: calls under way of somebody recognised, and calls refused."""
        with self._lock:
            under_way = sum(sum(one.under_way.values()) for one in self._accounts.values())
        return {"calls_under_way": float(under_way), "calls_refused_total": float(self.refused)}

    def _enter(self, scope: Scope, principal: Principal) -> None:
        is_read = scope["method"] in READS
        announced = 0 if is_read else announced_length(scope) or 0
        with self._lock:
            account = self._account(principal.participant)
            scope[SCOPE_KEY] = Admission(account, self._lock)
            under_way = account.under_way.get(principal.client_id, 0)
            if under_way >= account.limits.concurrent:
                raise _too_many(account.limits.concurrent)
            for bucket in (account.calls,) if is_read else account.buckets:
                if bucket.left < 1:
                    raise _spent(bucket)
            account.calls.left -= 1
            if not is_read:
                account.events.left -= 1
                account.content.left -= announced
            account.under_way[principal.client_id] = under_way + 1
            scope[SCOPE_KEY] = Admission(account, self._lock, principal.client_id)

    def _account(self, participant: str) -> _Account:
        """The account, flowed until now, under the figures of the newest registry."""
        registry, now = self._registry(), self._now()
        if registry is not self._known:
            self._known = registry
            self._renew(registry, now)
        account = self._accounts.get(participant)
        if account is None:
            account = self._accounts[participant] = _Account(
                self._limits(registry, participant), now
            )
        account.flow(now)
        return account

    def _renew(self, registry: Registry, now: float) -> None:
        for participant, account in self._accounts.items():
            limits = self._limits(registry, participant)
            if limits != account.limits:
                renewed = _Account(limits, now)
                renewed.take_over(account)
                self._accounts[participant] = renewed

    def _limits(self, registry: Registry, participant: str) -> Limits:
        found = registry.participant(participant)
        own = None if found is None else found.budget
        return self._usual.under(own).shared(self._gateways)


def count(scope: Scope, principal: Principal) -> None:
    """Let a recognised caller in at the gateway's accounts, where it keeps some.

    Raises:
        BudgetSpent, TooManyAtOnce: 429, see `FairUse.enter`.
    """
    found = scope.get(USE_KEY)
    if isinstance(found, FairUse):
        found.enter(scope, principal)


def admission_of(scope: Scope) -> Admission | None:
    """The admission of a call; None when nobody was recognised, or it needs none."""
    found = scope.get(SCOPE_KEY)
    return found if isinstance(found, Admission) else None


def announced_length(scope: Scope) -> int | None:
    """The `Content-Length` of a request, of which `limits` checks the form; None without one."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) <= _LENGTH_DIGITS else 0
    return None


def counting(scope: Scope, receive: Receive) -> Receive:
    """The receive channel of a body without a length, each chunk of it charged when it comes."""

    async def counted() -> AsgiMessage:
        message = await receive()
        admission = admission_of(scope)
        if admission is not None:
            admission.charge(content=len(message.get("body", b"")))
        return message

    return counted


def telling(scope: Scope, send: Send) -> Send:
    """The send channel with the caller's budgets on every answer to somebody recognised."""

    async def told(message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            admission = admission_of(scope)
            if admission is not None:
                message = {**message, "headers": [*message["headers"], *admission.headers()]}
        await send(message)

    return told


def _spent(bucket: _Bucket) -> errors.BudgetSpent:
    seconds, name = bucket.wait_seconds(), NAMES[bucket.name]
    return errors.BudgetSpent(
        Message(
            nl=f"Het budget aan {name.nl} is op. Wacht {seconds} seconden, stuur gelijkmatiger, "
            "of vraag de beheerder van de hub om een ruimer budget.",
            en=f"The budget of {name.en} is spent. Wait {seconds} seconds, send more evenly, "
            "or ask the hub's administrator for a larger budget.",
        ),
        facts={"budget": bucket.name, "retry_after": seconds},
    )


def _too_many(most: int) -> errors.TooManyAtOnce:
    return errors.TooManyAtOnce(
        Message(
            nl=f"Ten hoogste {most} oproepen van één client tegelijk. Wacht op antwoorden.",
            en=f"At most {most} calls of one client at the same time. Wait for answers.",
        ),
        facts={"limit": most, "retry_after": 1},
    )
