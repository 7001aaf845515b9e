"""The containers of one run, as an operator's own commands show them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVING = ("postgres", "gateway", "kafka", "relay", "route", "deliver", "kafka-door")
ONCE = ("certificates", "provision")
EVERY = (*SERVING, *ONCE)


ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Stack:
    """One compose project; `compose` is its command line."""

    compose: tuple[str, ...]
    project: str

    def backup(self, *arguments: str) -> str:
        """What deploy/containers/backup.sh printed for this project."""
        script = str(ROOT / "deploy" / "containers" / "backup.sh")
        return _run("env", f"COMPOSE_PROJECT_NAME={self.project}", "bash", script, *arguments)

    def command(self, *arguments: str) -> str:
        """What a compose command printed; its words are in a failure's text."""
        return _run(*self.compose, *arguments)

    def inside(self, service: str, *command: str) -> str:
        """What a command prints in a container that runs."""
        return self.command("exec", "-T", service, *command)

    def beside(self, service: str, *command: str, given: str = "") -> str:
        """What a command prints in a new container with the volumes and networks of a service."""
        program, *arguments = command
        run = ("run", "--rm", "--no-deps", "-T", "--entrypoint", program, service, *arguments)
        return _run(*self.compose, *run, given=given)

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container, ended or not."""
        name = self.command("ps", "-a", "-q", service).strip()
        document: dict[str, Any] = json.loads(_run("docker", "inspect", name))[0]
        return document

    def in_image(self, service: str, *command: str) -> str:
        """What a command prints in a container of a service's image, without any volume."""
        program, *arguments = command
        image = self.inspect(service)["Image"]
        return _run("docker", "run", "--rm", "--entrypoint", program, image, *arguments)

    def history(self, service: str) -> str:
        """Every command, argument and variable that a service's image was made with."""
        image = self.inspect(service)["Image"]
        made = _run("docker", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
        return made + _run("docker", "image", "inspect", image)


def _run(*command: str, given: str = "") -> str:
    ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{command}: {ran.stdout}{ran.stderr}"
    return ran.stdout
