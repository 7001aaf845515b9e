"""The HTTP interface as one ASGI application.

Publishing and the feed are bare endpoints, because a web framework costs more there than the work
itself; everything else is ordinary FastAPI. All of it shares the limits, the trace header and the
one problem handler.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from traceback import extract_tb
from typing import TYPE_CHECKING, Final

import structlog

from gateway.api import fair_use, limits, problems, traces
from gateway.api.events import EventsEndpoint
from gateway.api.feed import FeedEndpoint
from gateway.api.framework import framework_app
from gateway.api.responses import send_bytes
from gateway.api.waiters import Waiters
from schemas.errors import SchakelError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.api.collaborators import Collaborators
    from gateway.api.responses import Message, Receive, Scope, Send

    Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]

FEED_THREADS: Final = 3
"""Few, because rendering holds the interpreter's lock most of the time (`hot-path.md` §3)."""

_log = structlog.get_logger(__name__)


class Gateway:
    """The ASGI application. Make it with `create_app`; it serves one event loop."""

    def __init__(self, collaborators: Collaborators) -> None:
        self._completions = collaborators.completions
        self._fair_use = collaborators.fair_use
        self._certificates = collaborators.certificates
        self._waiters = Waiters(collaborators.wake, collaborators.feed.positions)
        self._pool = ThreadPoolExecutor(FEED_THREADS, "feed")
        feed = FeedEndpoint(
            verifier=collaborators.verifier,
            feed=collaborators.feed,
            waiters=self._waiters,
            tracing=collaborators.tracing,
            programmes=lambda: tuple(collaborators.registry().rules.programmes()),
            pool=self._pool,
        )
        self._bare: dict[str, tuple[str, Endpoint]] = {
            "/v1/events": ("POST", EventsEndpoint(collaborators)),
            "/v1/feed": ("GET", feed),
        }
        self._framework: Endpoint = limits.BoundedBody(framework_app(collaborators))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the start and end of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            return
        scope[fair_use.USE_KEY] = self._fair_use
        send = fair_use.telling(scope, send)
        if scope["method"] not in fair_use.READS and fair_use.announced_length(scope) is None:
            receive = fair_use.counting(scope, receive)
        try:
            await self._serve(scope, receive, send)
        finally:
            admission = fair_use.admission_of(scope)
            if admission is not None:
                admission.leave()

    def drain(self) -> None:
        """Let long polls go and make no new ones wait: the process ends. On the event loop."""
        self._waiters.release()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever becomes of it."""
        bare = self._bare.get(scope["path"])
        try:
            self._certificates.settle(scope)
            if bare is None:
                await self._framed(scope, receive, send)
            elif bare[0] == scope["method"]:
                await bare[1](scope, receive, send)
            else:
                await send_problem(scope, send, problems.from_status(405, allow=bare[0]))
        except limits.ClientGone:
            return
        except Exception as error:  # noqa: BLE001 - the edge: the caller always gets an answer
            if not isinstance(error, SchakelError):
                _log_failure(scope, error)
            await send_problem(scope, send, problems.from_failure(error))

    async def _framed(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve through the web framework; its answers carry the trace header too."""
        limits.check_length(limits.read_headers(scope))
        _trace_of(scope)

        has_started = False

        async def traced(message: Message) -> None:
            nonlocal has_started
            has_started = True
            if message["type"] == "http.response.start":
                header = _trace_of(scope).header()
                headers = list(message.get("headers", ()))
                if all(name != header[0] for name, _ in headers):
                    headers.append(header)
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self._framework(scope, receive, traced)
        except Exception as error:
            if not has_started:
                raise
            # Starlette answers an unexpected failure and raises it all the same, to be logged.
            _log_failure(scope, error)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._waiters.start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._completions.abandon()
                self._waiters.stop()
                self._pool.shutdown(wait=False, cancel_futures=True)
                await send({"type": "lifespan.shutdown.complete"})
                return


def create_app(collaborators: Collaborators) -> Gateway:
    """The whole HTTP interface on these collaborators."""
    return Gateway(collaborators)


async def send_problem(scope: Scope, send: Send, error: SchakelError) -> None:
    """Answer with a problem, in the caller's language."""
    language = next((value for name, value in scope["headers"] if name == b"accept-language"), None)
    answer = problems.problem(
        error, language=problems.language_of(language), trace_id=_trace_of(scope).trace_id
    )
    await send_bytes(send, answer.status, problems.CONTENT_TYPE, answer.body, answer.headers)


def _log_failure(scope: Scope, error: Exception) -> None:
    """Log where it failed, never the message: that may repeat what was sent."""
    places = [f"{frame.name}:{frame.lineno}" for frame in extract_tb(error.__traceback__)[-6:]]
    _log.error(
        "request_failed",
        error=type(error).__name__,
        at=" ".join(places),
        trace_id=_trace_of(scope).trace_id,
    )


def _trace_of(scope: Scope) -> traces.Trace:
    """The request's trace; made now when the request was refused before it had one."""
    trace = scope.get(traces.SCOPE_KEY)
    if not isinstance(trace, traces.Trace):
        trace = scope[traces.SCOPE_KEY] = traces.unsampled()
    return trace
