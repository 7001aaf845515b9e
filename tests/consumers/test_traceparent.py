"""The trace header is read strictly and judged cheaply."""

import pytest

from consumers.traceparent import (
    flags_sampled,
    is_chosen,
    new_traceparent,
    parse_traceparent,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"


def test_a_valid_header_is_read_and_written_back() -> None:
    """Parsing and writing are each other's inverse."""
    context = parse_traceparent(GOOD)

    assert context is not None
    assert (context.trace_id, context.span_id, context.sampled) == (TRACE, SPAN, True)
    assert context.header() == GOOD


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """W3C: a higher version may be longer; its known part counts."""
    context = parse_traceparent(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings")

    assert context is not None
    assert context.trace_id == TRACE


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "00",
        GOOD.upper(),
        GOOD + "-more",
        GOOD[:-1],
        GOOD.replace("00-", "ff-", 1),
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-0g",
        f" {GOOD}",
        f"{GOOD}\n",
        "cc-" + GOOD[3:] + "-" + "x" * 200,
    ],
)
def test_a_bad_header_counts_as_none(header: str | None) -> None:
    """Whatever is not exactly a trace context is treated as absent."""
    assert parse_traceparent(header) is None


def test_the_flag_is_read_from_one_character() -> None:
    """Only the lowest bit of the flags asks for spans."""
    assert flags_sampled(GOOD)
    assert flags_sampled(GOOD[:-2] + "03")
    assert not flags_sampled(GOOD[:-2] + "02")
    assert not flags_sampled(None)
    assert not flags_sampled("")


def test_a_child_stays_in_its_parents_trace() -> None:
    """A new header keeps the trace, changes the span and carries the decision."""
    child = parse_traceparent(new_traceparent(GOOD, sampled=False))
    fresh = parse_traceparent(new_traceparent("nonsense", sampled=True))

    assert child is not None
    assert fresh is not None
    assert child.trace_id == TRACE
    assert child.span_id != SPAN
    assert not child.sampled
    assert fresh.trace_id != TRACE


def test_the_ratio_is_about_kept() -> None:
    """All, none, or about the share asked for; the same trace always gives the same answer."""
    traces = [new_traceparent(sampled=True)[3:35] for _ in range(2000)]

    assert all(is_chosen(trace, 1.0) for trace in traces)
    assert not any(is_chosen(trace, 0.0) for trace in traces)
    assert 100 < sum(is_chosen(trace, 0.1) for trace in traces) < 320
