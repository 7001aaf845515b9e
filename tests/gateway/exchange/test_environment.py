"""A store belongs to the environment of its first start; nothing else runs on it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.errors import EnvironmentDiffers
from gateway.exchange.environment import check_environment, keep_environment
from gateway.installing import install
from gateway.registry_parts import RegistryParts
from gateway.settings import HubSettings
from tests.ports import distant_ports
from tests.store_fixtures import engine_of, stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy.engine import Engine

__all__ = ["engine_of", "stores"]

START_SECONDS = 120.0


def test_a_store_keeps_the_environment_of_its_first_start(
    engine_of: Callable[..., Engine],
) -> None:
    """A later start changes nothing, and one that says otherwise is refused by both names."""
    writer, reader = engine_of("ledger"), engine_of("ledger", read_only=True)
    check_environment(reader, "test")
    keep_environment(writer, "production")
    keep_environment(writer, "test")

    check_environment(reader, "production")
    with pytest.raises(EnvironmentDiffers) as refused:
        check_environment(reader, "test")
    for sentence in (refused.value.detail.nl, refused.value.detail.en):
        assert "`production`" in sentence
        assert "`test`" in sentence


def test_no_process_reads_the_registry_of_another_environment(tmp_path: Path) -> None:
    """What every process with a door, the route and the gateway are made of refuses."""
    install(HubSettings(data=tmp_path, environment="production"))

    RegistryParts(HubSettings(data=tmp_path, environment="production"))
    with pytest.raises(EnvironmentDiffers):
        RegistryParts(HubSettings(data=tmp_path))


def test_a_gateway_does_not_start_on_another_environments_store(tmp_path: Path) -> None:
    """In a shell that forgot to say so, production is not gone on with as a test installation."""
    ports = distant_ports(2)
    with gateway(tmp_path, ports, SCHAKEL_ENVIRONMENT="production") as first:
        deadline = time.monotonic() + START_SECONDS
        while not (tmp_path / "admin.json").exists():
            assert first.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)

    with gateway(tmp_path, ports) as second:
        _, said = second.communicate(timeout=START_SECONDS)

    assert second.returncode == 1
    assert "`production`" in said
    assert "`test`" in said


@contextmanager
def gateway(data: Path, ports: tuple[int, ...], **said: str) -> Iterator[subprocess.Popen[str]]:
    """A gateway's process on a data folder; ends with the block."""
    unsaid = {one: text for one, text in os.environ.items() if one != "SCHAKEL_ENVIRONMENT"}
    places = {"SCHAKEL_PORT": str(ports[0]), "SCHAKEL_MANAGEMENT_PORT": str(ports[1])}
    start = "from schemas.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", start, "run", "gateway", "--data", str(data)],
        env={**unsaid, **places, "SCHAKEL_LANGUAGE": "en", **said},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
