"""Each container may do, reach and read what its own role needs, and nothing else."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers.conftest import START_SECONDS
from tests.containers.stack import EVERY, SERVING

if TYPE_CHECKING:
    from tests.containers.conftest import ContainedHub
    from tests.containers.stack import Stack

pytestmark = [pytest.mark.containers, pytest.mark.timeout(540)]

# Where volumes are mounted, and the files with keys that each container finds there.
FOLDERS = ("/tls", "/certificates", "/keys", "/data/keys", "/data/admin.json")
KEYS = {
    "gateway": {"/keys/kek.json", "/data/admin.json"},
    "kafka": {"/tls/broker.pem"},
    "provision": {"/tls/admin.pem"},
    "relay": {"/tls/relay.pem"},
    "route": {"/tls/route.pem"},
    # To read only: what they send they have to open.
    "deliver": {"/keys/kek.json"},
    "kafka-door": {"/keys/kek.json", "/tls/kafka-door.pem"},
}
STORE_USERS = {"postgres", "gateway", "relay", "route", "deliver", "kafka-door"}


@pytest.mark.parametrize("service", SERVING)
def test_a_process_has_no_power_over_the_machine(stack: Stack, service: str) -> None:
    """It is not root, holds no capability and can gain none."""
    status = dict(
        line.split(":\t", 1)
        for line in stack.inside(service, "cat", "/proc/1/status").splitlines()
        if ":\t" in line
    )

    assert "0" not in status["Uid"].split()
    assert {int(status[one], 16) for one in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", EVERY)
def test_a_container_is_bounded(stack: Stack, service: str) -> None:
    """Its root file system is read-only; memory and processes have a limit; logs too."""
    host = stack.inspect(service)["HostConfig"]

    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert not host["Privileged"]
    assert 0 < host["Memory"] <= 512 * 1024 * 1024
    assert 0 < host["PidsLimit"] <= 256
    assert host["LogConfig"]["Config"]["max-size"]


@pytest.mark.parametrize("service", SERVING)
def test_the_program_cannot_be_changed(stack: Stack, service: str) -> None:
    """Nothing in the image can be written from inside."""
    tried = stack.inside(service, "bash", "-c", "(: >/opt/x) 2>&1 || true")

    assert "Read-only file system" in tried


@pytest.mark.parametrize("service", KEYS)
def test_a_container_holds_its_own_keys_only(stack: Stack, service: str) -> None:
    """No role finds another's private key, and only the gateway the key-encryption key."""
    listed = stack.beside(
        service, "bash", "-c", f"find {' '.join(FOLDERS)} -type f 2>/dev/null || true"
    )

    assert set(listed.split()) - {"/tls/ca.pem"} == KEYS[service]


@pytest.mark.parametrize("service", EVERY)
def test_only_users_of_the_database_know_its_password(stack: Stack, service: str) -> None:
    """The password is in the environment of those that connect, and of no other."""
    password = os.environ["SCHAKEL_POSTGRES_PASSWORD"]
    variables = "\n".join(stack.inspect(service)["Config"]["Env"])

    assert (password in variables) is (service in STORE_USERS)


@pytest.mark.parametrize("service", ["gateway", "postgres"])
def test_an_image_holds_no_secret(stack: Stack, service: str) -> None:
    """Neither the password nor a key was used to make it, and what it holds is no data."""
    history = stack.history(service)

    assert os.environ["SCHAKEL_POSTGRES_PASSWORD"] not in history
    assert "PASSWORD" not in history
    assert "PRIVATE KEY" not in history


def test_a_new_volume_starts_empty(stack: Stack) -> None:
    """The image's own folders for data and keys hold no file."""
    assert not stack.in_image(
        "gateway", "find", "/data", "/keys", "/tls", "/kafka", "/certificates", "-type", "f"
    )
    assert not stack.in_image("postgres", "find", "/data", "-type", "f")


def test_two_ports_are_published_on_loopback(stack: Stack) -> None:
    """Programs on the machine reach the gateway and Kafka's client listener, and nothing else."""
    published = {
        (service, port): [one["HostIp"] for one in bound]
        for service in EVERY
        for port, bound in (stack.inspect(service)["HostConfig"]["PortBindings"] or {}).items()
    }

    assert published == {
        ("gateway", f"{os.environ['SCHAKEL_PORT']}/tcp"): ["127.0.0.1"],
        ("kafka", "9092/tcp"): ["127.0.0.1"],
    }


def test_kafka_cannot_reach_the_database(stack: Stack) -> None:
    """The database's network is closed to those that need no database."""
    networks = {
        service: set(stack.inspect(service)["NetworkSettings"]["Networks"]) for service in EVERY
    }
    with_store = {one for one, names in networks.items() if networks["postgres"] & names}

    assert with_store == STORE_USERS


@pytest.mark.parametrize("service", SERVING)
def test_a_container_becomes_healthy(hub: ContainedHub, stack: Stack, service: str) -> None:
    """Its health check passes once the hub works."""
    del hub
    deadline = time.monotonic() + START_SECONDS
    health: dict[str, Any] = stack.inspect(service)["State"]["Health"]
    while health["Status"] != "healthy" and time.monotonic() < deadline:
        time.sleep(0.5)
        health = stack.inspect(service)["State"]["Health"]

    assert health["Status"] == "healthy", health


def test_a_health_check_can_fail(stack: Stack) -> None:
    """Where no gateway answers, the gateway's health check says so."""
    said = stack.beside(
        "route", "bash", "-c", "/opt/schakel/healthy.sh gateway 2>/dev/null || echo unhealthy"
    )

    assert said.strip() == "unhealthy"
