"""The trace of one request: begun once, before anything is written, and named in the answer.

A partner's W3C context is continued only when its client is registered as `trusted_trace`; everyone
else gets a fresh trace that links to it, so that nobody can write into another's. The answer names
the trace in `BelGov-Trace-Id`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from consumers.traceparent import flags_sampled, new_traceparent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumers.spans import Entry, Value

HEADER: Final = b"belgov-trace-id"
SCOPE_KEY: Final = "schakel.trace"
"""Where a request keeps its trace, in the ASGI scope."""
_ID: Final = slice(3, 35)


class Tracing(Protocol):
    """What the API uses of the spans; `consumers.spans.Tracing` is the real one."""

    def enter(self, header: str | None, *, trusted: bool) -> Entry:
        """Decide once which trace an arriving request belongs to and whether it is kept."""
        ...

    def record(
        self,
        name: str,
        traceparent: str | None,
        started_ns: int,
        ended_ns: int,
        attributes: Mapping[str, Value] | None = None,
        *,
        kind: str = "internal",
        links: Sequence[str] = (),
    ) -> None:
        """Record work that is over, when the traceparent's flag asks for it."""
        ...


class Trace(Struct, frozen=True, gc=False):
    """One request's trace: the `traceparent` to pass on, and the foreign one it links to."""

    traceparent: str
    link: str | None = None

    @property
    def trace_id(self) -> str:
        """The trace's 32 hexadecimal digits."""
        return self.traceparent[_ID]

    def header(self) -> tuple[bytes, bytes]:
        """The answer header that names the trace."""
        return (HEADER, self.trace_id.encode())


def begin(tracing: Tracing, header: bytes | str | None, *, trusted: bool) -> Trace:
    """Continue the caller's trace when it is trusted and well formed, else start one."""
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    entry = tracing.enter(text, trusted=trusted)
    return Trace(entry.traceparent, entry.link)


def is_sampled(traceparent: str) -> bool:
    """Whether the flag byte asks for spans; look here before a span library is touched."""
    return flags_sampled(traceparent)


def unsampled() -> Trace:
    """A trace for an answer that nobody authenticated for: named, never recorded."""
    return Trace(new_traceparent(sampled=False))
