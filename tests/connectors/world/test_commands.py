"""`schakel world` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCHAKEL = str(Path(sys.executable).parent / "schakel")


def _run(*arguments: str, language: str = "nl") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SCHAKEL_LANGUAGE": language}
    command = [SCHAKEL, "world", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment)


def test_generate_says_what_it_made(tmp_path: Path) -> None:
    """A sentence that all is invented, the counts, and nothing on stderr when it is quick."""
    ended = _run("generate", "--seed", "3", "--people", "1", "--out", str(tmp_path), language="en")

    assert ended.returncode == 0
    assert ended.stdout.startswith("Everything in this world is invented")
    assert (tmp_path / "registry.yaml").exists()


def test_the_journeys_are_listed() -> None:
    """Each letter with its title, in the language of the terminal."""
    ended = _run("list", "--json", language="en")
    rows = {row["journey"]: row["title"] for row in json.loads(ended.stdout)}

    assert rows["A"] == "From living wage to a steady job"


def test_an_unknown_journey_is_refused() -> None:
    """With the letters there are, and exit code 1, before any hub is started."""
    ended = _run("story", "z")

    assert ended.returncode == 1
    assert "Kies uit: A B" in ended.stderr


def test_a_hub_needs_its_clock(tmp_path: Path) -> None:
    """Without the management address the clock cannot be moved; that is wrong use."""
    _run("generate", "--seed", "3", "--people", "0", "--out", str(tmp_path))
    ended = _run("play", str(tmp_path), "--hub", "http://127.0.0.1:1")

    assert ended.returncode == 2
    assert "--management" in ended.stderr


def test_a_folder_without_a_world_is_refused(tmp_path: Path) -> None:
    """The sentence says how to make one."""
    ended = _run("play", str(tmp_path), language="en")

    assert ended.returncode == 1
    assert "schakel world generate" in ended.stderr
