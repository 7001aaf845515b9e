"""The ports of a hub: chosen once, never one that another program uses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.embedded.hub import HUB_LOCK, Hub
from gateway.embedded.installation import ensure_installation
from gateway.embedded.locks import is_locked
from gateway.errors import PortSettled, PortTaken
from gateway.settings import load
from tests.ports import distant_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHAKEL = Path(sys.executable).parent / "schakel"


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    """Another program on a port."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield int(other.getsockname()[1])


def test_a_taken_port_is_not_chosen(tmp_path: Path) -> None:
    """It is said before anything is written, so that the next try may choose another."""
    with listening() as port, pytest.raises(PortTaken, match=str(port)):
        ensure_installation(tmp_path / "data", port)
    assert not (tmp_path / "data").exists()

    (free,) = distant_ports(1)
    assert f"port = {free}\n" in ensure_installation(tmp_path / "data", free).read_text()


def test_another_port_than_the_settled_one_is_said(tmp_path: Path) -> None:
    """The same port and none are taken; another is not ignored."""
    (port,) = distant_ports(1)
    ensure_installation(tmp_path, port)
    ensure_installation(tmp_path, port)
    ensure_installation(tmp_path, None)
    with pytest.raises(PortSettled, match=rf"hub\.toml says port {port}"):
        ensure_installation(tmp_path, port + 1)


def test_a_stranger_on_the_settled_port_is_not_the_gateway(tmp_path: Path) -> None:
    """It is named by its port and by the file that settles it; nothing is left running."""
    ensure_installation(tmp_path, *distant_ports(1))
    with listening(load(tmp_path).port) as port:
        hub = Hub(tmp_path, port=None, report=lambda _: None)
        with pytest.raises(PortTaken, match=rf"{port}.*hub\.toml"):
            hub.start()
    assert not is_locked(tmp_path / HUB_LOCK)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_start_can_be_interrupted(tmp_path: Path, number: signal.Signals) -> None:
    """It ends without starting the rest, and leaves nothing running."""
    port = str(*distant_ports(1))
    started = subprocess.Popen(
        [str(SCHAKEL), "up", "--data", str(tmp_path), "--port", port],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SCHAKEL_LANGUAGE": "en"},
    )
    assert started.stderr is not None
    assert started.stderr.readline() == "Starting the gateway\n"
    started.send_signal(number)
    printed, told = started.communicate(timeout=60)
    assert (started.returncode, printed) == (0, "")
    assert told == "Stopped before everything ran\n"
    assert not is_locked(tmp_path / HUB_LOCK)
