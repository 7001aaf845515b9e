"""Who waits for the ledger's writer, and behind whom: orders and counts, no clocks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.exchange.turns import Turns


def drained(turns: Turns[str]) -> list[str]:
    """Everything that waits, in the order in which it is taken."""
    found = []
    while (one := turns.take()) is not None:
        found.append(one[0])
    return found


def test_each_sender_gets_its_turn() -> None:
    """One of each, then again one of each; a sender's own order stays."""
    turns: Turns[str] = Turns(100, 100)
    for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
        turns.put(name[0], name, 1)

    assert drained(turns) == ["a1", "b1", "c1", "a2", "b2", "a3"]


@given(backlog=st.integers(0, 400), before=st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_a_backlog_of_one_does_not_move_another_back(backlog: int, before: int) -> None:
    """Whatever the noisy one has waiting, and whenever: at most one of its requests goes before."""
    turns: Turns[str] = Turns(10_000, 5_000)
    for number in range(min(before, backlog)):
        turns.put("noisy", f"n{number}", 1)
    turns.put("quiet", "q", 1)
    for number in range(min(before, backlog), backlog):
        turns.put("noisy", f"n{number}", 1)

    assert drained(turns).index("q") <= 1


def test_one_sender_takes_a_share_and_no_more() -> None:
    """It is refused at its share while another still gets a place; places come back when done."""
    turns: Turns[str] = Turns(10, 5)
    assert all(turns.put("noisy", "n", 1) for _ in range(5))
    assert not turns.put("noisy", "n", 1)
    assert turns.put("quiet", "q", 5)
    assert not turns.put("third", "t", 1)

    while turns.take():
        pass
    assert not turns.put("noisy", "n", 1)  # still being written
    turns.done("noisy", 5)
    assert turns.put("noisy", "n", 1)
    assert turns.size == 6


def test_one_request_larger_than_the_share_is_taken_alone() -> None:
    """A whole batch always gets in when its sender has nothing else waiting."""
    turns: Turns[str] = Turns(10, 5)

    assert turns.put("a", "batch", 8)
    assert not turns.put("a", "one", 1)
