"""Two tests never start something on the same ports."""

from __future__ import annotations

import os
import secrets
import socket
from typing import TYPE_CHECKING

from tests.ports import APART, FIRST, distant_ports

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def first_draw(port: int) -> Callable[[int], int]:
    """Draws the place of a port, and then as always."""
    draw, drawn = secrets.randbelow, iter([(port - FIRST) // APART])
    return lambda most: next(drawn, draw(most))


def test_a_place_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also before anything listens there: a hub takes seconds to bind its last port."""
    (first,) = distant_ports(1)
    monkeypatch.setattr(secrets, "randbelow", first_draw(first))

    assert distant_ports(1) != (first,)


def test_all_of_a_place_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub whose test asks for one port takes four more."""
    (first,) = distant_ports(1)
    monkeypatch.setattr(secrets, "randbelow", first_draw(first))
    monkeypatch.setattr("tests.ports._claimed", lambda _: os.open(os.devnull, os.O_RDONLY))
    with socket.create_server(("127.0.0.1", first + APART - 1)):
        ports = distant_ports(3)

    assert ports[0] != first
    assert ports == tuple(range(ports[0], ports[0] + 3))
