"""One seed, one world: the same bytes whenever and wherever it is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.credentials import load_credentials
from connectors.errors import WorldUnreadable
from connectors.world import registry, world
from connectors.world.organisations import ORGANISATIONS
from connectors.world.script import Sending, Sight
from gateway.exchange.registry_document import parse, read_yaml

PEOPLE = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world; nobody changes it."""
    folder = tmp_path_factory.mktemp("world")
    world.generate(7, PEOPLE, folder)
    return folder


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(made: Path, tmp_path: Path) -> None:
    """Also in another process, whatever order its sets and hashes have."""
    command = [str(Path(sys.executable).parent / "schakel"), "world", "generate"]
    command += ["--seed", "7", "--people", str(PEOPLE), "--out", str(tmp_path / "there"), "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo"}
    subprocess.run(command, env=environment, check=True, capture_output=True)

    assert _contents(made) == _contents(tmp_path / "there")


def test_another_seed_gives_another_world(made: Path, tmp_path: Path) -> None:
    """The play and the keys differ; who takes part does not."""
    world.generate(8, PEOPLE, tmp_path)
    seven, eight = _contents(made), _contents(tmp_path)

    assert seven.keys() == eight.keys()
    assert not [name for name in seven if seven[name] == eight[name]]


def test_more_people_leave_the_others_as_they_are(made: Path, tmp_path: Path) -> None:
    """Somebody's steps do not depend on how many there are."""
    world.generate(7, 5, tmp_path)
    few = (tmp_path / world.STEPS).read_bytes().splitlines()
    more = (made / world.STEPS).read_bytes().splitlines()

    assert set(few) < set(more)


def test_what_was_written_is_what_is_read(made: Path) -> None:
    """Steps come back whole and in the order of time, and the summary counts them."""
    summary = world.read_summary(made)
    steps = list(world.read_steps(made))

    assert summary["people"] == PEOPLE
    assert summary["events"] == sum(isinstance(one, Sending) for one in steps)
    assert [one.at for one in steps] == sorted(one.at for one in steps)
    assert [world.step_of(world.line_of(one)) for one in steps] == steps
    assert any(isinstance(one, Sight) and one.backfill is False for one in steps)


def test_it_says_that_it_is_invented(made: Path) -> None:
    """Whoever opens a file of a world reads that nobody in it exists."""
    summary = world.read_summary(made)

    assert "verzonnen" in summary["invented"]["nl"]
    assert "verzonnen" in (made / world.REGISTRY).read_text("utf-8").splitlines()[0]


def test_the_hub_takes_the_registry(made: Path) -> None:
    """The registry file is right in itself, names a key for each client, and is for tests only."""
    document = parse(read_yaml(made / world.REGISTRY), "test")

    assert len(document.participants) == len(ORGANISATIONS)
    assert all(one.keys for one in document.clients)
    assert registry.document(7)["environment"] == "test"


def test_each_participant_has_credentials(made: Path) -> None:
    """Every credentials file is the operator's alone and names its participant."""
    for one in ORGANISATIONS:
        found = load_credentials(made / world.CLIENTS / f"{one.id}.json")
        assert found.participant == one.id


@pytest.mark.parametrize("content", [None, b"{", b'{"version": 0}'])
def test_another_folder_is_no_world(tmp_path: Path, content: bytes | None) -> None:
    """A folder without a world, or with one of another version, is refused with the way out."""
    if content is not None:
        (tmp_path / world.WORLD).write_bytes(content)

    with pytest.raises(WorldUnreadable) as refused:
        world.read_summary(tmp_path)

    assert "schakel world generate" in refused.value.detail.en
