"""The hub in containers, from deploy/compose.yaml, on ports and volumes of this run alone."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from connectors.client import HubClient
from connectors.credentials import load_credentials, parse_credentials
from gateway.embedded.kafka_process import free_ports

if TYPE_CHECKING:
    from pytest_docker.plugin import Services

ROOT = Path(__file__).parents[2]
SCHAKEL = str(Path(sys.executable).parent / "schakel")
START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class ContainedHub:
    """A hub that answers, with the demo registry loaded."""

    url: str
    folder: Path

    def client(self, client_id: str) -> HubClient:
        """A client of the demo registry, with a new key from the administrator."""
        file = self.folder / f"{client_id}.json"
        if not file.exists():
            self.administer("client", "rotate", client_id, "--out", str(file))
        return HubClient(self.url, load_credentials(file))

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


@pytest.fixture(scope="session", autouse=True)
def compose_settings() -> dict[str, str]:
    """What compose.yaml asks of the environment; ports that nothing else uses."""
    gateway, kafka = free_ports(2)
    settings = {
        "DOCKER_BUILDKIT": "0",
        "COMPOSE_DOCKER_CLI_BUILD": "0",
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
def docker_setup(compose_settings: dict[str, str]) -> list[str]:
    """Without --wait, which 1.29 does not know."""
    del compose_settings
    return ["up --build -d"]


@pytest.fixture(scope="session")
def compose(
    docker_compose_command: str, docker_compose_file: str, docker_compose_project_name: str
) -> list[str]:
    """The compose command line of this run."""
    where = ["-f", docker_compose_file, "-p", docker_compose_project_name]
    return [*docker_compose_command.split(), *where]


@pytest.fixture(scope="session")
def hub(
    docker_services: Services,
    compose_settings: dict[str, str],
    compose: list[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> ContainedHub:
    """The running hub with the demo registry."""
    url = f"http://127.0.0.1:{compose_settings['SCHAKEL_PORT']}"
    docker_services.wait_until_responsive(
        timeout=START_SECONDS, pause=0.5, check=lambda: _answers(f"{url}/oauth/jwks")
    )
    read = subprocess.run(
        [*compose, "exec", "-T", "gateway", "cat", "/data/admin.json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert parse_credentials(read.stdout).client_id
    folder = tmp_path_factory.mktemp("credentials")
    file = folder / "admin.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(json.loads(read.stdout)), encoding="utf-8")
    running = ContainedHub(url, folder)
    registry = ROOT / "deploy" / "demo" / "registry.yaml"
    running.administer("registry", "apply", str(registry), "--yes")
    return running


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
