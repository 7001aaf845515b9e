"""What is kept of an answer says why, and nothing about anybody."""

from __future__ import annotations

import json

import pytest

from consumers.excerpts import LEFT_OUT, LONGEST, excerpt

SENT = json.dumps(
    {"id": "e", "data": {"person": {"family_name": "Van Testeren"}, "codes": ["work_rhythm"]}}
).encode()


@pytest.mark.parametrize(
    "answer",
    [
        "no such person: van testeren",
        "unknown: TESTEREN",
        "code work_rhythm is not ours",
        "mail somebody@example.org",
        "telephone +32 000 12 34 56",
        "71.64.12-123.01 is no number",
        "she has a depressie",
    ],
)
def test_what_may_be_about_somebody_is_left_out(answer: str) -> None:
    """Whatever repeats the event, or looks like a number, an address or health."""
    assert excerpt(answer.encode(), SENT) == LEFT_OUT


@pytest.mark.parametrize(
    "answer",
    [
        rb'{"unknown": "Testkanari\u00ebnveld"}',
        rb"unknown: Testkanari\xebnveld",
        b"unknown: Testkanari%C3%ABnveld",
        b"<p>unknown: Testkanari&#235;nveld</p>",
        b"<p>unknown: Testkanari&euml;nveld</p>",
        b"unknown: TESTKANARIENVELD",
        "unknown: Testkanariënveld".encode("cp1252"),
        "unknown: Testkanariënveld".encode("utf-16-le"),
        "unknown: Testkanariënveld".encode("utf-16"),
        b"mail somebody%40example.org",
    ],
)
def test_a_name_is_seen_however_it_is_written(answer: bytes) -> None:
    """Escaped as JSON, Python, URLs or HTML do, in another encoding, or without its accent."""
    sent = json.dumps({"data": {"person": {"family_name": "Testkanariënveld"}}}).encode()

    assert excerpt(answer, sent) == LEFT_OUT


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"", None),
        (b" \r\n\x00 ", None),
        (b"unknown tenant", "unknown tenant"),
        (b"two\nlines\x1b[31m", "two lines [31m"),
        (b"\xff\xfe bytes", "\ufffd\ufffd bytes"),
        (b"x " * 1000, "x " * (LONGEST // 2)),
    ],
)
def test_the_rest_is_kept_short_and_printable(answer: bytes, kept: str | None) -> None:
    """One line of at most 300 characters, without control characters."""
    assert excerpt(answer, SENT) == kept


def test_what_was_sent_need_not_be_json() -> None:
    """Then only the patterns are looked for."""
    assert excerpt(b"fine", b"not json") == "fine"
    assert excerpt(b"fine", b"[]") == "fine"
