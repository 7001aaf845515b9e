"""deploy/compose.yaml passes on what deploy/README.md says that an operator may set there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from gateway.settings import HubSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[1]
ROW = re.compile(r"^\| (`SCHAKEL_.+) \| .+ \| .+ \| (.+) \| (passed|fixed|no) \|$", re.MULTILINE)
NAME = re.compile(r"`([A-Z_]+|[a-z-]+)`")
# Ports are said inside too, so that the addresses that follow from them are the published ones.
NOT_LEFT_OUT = {
    "SCHAKEL_ENVIRONMENT": "${SCHAKEL_ENVIRONMENT:?set SCHAKEL_ENVIRONMENT to test or production}",
    "SCHAKEL_PORT": "${SCHAKEL_PORT:-8080}",
    "SCHAKEL_KAFKA_PORT": "${SCHAKEL_KAFKA_PORT:-9092}",
}


def services() -> Mapping[str, Mapping[str, Any]]:
    """The services of compose.yaml, with what they are merged from."""
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
        (ROOT / "deploy" / "compose.yaml").read_text("utf-8")
    )["services"]
    return found


def settings() -> Iterator[tuple[str, frozenset[str], str]]:
    """Each variable of the README's table, the services that read it, and whether it is passed."""
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")
    for variables, readers, how in ROW.findall(text):
        for name in NAME.findall(variables):
            yield name, _readers(readers), how


def _readers(text: str) -> frozenset[str]:
    if text == "commands":  # an operator runs them in the gateway's container
        return frozenset({"gateway"})
    named = frozenset(NAME.findall(text))
    if not text.startswith("all"):
        return named
    processes = {one for one, what in services().items() if "run" in what.get("command", ())}
    return frozenset(processes - named)


def test_every_setting_says_who_reads_it() -> None:
    """No variable of the hub is missing from the table of settings, and none stands there twice."""
    listed = [name for name, _, _ in settings()]

    assert {f"SCHAKEL_{one.upper()}" for one in HubSettings.model_fields} <= set(listed)
    assert len(listed) == len(set(listed))
    assert all(readers for _, readers, _ in settings())


@pytest.mark.parametrize(
    ("name", "readers"), [(name, readers) for name, readers, how in settings() if how == "passed"]
)
def test_what_an_operator_exports_reaches_the_processes(name: str, readers: frozenset[str]) -> None:
    """Each service that reads the variable has it from the shell, and what is unset stays unset."""
    for service in readers:
        environment = services()[service]["environment"]
        assert name in environment, service
        assert environment[name] == NOT_LEFT_OUT.get(name), service


@pytest.mark.parametrize("name", [name for name, _, how in settings() if how != "passed"])
def test_what_is_fixed_is_not_taken_from_the_shell(name: str) -> None:
    """What the table calls fixed, or of no use in containers, no service takes from the shell."""
    for service, what in services().items():
        environment = what.get("environment", {})
        assert environment.get(name, "") is not None, service
        assert f"${{{name}" not in str(environment.get(name)), service
