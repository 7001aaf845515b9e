"""A connection serves one exchange at a time, and is kept only as long as it is of use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpcore
import pytest

from consumers import connections
from consumers.connections import Connections

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = httpcore.Origin(b"https", b"here.example.org", 443)
THERE = httpcore.Origin(b"https", b"there.example.org", 443)


class Connection(httpcore.HTTPConnection):
    """Goes nowhere; says of itself what a test wants."""

    closed = False
    idle = True
    expired = False

    def is_idle(self) -> bool:
        """Whether it can serve another."""
        return self.idle

    def has_expired(self) -> bool:
        """Whether the other side closed it."""
        return self.expired

    def close(self) -> None:
        """Note it."""
        self.closed = True


@pytest.fixture
def kept() -> Connections:
    """None so far."""
    return Connections(Connection)


def used(kept: Connections, *origins: httpcore.Origin) -> list[Connection]:
    """One connection to each, all at once."""
    if not origins:
        return []
    with kept.lent(origins[0]) as one:
        assert isinstance(one, Connection)
        return [one, *used(kept, *origins[1:])]


def closed(all_of_them: Sequence[Connection]) -> list[bool]:
    """Which of them were closed."""
    return [one.closed for one in all_of_them]


def test_the_last_one_that_was_given_back_serves_next(kept: Connections) -> None:
    """And only its own origin."""
    first, second = used(kept, HERE, HERE)
    (again,) = used(kept, HERE)
    (other,) = used(kept, THERE)

    assert again is first
    assert other not in {first, second}


def test_one_that_cannot_go_on_is_closed(kept: Connections) -> None:
    """After an answer that was cut off, and after an error."""
    with kept.lent(HERE) as cut:
        assert isinstance(cut, Connection)
        cut.idle = False
    with pytest.raises(httpcore.ReadTimeout), kept.lent(HERE) as late:
        raise httpcore.ReadTimeout
    (fresh,) = used(kept, HERE)

    assert isinstance(late, Connection)
    assert closed([cut, late]) == [True, True]
    assert fresh not in {cut, late}


def test_one_that_the_receiver_closed_is_not_used(kept: Connections) -> None:
    """The next that is still open is."""
    opened, gone = reversed(used(kept, HERE, HERE))
    gone.expired = True

    assert used(kept, HERE) == [opened]
    assert gone.closed


def test_idle_ones_go_after_a_while(kept: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives one back closes those of any origin that were left alone for too long."""
    old = used(kept, HERE, THERE)
    monkeypatch.setattr(connections, "IDLE_SECONDS", -1.0)
    last = used(kept, HERE)

    assert last == [old[0]]
    assert closed(old) == [True, True]


def test_the_oldest_of_too_many_go(kept: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many stay as are kept at most."""
    monkeypatch.setattr(connections, "MOST_IDLE", 2)
    many = used(kept, HERE, THERE, HERE, THERE)  # the last is given back first

    assert closed(many) == [False, False, True, True]


def test_closing_ends_what_nobody_uses(kept: Connections) -> None:
    """All of them, of all origins."""
    many = used(kept, HERE, THERE)
    kept.close()

    assert closed(many) == [True, True]
