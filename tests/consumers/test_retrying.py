"""The contract's numbers: what an answer means, and how long is waited."""

import email.utils

import pytest

from consumers import retrying
from consumers.retrying import HOUR_US, SECOND_US


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, "delivered") for status in (200, 201, 202, 204, 299)),
        *((status, "refused") for status in (101, 300, 301, 302, 307, 308, 304)),
        *((status, "refused") for status in (400, 401, 403, 404, 409, 413, 415, 422, 451)),
        *((status, "retry") for status in (408, 425, 429, 500, 502, 503, 504, 599)),
        (410, "gone"),
    ],
)
def test_what_a_status_means(status: int, kind: str) -> None:
    """Only 2xx is success; a request at fault is not repeated."""
    assert retrying.of_answer(status, None, 0).kind == kind


def test_silence() -> None:
    """A certificate that does not hold is final, everything else may pass."""
    assert retrying.of_silence("tls_failed").kind == "refused"
    for reason in ("timeout", "connection_failed", "name_unknown", "address_refused"):
        assert retrying.of_silence(reason).kind == "retry"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("99999999999", 86_400),
        (email.utils.formatdate(1_000_090, usegmt=True), 90),
        (email.utils.formatdate(999_000, usegmt=True), 0),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        (None, None),
    ],
)
def test_retry_after(value: str | None, seconds: int | None) -> None:
    """Seconds or a date, a day at most; nonsense is no wish. Only for 429 and 503."""
    held = retrying.of_answer(429, value, 1_000_000).hold_us

    assert held == (None if seconds is None else seconds * SECOND_US)
    assert retrying.of_answer(500, value, 1_000_000).hold_us is None


def test_waits_double_and_stay_in_proportion() -> None:
    """0.1 s, 0.2 s, ... and never more than an eighth of the outage or a quarter of an hour."""
    first = [retrying.wait_us(tries, 0, 1.0) / SECOND_US for tries in range(1, 7)]

    assert first == [0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
    assert retrying.wait_us(50, 80 * SECOND_US, 1.0) == 10 * SECOND_US
    assert retrying.wait_us(5000, 70 * HOUR_US, 1.0) == 15 * 60 * SECOND_US
    assert retrying.wait_us(1, 0, 0.0) == 50_000


def test_probes() -> None:
    """An eighth of the outage, one second at least and a minute at most."""
    found = [retrying.probe_us(one * SECOND_US, 1.0) // SECOND_US for one in (0, 60, 480, 10**6)]

    assert found == [1, 7, 60, 60]
    assert retrying.probe_us(0, 0.0) == SECOND_US // 2


def test_what_fails_together_is_tried_again_together() -> None:
    """Times of one tenth of a second become one, which is never earlier and hardly later."""
    tenth = SECOND_US // 10

    assert [retrying.together(at) for at in (1, tenth - 1, tenth)] == [tenth] * 3
    assert retrying.together(tenth + 1) == 2 * tenth
