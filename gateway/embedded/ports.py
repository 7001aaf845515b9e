"""Choosing ports that are free now and stay this hub's own."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOPBACK = "127.0.0.1"
TRIES = 200


def free_from(preferred: int) -> Iterator[int]:
    """Free loopback ports from `preferred` upwards, each once.

    Nobody holds them between this answer and their use: whoever binds a taken one says so.
    """
    for port in range(preferred, preferred + TRIES):
        if is_free(port):
            yield port


def is_free(port: int) -> bool:
    """Whether nothing listens on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
