"""The hub in containers, from deploy/compose.yaml, on ports and volumes of this run alone."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import import_key

from connectors.client import HubClient
from connectors.credentials import load_credentials, parse_credentials
from tests.containers.stack import ROOT, Stack
from tests.ports import distant_ports

if TYPE_CHECKING:
    from pytest_docker.plugin import Services

SCHAKEL = str(Path(sys.executable).parent / "schakel")
START_SECONDS = 120.0
DELIVERY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class ContainedHub:
    """A hub that answers, with the demo registry loaded."""

    url: str
    kafka: str
    folder: Path

    def client(self, client_id: str) -> HubClient:
        """A client of the demo registry, with a new key from the administrator."""
        return HubClient(self.url, load_credentials(self._credentials(client_id)))

    def token(self, client_id: str, resource: str) -> str:
        """An access token of that client, for the gateway or for Kafka."""
        known = json.loads(self._credentials(client_id).read_text("utf-8"))
        now = int(time.time())
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": known["issuer"],
            "iat": now,
            "exp": now + 50,
            "jti": str(uuid.uuid4()),
        }
        form = {
            "grant_type": "client_credentials",
            "resource": resource,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(
                {"alg": "ES256"}, claims, import_key(known["private_key"])
            ),
        }
        answer = httpx.post(f"{self.url}/oauth/token", data=form)
        assert answer.status_code == httpx.codes.OK, answer.text
        return str(answer.json()["access_token"])

    def kafka_client(self, participant: str) -> str:
        """The id of a client of that participant that may ask for Kafka's tokens."""
        client_id = f"{participant}-kafka"
        file = self.folder / f"{client_id}.json"
        if not file.exists():
            wanted = ("--participant", participant, "--scope", "sj_kafka_read", "--out", str(file))
            self.administer("client", "create", client_id, *wanted)
        return client_id

    def administer(self, *arguments: str) -> None:
        """Run an administrator's command on this machine; its words are in a failure's text."""
        administrator = str(self.folder / "admin.json")
        ran = subprocess.run(
            [SCHAKEL, *arguments, "--hub", self.url, "--credentials", administrator],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def answers(self) -> bool:
        """Whether the gateway shows its key set."""
        try:
            return httpx.get(f"{self.url}/oauth/jwks", timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _credentials(self, client_id: str) -> Path:
        file = self.folder / f"{client_id}.json"
        if not file.exists():
            self.administer("client", "rotate", client_id, "--out", str(file))
        return file


@pytest.fixture(scope="session", autouse=True)
def compose_settings() -> dict[str, str]:
    """What compose.yaml asks of the environment; ports that nothing else uses."""
    gateway, kafka = distant_ports(2)
    settings = {
        "DOCKER_BUILDKIT": "0",
        "COMPOSE_DOCKER_CLI_BUILD": "0",
        "SCHAKEL_ENVIRONMENT": "test",
        "SCHAKEL_PORT": str(gateway),
        "SCHAKEL_KAFKA_PORT": str(kafka),
        "SCHAKEL_POSTGRES_PASSWORD": secrets.token_hex(16),
    }
    os.environ.update(settings)
    return settings


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """The file that operators use, as it is."""
    return str(ROOT / "deploy" / "compose.yaml")


@pytest.fixture(scope="session")
def docker_compose_command() -> str:
    """Compose v2 where there is one, else 1.29."""
    v2 = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)  # noqa: S607
    return "docker-compose" if v2.returncode else "docker compose"


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """Nothing: `stack` starts them, so that they are removed also when they do not start."""
    return []


@pytest.fixture(scope="session")
def stack(
    docker_services: Services,
    docker_compose_command: str,
    docker_compose_file: str,
    docker_compose_project_name: str,
) -> Stack:
    """The containers, all started; compose.yaml says what waits for what."""
    del docker_services
    where = ("-f", docker_compose_file, "-p", docker_compose_project_name)
    stack = Stack((*docker_compose_command.split(), *where), docker_compose_project_name)
    try:
        stack.command("up", "--build", "-d")
    except AssertionError as error:
        error.add_note(stack.command("logs", "--tail", "30"))
        raise
    return stack


@pytest.fixture(scope="session")
def hub(
    stack: Stack, compose_settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> ContainedHub:
    """The running hub with the demo registry."""
    folder = tmp_path_factory.mktemp("credentials")
    running = ContainedHub(
        f"http://127.0.0.1:{compose_settings['SCHAKEL_PORT']}",
        f"127.0.0.1:{compose_settings['SCHAKEL_KAFKA_PORT']}",
        folder,
    )
    await_answer(running)
    read = stack.inside("gateway", "cat", "/data/admin.json")
    assert parse_credentials(read).client_id
    file = folder / "admin.json"
    file.touch(mode=0o600)
    file.write_text(read, encoding="utf-8")
    registry = ROOT / "deploy" / "demo" / "registry.yaml"
    running.administer("registry", "apply", str(registry), "--yes")
    return running


def await_answer(hub: ContainedHub) -> None:
    """Return once the gateway answers.

    Raises:
        AssertionError: it did not in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while not hub.answers():
        assert time.monotonic() < deadline, "the gateway does not answer"
        time.sleep(0.3)
