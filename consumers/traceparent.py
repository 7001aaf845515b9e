"""W3C trace context: reading, making and judging the one header, without any library.

The hot path looks here at the flag byte before a span library is touched (`hot-path.md` §7).
"""

import re
import secrets
from dataclasses import dataclass

_FORM = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_FLAGS_END = 55
_ODD = frozenset("13579bdf")
_RATIO_SPACE = 1 << 56


@dataclass(frozen=True, slots=True)
class TraceContext:
    """The parts of one `traceparent`."""

    trace_id: str
    span_id: str
    sampled: bool

    def header(self) -> str:
        """The context as a version 00 header."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse_traceparent(header: str | None) -> TraceContext | None:
    """The context in a header; None when it is missing or not valid, which W3C treats alike."""
    if not header or len(header) > 128:  # noqa: PLR2004 - far above 55, far below abuse
        return None
    match = _FORM.fullmatch(header)
    if match is None or (match[4] and header.startswith("00")):
        return None
    if match[1] == "0" * 32 or match[2] == "0" * 16:
        return None
    return TraceContext(match[1], match[2], sampled=bool(int(match[3], 16) & 1))


def flags_sampled(traceparent: str | None) -> bool:
    """Whether a header of our own making asks for spans; reads one character, checks nothing."""
    return (
        traceparent is not None
        and len(traceparent) >= _FLAGS_END
        and traceparent[_FLAGS_END - 1] in _ODD
    )


def new_traceparent(parent: str | None = None, *, sampled: bool) -> str:
    """A fresh span id, in the parent's trace when the parent is valid, else in a new trace."""
    context = parse_traceparent(parent)
    fresh = secrets.token_hex(24)  # both ids at once: the system is asked for each call
    trace_id = fresh[:32] if context is None else context.trace_id
    return TraceContext(trace_id, fresh[32:], sampled).header()


def is_chosen(trace_id: str, ratio: float) -> bool:
    """Whether a trace falls within the sampling ratio; every process answers the same."""
    return int(trace_id[-14:], 16) < ratio * _RATIO_SPACE
