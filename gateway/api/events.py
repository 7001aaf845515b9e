"""`POST /v1/events`: publish one event, a batch, or one in Avro.

A bare ASGI endpoint: authenticate, bound, parse strictly, validate, hand to the ledger, and answer
when its commit is durable. Three outcomes only: 2xx is committed, 4xx was never written, 503 is
unknown and the same call is repeated.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway import errors
from gateway.api import authentication, fair_use, limits, outcomes, parameters, problems, traces
from gateway.api.publishing import Publisher
from gateway.api.responses import send_json
from gateway.exchange.publication import PublishRequest, Unread
from schemas import strictjson
from schemas.catalogue import catalogue
from schemas.errors import Message, SchakelError
from schemas.identifiers import is_uuid

if TYPE_CHECKING:
    from gateway.api.collaborators import Collaborators
    from gateway.api.responses import Receive, Scope, Send
    from gateway.exchange.publication import ItemOutcome
    from gateway.exchange.submission import Submission
    from gateway.oauth.verifier import Principal

ONE: Final = b"application/cloudevents+json"
MANY: Final = b"application/cloudevents-batch+json"
AVRO: Final = b"application/avro"
_YIELD_EVERY: Final = 25
"""Events of a batch parsed before other requests get a turn on the event loop."""


@dataclass(slots=True)
class _Call:
    """One request while it is answered."""

    headers: dict[bytes, bytes]
    principal: Principal
    trace: traces.Trace
    language: str
    dry_run: bool
    key: str | None
    body: bytes = b""


class EventsEndpoint:
    """The bare endpoint; one a process."""

    def __init__(self, collaborators: Collaborators) -> None:
        self._verifier = collaborators.verifier
        self._registry = collaborators.registry
        self._ledger = collaborators.ledger
        self._completions = collaborators.completions
        self._tracing = collaborators.tracing
        self._publisher = Publisher(
            catalogue(), collaborators.environment, collaborators.registry, collaborators.clock
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call.

        Raises:
            SchakelError: refused or failed as a whole; nothing was sent yet.
        """
        started = time.time_ns()
        call = await self._begin(scope)
        content_type = call.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if content_type not in _READS:
            raise _unsupported()
        call.body = await limits.read_body(call.headers, receive)
        if content_type == MANY:
            status, answer = await self._many(call, fair_use.admission_of(scope))
        else:
            status, answer = await self._one(call, content_type)
        await send_json(send, status, answer, (call.trace.header(),))
        if traces.is_sampled(call.trace.traceparent):
            self._record(call, started, status)

    async def _begin(self, scope: Scope) -> _Call:
        """Everything that can be refused before the body is read."""
        headers = limits.read_headers(scope)
        principal = await authentication.authenticate_on_loop(self._verifier, scope)
        trace = traces.begin(
            self._tracing, headers.get(b"traceparent"), trusted=principal.trusted_trace
        )
        scope[traces.SCOPE_KEY] = trace
        query = scope["query_string"]
        dry_run = bool(query) and parameters.flag(parameters.query(query), "dry_run")
        key = headers.get(b"idempotency-key")
        return _Call(
            headers,
            principal,
            trace,
            problems.language_of(headers.get(b"accept-language")),
            dry_run,
            parameters.idempotency_key(key, required=False) if key is not None else None,
        )

    async def _one(self, call: _Call, content_type: bytes) -> tuple[int, dict[str, Any]]:
        """Publish one event; raises its refusal."""
        try:
            submission = self._parse_one(call, content_type)
        except SchakelError as error:
            raise outcomes.refused(error, outcomes.step_of(error)) from None
        (outcome,) = await self._settle(call, (submission,))
        if outcome.error is not None:
            raise outcomes.refused(outcome.error, outcome.step)
        answer = outcomes.single(submission.sender_event_id, outcome, call.language)
        if call.dry_run:
            answer["events"] = outcomes.decision(outcome, self._registry())
            return 200, answer
        return (201 if outcome.status == "accepted" else 200), answer

    def _parse_one(self, call: _Call, content_type: bytes) -> Submission:
        if content_type == AVRO:
            return self._publisher.binary(
                call.headers.items(), call.body, call.principal, call.trace.traceparent
            )
        body = strictjson.loads(call.body, limits.JSON_DEPTH)
        return self._publisher.structured(body, call.principal, call.trace.traceparent)

    async def _many(
        self, call: _Call, admission: fair_use.Admission | None
    ) -> tuple[int, dict[str, Any]]:
        """Publish a batch; the answer has an item for each event, in the order sent."""
        batch = _Batch(call.language)
        events = _events(call.body)
        if admission is not None:
            admission.charge(events=len(events) - 1)
        for number, body in enumerate(events):
            if number % _YIELD_EVERY == _YIELD_EVERY - 1:
                await asyncio.sleep(0)
            batch.take(body, self._publisher, call)
        if batch.submissions:
            settled = await self._settle(call, tuple(batch.submissions), tuple(batch.unread))
            batch.settle(settled)
            if call.dry_run:
                batch.show(settled, self._registry())
        return batch.status(), {"items": batch.items}

    async def _settle(
        self, call: _Call, submissions: tuple[Submission, ...], unread: tuple[Unread, ...] = ()
    ) -> tuple[ItemOutcome, ...]:
        """Wait for the commit that holds these submissions, or that refuses them."""
        digest = hashlib.sha256(call.body).digest() if call.key else None
        request = PublishRequest(submissions, call.dry_run, call.key, digest, unread)
        return await self._completions.settle(self._ledger, request)

    def _record(self, call: _Call, started: int, status: int) -> None:
        self._tracing.record(
            "POST /v1/events",
            call.trace.traceparent,
            started,
            time.time_ns(),
            {
                "http.request.method": "POST",
                "http.route": "/v1/events",
                "http.response.status_code": status,
                "schakel.actor_role": call.principal.role,
                "schakel.bytes": len(call.body),
            },
            kind="server",
            links=(call.trace.link,) if call.trace.link else (),
        )


class _Batch:
    """The items of one batch while they fill in.

    An event that is refused here blocks the later ones that name the same trajectory, subject or
    own number, as a refusal in the ledger does: they would be applied to a state that is not there.
    Those that call the case something else are blocked by the ledger, which can tell.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._refused: set[tuple[str, str]] = set()
        self.items: list[dict[str, Any]] = []
        self.submissions: list[Submission] = []
        self.unread: list[Unread] = []
        self._places: list[int] = []

    def take(self, body: Any, publisher: Publisher, call: _Call) -> None:
        """Parse one event into a submission, or into a rejected or blocked item."""
        keys = _keys_of(body)
        if not self._refused.isdisjoint(keys):
            self._refuse(keys, body, _blocked(), "ledger", "blocked")
            return
        try:
            submission = publisher.structured(body, call.principal, call.trace.traceparent)
        except SchakelError as error:
            self._refuse(keys, body, error, outcomes.step_of(error), "rejected")
            return
        self._places.append(len(self.items))
        self.submissions.append(submission)
        self.items.append({})

    def settle(self, settled: tuple[ItemOutcome, ...]) -> None:
        """Fill in what the ledger said."""
        for place, submission, outcome in zip(self._places, self.submissions, settled, strict=True):
            self.items[place] = outcomes.item(submission.sender_event_id, outcome, self._language)

    def show(self, settled: tuple[ItemOutcome, ...], registry: Any) -> None:
        """Add to a dry run's items what would have been recorded."""
        for place, outcome in zip(self._places, settled, strict=True):
            if outcome.status in outcomes.RECORDED:
                self.items[place]["events"] = outcomes.decision(outcome, registry)

    def status(self) -> int:
        """200 when all are recorded, 422 when none is, else 207."""
        recorded = sum(item["status"] in outcomes.RECORDED for item in self.items)
        if recorded == len(self.items):
            return 200
        return 207 if recorded else 422

    def _refuse(
        self, keys: set[tuple[str, str]], body: Any, error: SchakelError, step: str, status: str
    ) -> None:
        self._refused |= keys
        if isinstance(body, dict):
            self.unread.append(_unread(body, len(self.submissions)))
        self.items.append(outcomes.rejected(_id_of(body), error, step, self._language, status))


_READS: Final = frozenset({ONE, MANY, AVRO})
_ORDERED_BY: Final = ("trajectoryid", "subject", "sourcerecordid")

_WITHIN: Final = ("referral_id", "placement_id")


def _keys_of(body: Any) -> set[tuple[str, str]]:
    if not isinstance(body, dict):
        return set()
    return {
        (name, body[name]) for name in _ORDERED_BY if isinstance(body.get(name), str) and body[name]
    }


def _unread(body: dict[str, Any], before: int) -> Unread:
    """What a refused event may be told by: well-formed ids, and the own number as it is kept."""
    data = body.get("data")
    within = [data.get(name) for name in _WITHIN] if isinstance(data, dict) else []
    said = (body.get("trajectoryid"), body.get("subject"), *within)
    ids = (one.lower() for one in said if isinstance(one, str))
    number = body.get("sourcerecordid")
    return Unread(
        before,
        tuple(one for one in ids if is_uuid(one)),
        number.strip() if isinstance(number, str) else None,
    )


def _id_of(body: Any) -> str:
    """The id as sent when it is a harmless text, else empty: it goes back to its sender only."""
    found = body.get("id") if isinstance(body, dict) else None
    return found if isinstance(found, str) and len(found) <= 128 else ""  # noqa: PLR2004


def _events(body: bytes) -> list[Any]:
    events = strictjson.loads(body, limits.JSON_DEPTH)
    if not isinstance(events, list) or not events:
        raise errors.MalformedRequest(
            Message(
                nl="Een batch is een JSON-lijst van minstens één gebeurtenis.",
                en="A batch is a JSON list of at least one event.",
            )
        )
    if len(events) > limits.BATCH_EVENTS:
        raise errors.BatchTooLarge(
            Message(
                nl=f"Ten hoogste {limits.BATCH_EVENTS} gebeurtenissen in één batch.",
                en=f"At most {limits.BATCH_EVENTS} events in one batch.",
            ),
            facts={"limit": limits.BATCH_EVENTS},
        )
    return events


def _blocked() -> errors.Blocked:
    return errors.Blocked(
        Message(
            nl="Een eerdere gebeurtenis van dit traject in deze batch is geweigerd.",
            en="An earlier event of this trajectory in this batch was refused.",
        )
    )


def _unsupported() -> errors.UnsupportedMediaType:
    reads = [kind.decode() for kind in (ONE, MANY, AVRO)]
    return errors.UnsupportedMediaType(
        Message(nl=f"Stuur één van: {', '.join(reads)}.", en=f"Send one of: {', '.join(reads)}."),
        facts={"accepts": reads},
    )
