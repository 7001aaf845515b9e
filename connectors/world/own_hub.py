"""A test installation of one's own, for as long as a block: `schakel up` in a temporary folder."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.credentials import load_credentials
from connectors.errors import HubUnavailable
from schemas.errors import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.credentials import Credentials

STOP_SECONDS = 60
FIRST_PORT, PLACES, PORTS_APART = 20_000, 1_200, 10
ADMINISTRATOR = "admin.json"


@dataclass(frozen=True, slots=True)
class Installation:
    """Where a test installation answers.

    Attributes:
        administrator: who may change its registry; None leaves the registry as it is.
        data: its data folder, when it runs on this machine.
    """

    gateway: str
    management: str
    administrator: Credentials | None = None
    data: Path | None = None


@contextmanager
def own_hub() -> Iterator[Installation]:
    """Start one; it ends, and all it kept is gone, when the block ends.

    Raises:
        HubUnavailable: it did not start; the sentence says where its log is.
    """
    with tempfile.TemporaryDirectory(prefix="schakel-wereld-") as name:
        data, log = Path(name) / "hub", Path(name) / "hub.log"
        command = [str(Path(sys.executable).parent / "schakel"), "up", "--data", str(data)]
        command += ["--port", str(_free_port())]
        with log.open("w", encoding="utf-8") as errors:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        try:
            yield _ready(process, data, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=STOP_SECONDS)


def _free_port() -> int:
    """A port that is free now: other hubs on this machine look for theirs from 8080.

    Not one of those that the system gives to connections, which may be gone before the hub listens.
    """
    while True:
        port = FIRST_PORT + PORTS_APART * secrets.randbelow(PLACES)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def _ready(process: subprocess.Popen[str], data: Path, log: Path) -> Installation:
    line = "" if process.stdout is None else process.stdout.readline()
    if not line:
        # The folder goes with the block, so what its logs end with is said here.
        logs = (log, *sorted((data / "logs").glob("*.log")))
        ends = " ".join(line for one in logs for line in one.read_text("utf-8").splitlines()[-1:])
        raise HubUnavailable(
            Message(nl=f"De hub is niet gestart: {ends}", en=f"The hub did not start: {ends}")
        )
    where = json.loads(line)
    administrator = load_credentials(data / ADMINISTRATOR)
    return Installation(where["gateway"], where["management"], administrator, data)
