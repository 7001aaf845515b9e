"""Kafka's Java command: what the broker, its formatting and its training run share."""

import base64
import os
import re
import socket
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from gateway.embedded.jars import disk_full
from gateway.embedded.ports import LOOPBACK, is_free
from gateway.embedded.runtime import Java
from gateway.errors import BrokerFailed, EmbeddedError, PortTaken
from schemas.errors import Message

_FORMAT_SECONDS = 120
_TAIL_BYTES = 64 * 1024
_NO_ROOM = ("No space left on device", "Disk quota exceeded", "File too large")


@dataclass(frozen=True, slots=True)
class KafkaCommand:
    """A Java, a class path and the options of a run."""

    java: Java
    class_path: tuple[Path, ...]
    options: tuple[str, ...]

    def line(self, main: str, *arguments: str) -> list[str]:
        """Return the command line for one main class of Kafka."""
        path = os.pathsep.join(map(str, self.class_path))
        return [str(self.java.command), *self.options, "-cp", path, main, *arguments]


def format_data(command: KafkaCommand, settings: Path, data: Path, log: Path) -> None:
    """Give an empty data folder its cluster id; nothing when it has one. Blocks for seconds.

    It runs in the folder of the settings, where the broker runs too.

    Raises:
        BrokerFailed: Kafka's storage tool refused, or took two minutes.
        DiskFull: the disk is full.
    """
    if (data / "meta.properties").exists():
        return
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode("ascii")
    # Kafka's command line takes an id that starts with a dash for an option.
    cluster = "A" + cluster[1:] if cluster.startswith("-") else cluster
    line = command.line(
        "kafka.tools.StorageTool",
        "format",
        "-t",
        cluster,
        "-c",
        str(settings),
        "--ignore-formatted",
    )
    try:
        ran = subprocess.run(  # noqa: S603 - our own command line
            line,
            cwd=settings.parent,
            capture_output=True,
            text=True,
            timeout=_FORMAT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise failed(log, "the storage tool did not end") from error
    if ran.returncode:
        raise diagnose(ran.stdout + ran.stderr, data, log)


def require_ports_free(*ports: int) -> None:
    """Raise PortTaken for the first port that another program listens on."""
    for port in ports:
        if not is_free(port):
            raise port_taken(port)


def free_ports(count: int) -> tuple[int, ...]:
    """Return that many ports which nothing listens on now."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return tuple(probe.getsockname()[1] for probe in probes)
    finally:
        for probe in probes:
            probe.close()


def answers(port: int) -> bool:
    """Whether something accepts a connection on this port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def tail(path: Path) -> str:
    """Return the last part of a log file, empty when there is none."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return handle.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def diagnose(text: str, data: Path, log: Path) -> EmbeddedError:
    """Return the error that the broker's own words amount to."""
    if any(words in text for words in _NO_ROOM):
        return disk_full(data)
    if re.search(r"BindException|Address already in use", text):
        port = re.search(r"(?:127\.0\.0\.1|localhost):(\d+)", text)
        return port_taken(int(port[1]) if port else None)
    return failed(log, last_complaint(text))


def last_complaint(text: str) -> str:
    """Return the last line that names an error, shortened; empty when none does."""
    lines = [
        line.strip() for line in text.splitlines() if re.search(r"ERROR|FATAL|Exception", line)
    ]
    return lines[-1][:200] if lines else ""


def port_taken(port: int | None) -> PortTaken:
    """Return the error for a port that is in use."""
    name = str(port) if port else "?"
    return PortTaken(
        Message(
            nl=f"Poort {name} is in gebruik door een ander programma. Stop het; of kies bij "
            "de eerste start een andere --port, daarna ligt de poort vast in hub.toml.",
            en=f"Port {name} is in use by another program. Stop it; or choose another --port at "
            "the first start, after that the port is settled in hub.toml.",
        )
    )


def failed(log: Path, why: str) -> BrokerFailed:
    """Return the error for a broker that ended or does not answer, with its own last words."""
    words = f" ({why})" if why else ""
    return BrokerFailed(
        Message(
            nl=f"De broker is niet gestart{words}; zie {log}.",
            en=f"The broker did not start{words}; see {log}.",
        )
    )
