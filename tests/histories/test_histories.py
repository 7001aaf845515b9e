"""Random actors cannot bring the exchange into a state that may not be; `make world` runs more."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.histories.machine import Exchange


def test_no_history_breaks_an_invariant() -> None:
    """Whatever random actors send, in whatever order, every invariant holds."""
    small = settings(
        max_examples=25,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Exchange, settings=small)
