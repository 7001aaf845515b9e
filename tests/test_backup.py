"""deploy/containers/backup.sh starts again what it stopped, from the operator's own files."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "deploy" / "containers" / "backup.sh"
# Compose v2 is not there; 1.29 writes down its files and what it is asked, and gives an archive.
DOCKER = "#!/bin/sh\nexit 1\n"
COMPOSE = """#!/bin/sh
echo "$COMPOSE_FILE $1" >>"$CALLS"
if [ "$1" = run ]; then gzip </dev/null; fi
"""


@pytest.mark.parametrize(
    ("given", "used"),
    [
        (None, str(ROOT / "deploy" / "compose.yaml")),
        ("", str(ROOT / "deploy" / "compose.yaml")),
        ("deploy/compose.yaml:mine.yaml", "deploy/compose.yaml:mine.yaml"),
    ],
)
def test_a_backup_starts_the_same_files_again(tmp_path: Path, given: str | None, used: str) -> None:
    """COMPOSE_FILE is respected; without one the file that comes with the hub is used."""
    for name, text in (("docker", DOCKER), ("docker-compose", COMPOSE)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o700)
    environment = {one: text for one, text in os.environ.items() if one != "COMPOSE_FILE"}
    environment |= {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "COMPOSE_PROJECT_NAME": "schakel",
    }
    if given is not None:
        environment["COMPOSE_FILE"] = given

    subprocess.run(
        ["bash", str(SCRIPT), "save", "kept"],  # noqa: S607
        cwd=tmp_path,
        env=environment,
        check=True,
    )

    calls = (tmp_path / "calls").read_text("utf-8").splitlines()
    assert calls == [f"{used} {one}" for one in ("stop", "run", "run", "run", "run", "up")]
    archives = {one.name for one in (tmp_path / "kept").iterdir()}
    assert archives == {f"{one}.tar.gz" for one in ("postgres", "kafka", "hub", "keys")}
