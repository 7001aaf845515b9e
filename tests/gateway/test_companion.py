"""A process does not go on without the work beside it."""

from __future__ import annotations

import threading

import pytest

from gateway.companion import start_companion


def test_it_works_until_it_is_told_to_stop() -> None:
    """The work sees the same event that ends the process."""
    stop, began = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        stop.wait()

    thread = start_companion("beside", work, stop)
    assert began.wait(10)
    assert not stop.is_set()
    stop.set()
    thread.join(10)

    assert (thread.name, thread.is_alive()) == ("beside", False)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("is_fault", [False, True])
def test_its_end_is_the_end_of_the_process(*, is_fault: bool) -> None:
    """Whether it returned or broke."""
    stop = threading.Event()

    def work() -> None:
        if is_fault:
            raise RuntimeError

    start_companion("beside", work, stop).join(10)

    assert stop.is_set()
