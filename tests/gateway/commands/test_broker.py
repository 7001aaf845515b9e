"""`schakel broker` as an operator runs it: in a shell, on a folder of any name, on a bad day."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consumers.log import LogAdmin, LogConsumer, Record, SupervisedProducer
from gateway.embedded.installation import ensure_installation
from gateway.embedded.jars import JgoFetch, ensure_jars
from gateway.embedded.resources import cache_folder, kafka_folder
from gateway.settings import load
from tests.ports import distant_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHAKEL = str(Path(sys.executable).parent / "schakel")
NAME = "OCMW, één map $m %d"
"""A comma ends a folder for Kafka; log4j reads dollar and percent signs in ways of its own."""
PATIENCE_SECONDS = 90.0


@dataclass(frozen=True)
class Topic:
    """A topic as `schemas.topics` describes one."""

    name: str = "kept"
    partitions: int = 1
    retention_ms: int | None = 86_400_000
    configs: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Shell:
    """A terminal: runs `schakel broker` on one data folder."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [SCHAKEL, "broker", command, "--data", str(self.data), *options],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """`broker start`, once it says that it runs; ends with the block at the latest."""
        process = subprocess.Popen(
            [SCHAKEL, "broker", "start", "--data", str(self.data), "--json"],
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()
            assert json.loads(line)["running"] is True
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_SECONDS)

    def status(self) -> tuple[int, dict[str, Any]]:
        """Exit code and facts of `broker status --json`."""
        done = self.run("status", "--json")
        facts: dict[str, Any] = json.loads(done.stdout)
        return done.returncode, facts

    def wait_until_down(self) -> None:
        """Return once no broker runs on the folder."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.status()[0] != 3:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def broker_pid(self) -> int:
        """Kafka's own process."""
        return int((self.data / "kafka" / "broker.pid").read_text("ascii"))

    def write(self, value: bytes) -> None:
        """Put a record into the topic."""
        admin = LogAdmin(load(self.data).log_settings("admin"))
        admin.ensure_topics([Topic()])
        admin.close()
        producer = SupervisedProducer(load(self.data).log_settings("admin"))
        producer.publish([Record(Topic.name, b"k", value)])
        producer.close()

    def read(self, expected: int) -> list[bytes]:
        """Everything in the topic, once that much is there."""
        group = f"g{time.monotonic_ns()}"
        consumer = LogConsumer(load(self.data).log_settings("admin"), [Topic.name], group, "one")
        found: list[bytes] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(found) < expected:
            assert time.monotonic() < deadline
            found += [record.value for record in consumer.poll(0.5)]
        consumer.close()
        return found

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "SCHAKEL_LANGUAGE": "en", **self.environment}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A terminal on a folder with an awkward name, and with ports that no other test takes."""
    folder = tmp_path / NAME
    ensure_installation(folder, *distant_ports(1))
    return Shell(folder)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that failed: no trace, and nothing on standard output."""
    sentences = [line for line in done.stderr.splitlines() if line.startswith("schakel: ")]
    assert (done.returncode, done.stdout, len(sentences)) == (1, "", 1), done
    assert "Traceback" not in done.stderr
    return sentences[0]


def test_start_status_stop(shell: Shell) -> None:
    """One broker a folder: each step twice, with exit codes that a script can read."""
    assert Shell(shell.data / "nothing").status() == (3, {"running": False})
    with shell.started() as process:
        code, facts = shell.status()
        again = shell.run("start")
        assert shell.run("stop").returncode == 0
        process.wait(PATIENCE_SECONDS)
    settings = load(shell.data)

    assert (code, facts["running"]) == (0, True)
    assert (facts["client"], facts["internal"]) == (
        settings.kafka_client_address,
        settings.kafka_bootstrap,
    )
    assert _said(again) == (
        f"schakel: A broker already runs on {shell.data}; stop it with `schakel broker stop`."
    )
    assert process.returncode == 0
    assert shell.status()[0] == 3
    assert _said(shell.run("stop")) == f"schakel: No broker runs on {shell.data}."


def test_what_was_written_survives(shell: Shell) -> None:
    """Records are there after a stop, and after kill -9, which the command says before it ends."""
    with shell.started():
        shell.write(b"1")
    with shell.started() as process:
        shell.write(b"2")
        os.kill(shell.broker_pid(), signal.SIGKILL)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
    with shell.started():
        found = shell.read(2)

    assert process.returncode == 1
    assert f"schakel: The broker ended unexpectedly; see {shell.data}" in said
    assert found == [b"1", b"2"]


def test_it_ends_with_its_parent(shell: Shell) -> None:
    """A command that is killed with kill -9 leaves no broker behind."""
    with shell.started() as process:
        process.kill()
        process.wait(PATIENCE_SECONDS)
        shell.wait_until_down()

    with pytest.raises(ProcessLookupError):
        os.kill(shell.broker_pid(), 0)


def test_a_taken_port_is_said(shell: Shell) -> None:
    """The port is named, with what to do; nothing is left running."""
    port = int(load(shell.data).kafka_client_address.rpartition(":")[2])
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        done = shell.run("start")

    assert _said(done) == (
        f"schakel: Port {port} is in use by another program. Stop it; or choose another --port "
        "at the first start, after that the port is settled in hub.toml."
    )
    assert shell.status()[0] == 3


def test_another_jar_is_said(shell: Shell, tmp_path: Path) -> None:
    """A jar that is not the one in the lock is named, with what to do."""
    cache = tmp_path / "cache"
    lock = kafka_folder() / "jgo.lock.toml"
    jars = ensure_jars(lock, cache_folder(os.environ), fetch=JgoFetch(), report=lambda _: None)
    ours = cache / "kafka" / jars[0].parent.name
    ours.mkdir(parents=True)
    for jar in jars:
        (ours / jar.name).symlink_to(jar)
    changed = min(ours.iterdir())
    changed.unlink()
    changed.write_bytes(b"another")

    said = _said(Shell(shell.data, {"SCHAKEL_CACHE": str(cache)}).run("start"))

    assert said == (
        f"schakel: {changed} is not the file that the lock names; "
        f"remove the folder {ours} and start again."
    )


def test_a_failed_download_is_said(shell: Shell, tmp_path: Path) -> None:
    """Without a way to the internet the missing file is named, with what to do."""
    nowhere = "http://127.0.0.1:9"
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    environment = dict.fromkeys(names, nowhere) | {"no_proxy": "", "NO_PROXY": "127.0.0.1"}
    environment |= {"SCHAKEL_CACHE": str(tmp_path / "cache"), "HOME": str(tmp_path)}

    said = _said(Shell(shell.data, environment).run("start"))

    assert said.endswith("could not be fetched; check the internet connection and start again.")
    assert ".jar" in said


def test_a_full_disk_is_said(shell: Shell) -> None:
    """Kafka's own words for a file that cannot grow become the sentence about the disk."""
    limited = ["/bin/sh", "-c", 'ulimit -f 2048; exec "$0" "$@"', SCHAKEL]
    done = subprocess.run(
        [*limited, "broker", "start", "--data", str(shell.data)],
        env={**os.environ, "SCHAKEL_LANGUAGE": "en"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert _said(done) == f"schakel: The disk under {shell.data} is full."


def test_a_cache_that_java_cannot_read_is_said_first(tmp_path: Path) -> None:
    """A colon ends a folder on Java's class path: refused before anything is written."""
    data, cache = tmp_path / NAME, tmp_path / "a:b"

    said = _said(Shell(data, {"SCHAKEL_CACHE": str(cache)}).run("start"))

    assert said.startswith(f"schakel: Java can read nothing from {cache}: the path holds `:`.")
    assert not data.exists()
    assert not cache.exists()


def test_path_names_what_is_there(shell: Shell) -> None:
    """After a start every file and folder that `path` names exists."""
    with shell.started():
        pass
    facts = json.loads(shell.run("path", "--json").stdout)

    assert set(facts) == {"data", "log", "settings", "tls", "lock", "cache"}
    assert [name for name, path in facts.items() if not Path(path).exists()] == []
