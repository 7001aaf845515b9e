"""The documents tell the truth: what they name exists, and what exists is named."""

from __future__ import annotations

import re
import shlex
import subprocess
from importlib.metadata import entry_points
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import typer
import yaml

from gateway.exchange.registry_document import ROLE_NAMES, parse
from gateway.exchange.scopes import SCOPES
from gateway.settings import HubSettings
from schemas.cli import GROUP

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "deploy/README.md",
    "connectors/README.md",
]
PATH = re.compile(
    r"(?<![\w/])((?:schemas|consumers|gateway|connectors|deploy|tests|requirements)/[\w./*-]*)"
)
LINK = re.compile(r"\]\(([^)#:]+)\)")

COMMAND = re.compile(r"(?:^|`)\.venv/bin/schakel ((?!--)[^`\n]+)", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_that_is_named_exists(name: str) -> None:
    """A file or folder that a document names is there."""
    text = (ROOT / name).read_text("utf-8")
    named = {found.rstrip(".") for found in PATH.findall(text)} | set(LINK.findall(text))

    missing = [one for one in sorted(named) if not list(ROOT.glob(one.rstrip("/")))]
    assert not missing


def test_every_make_target_that_is_named_exists() -> None:
    """`make X` in the documents is a target, and `make` lists every target."""
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    targets = {line.split()[0] for line in listed.stdout.splitlines() if line.strip()}
    named = {
        target
        for name in DOCUMENTS
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", _text(name), re.MULTILINE)
    }

    assert named <= targets


def test_make_clean_leaves_a_hubs_folder_alone() -> None:
    """What `make up` keeps, its keys included, goes by nobody's slip."""
    command = ["make", "--no-print-directory", "-n", "clean"]
    planned = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert planned.stdout.split() == ["rm", "-rf", ".venv", "demo-data"]


def test_every_setting_is_described() -> None:
    """Each variable of the hub's settings stands in the operator's table."""
    text = (ROOT / "deploy" / "README.md").read_text("utf-8")

    assert not [one for one in HubSettings.model_fields if f"SCHAKEL_{one.upper()}`" not in text]


def test_every_role_and_scope_is_described() -> None:
    """Whoever takes a partner in finds every role and scope in a table of its own, and no other."""
    text = _text("deploy/README.md")

    assert set(re.findall(r"^\| `(sj_[a-z_]+)` \|", text, re.MULTILINE)) == set(SCOPES)
    table = text.partition("| role | who |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == ROLE_NAMES


def test_the_registry_file_of_the_example_is_one() -> None:
    """What an operator copies to take a partner in can be applied."""
    example = _text("deploy/README.md").partition("## Take a partner in")[2]
    content = example.partition("```yaml\n")[2].partition("```")[0]

    document = parse(yaml.safe_load(dedent(content)), "production")

    assert [one.id for one in document.clients] == ["ocmw-voorbeeld-connector"]


def test_every_command_that_is_named_exists() -> None:
    """`schakel X` in the documents is a command of this installation."""
    known = {one.name for one in entry_points(group="schakel.commands")}
    named = {
        command
        for name in DOCUMENTS
        for command in re.findall(r"`schakel ([a-z-]+)", (ROOT / name).read_text("utf-8"))
    }

    assert named
    assert named <= known


@pytest.mark.parametrize("line", COMMAND.findall(_text("README.md")))
def test_a_command_of_the_readme_is_whole(line: str) -> None:
    """What is printed has every option that it needs, and no other."""
    name, *arguments = shlex.split(line.partition(" >")[0])
    command: Any = typer.main.get_command(entry_points(group=GROUP)[name].load())
    while arguments and arguments[0] in getattr(command, "commands", {}):
        command = command.commands[arguments.pop(0)]

    assert command.make_context(name, arguments).params


def test_decisions_are_numbered_without_gaps_and_whole() -> None:
    """Each decision has the next number and says context, decision, consequences and rejected."""
    found = re.split(r"^## (?=\d+\. )", _text("DECISIONS.md"), flags=re.MULTILINE)[1:]
    parts = ["Context", "Decision", "Consequences", "Rejected"]

    assert [int(one.partition(".")[0]) for one in found] == list(range(1, len(found) + 1))
    for one in found:
        assert re.findall(r"^\*\*([A-Z][a-z]+)\.\*\*", one, re.MULTILINE) == parts, one[:60]


def test_the_changelog_is_grouped() -> None:
    """Each version has its groups once, in the order that operators read them."""
    order = ["Security", "Removed", "Deprecated", "Added", "Changed", "Fixed"]
    for version in re.split(r"^## ", _text("CHANGELOG.md"), flags=re.MULTILINE)[1:]:
        groups = re.findall(r"^### (.+)$", version, re.MULTILINE)

        assert groups == [one for one in order if one in groups]


def test_no_document_names_a_registry_or_this_machine() -> None:
    """Requirements carry hashes and no addresses."""
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text("utf-8")
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_the_licence_is_whole() -> None:
    """LICENSE holds all fifteen articles of the EUPL in order, and the appendix."""
    text = _text("LICENSE")
    articles = [int(number) for number in re.findall(r"^(\d+)\. [A-Z]", text, re.MULTILINE)]

    assert articles == list(range(1, 16))
    assert text.index("EUROPEAN UNION PUBLIC LICENCE v. 1.2") < text.index("\nAppendix\n")
    assert text.rstrip().endswith("require the production of a new EUPL version.")
