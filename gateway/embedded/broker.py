"""The embedded broker: one Apache Kafka node as a child process of whoever starts it.

Everything it keeps is under the data folder: kafka/data (the log), kafka/server.properties,
kafka/broker.log and tls/. It ends with its parent (gateway/embedded/child.py); the data folder
survives that. The key set at `jwks_url` must answer when it starts, an empty one is enough; else
Kafka refuses to start.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from consumers.log import LogSettings
from gateway.embedded.certificates import Certificates, ensure_certificates
from gateway.embedded.child import Child
from gateway.embedded.jars import JgoFetch, Report, ensure_jars, require_room
from gateway.embedded.kafka_process import (
    KafkaCommand,
    answers,
    diagnose,
    failed,
    format_data,
    require_ports_free,
    tail,
)
from gateway.embedded.locks import hold, is_locked
from gateway.embedded.ports import LOOPBACK
from gateway.embedded.properties import BrokerSettings, copy_log_settings, render
from gateway.embedded.resources import cache_folder, kafka_folder
from gateway.embedded.runtime import find_java, options
from gateway.embedded.training import Training
from gateway.errors import BrokerNotRunning, DataInUse, EmbeddedError
from schemas.errors import Message

# The principals that need no access control entry, and the hub's own services.
SERVICES = ("broker", "admin", "relay", "route", "kafka-door")
_ROOM_BYTES = 100 * 1024 * 1024
# A predecessor that was killed takes this long to end with its parent at most.
_PREDECESSOR_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """What is known about the broker on a data folder."""

    running: bool
    pid: int | None
    client_address: str
    internal_address: str
    data: Path
    log: Path


class Broker:
    """One Kafka node on loopback.

    Args:
        data: the hub's data folder; made when it is missing.
        client_port: where participants connect, with a token of the issuer.
        internal_port: where the hub's services connect, with a certificate.
        controller_port: the node's own.
        issuer: the `iss` that a participant's token must have.
        jwks_url: where the issuer's key set answers.
        java: a Java to use instead of the packaged one; default SCHAKEL_JAVA.
        report: takes progress sentences; default standard error.
        template: a settings template instead of the shipped one.
    """

    def __init__(
        self,
        data: Path,
        *,
        client_port: int,
        internal_port: int,
        controller_port: int,
        issuer: str,
        jwks_url: str,
        java: Path | str | None = None,
        report: Report | None = None,
        template: Path | None = None,
    ) -> None:
        self._data = data.resolve()
        self._folder = self._data / "kafka"
        self._ports = (client_port, internal_port, controller_port)
        self._issuer = issuer
        self._jwks_url = jwks_url
        self._java = java or os.environ.get("SCHAKEL_JAVA")
        self._report = report or _to_stderr
        self._template = template
        self._child: Child | None = None
        self._lock: int | None = None
        self._training: Training | None = None
        self._has_answered = False

    @property
    def client_address(self) -> str:
        """Where participants connect, `host:port`."""
        return f"{LOOPBACK}:{self._ports[0]}"

    @property
    def internal_address(self) -> str:
        """Where the hub's services connect, `host:port`."""
        return f"{LOOPBACK}:{self._ports[1]}"

    @property
    def log(self) -> Path:
        """The broker's log file."""
        return self._folder / "broker.log"

    def log_settings(self, principal: str) -> LogSettings:
        """Return how the service `principal` (such as `relay`) connects; makes its certificate."""
        certificate = self._certificates().of(principal)
        return LogSettings(
            bootstrap=self.internal_address,
            ca_file=self._certificates().authority,
            cert_file=certificate,
            key_file=certificate,
            client_id=principal,
        )

    def start(self, timeout_seconds: float = 90.0) -> None:
        """Start the broker and wait until both of its listeners accept; blocks.

        The first start fetches the jars, makes certificates and formats the data folder, then makes
        the ahead-of-time cache in the background.

        A broker of this object that ended by itself may be started again; a running one is ended.

        Raises:
            EmbeddedError: one of its kinds, with one sentence; nothing is left running.
        """
        deadline = time.monotonic() + timeout_seconds
        self.launch()
        try:
            self._wait_ready(deadline)
        except BaseException:
            self.kill()
            raise
        if self._training is not None:
            self._training.start(self._issuer, self._jwks_url)

    def launch(self) -> None:
        """Start the broker as `start` does, without waiting for it: see `has_answered`.

        The key set must answer by now; a broker that cannot read it ends after some seconds.

        Raises:
            EmbeddedError: one of its kinds, with one sentence; nothing is left running.
        """
        self.kill()  # what is left of a broker that ended by itself
        self._has_answered = False
        (self._folder / "data").mkdir(parents=True, exist_ok=True)
        self._lock = _exclusive(self._folder / ".lock", self._data)
        try:
            self._launch()
        except BaseException:
            self.kill()
            raise

    def _launch(self) -> None:
        java = find_java(self._java)
        cache = cache_folder(os.environ)
        lock = kafka_folder() / "jgo.lock.toml"
        class_path = ensure_jars(lock, cache, fetch=JgoFetch(), report=self._report)
        require_room(self._data, _ROOM_BYTES)
        require_ports_free(*self._ports)
        self._training = Training(cache, java, class_path)
        flags = options(java, log=self.log.name, jwks_url=self._jwks_url)
        command = KafkaCommand(java, class_path, (*flags, *self._training.options()))
        settings = self._write_settings()
        format_data(command, settings, self._folder / "data", self.log)
        self._child = Child(
            command.line("kafka.Kafka", str(settings)),
            pid_file=self._folder / "broker.pid",
            output=self._folder / "java.log",
            lock=self._held(),
            folder=self._folder,
        )

    def _write_settings(self) -> Path:
        certificates = self._certificates()
        client, internal, controller = self._ports
        text = render(
            BrokerSettings(
                log_dirs="data",
                keystore=certificates.of("broker"),
                truststore=certificates.authority,
                client_port=client,
                internal_port=internal,
                controller_port=controller,
                issuer=self._issuer,
                jwks_url=self._jwks_url,
            ),
            self._template,
        )
        path = self._folder / "server.properties"
        path.write_text(text, encoding="ascii")
        copy_log_settings(self._folder)
        return path

    def _wait_ready(self, deadline: float) -> None:
        while not self.has_answered():
            if self.has_ended():
                raise self.why_ended()
            if time.monotonic() > deadline:
                raise failed(self.log, "it took too long")
            time.sleep(0.02)

    def has_answered(self) -> bool:
        """Whether both listeners have accepted since the broker was last launched."""
        self._has_answered = self._has_answered or all(answers(port) for port in self._ports[:2])
        return self._has_answered

    def why_ended(self) -> EmbeddedError:
        """What the last words of a broker that ended by itself amount to."""
        said = tail(self._folder / "java.log") + tail(self.log)
        return diagnose(said, self._data, self.log)

    def _certificates(self) -> Certificates:
        return ensure_certificates(self._data / "tls", SERVICES)

    def _held(self) -> int:
        if self._lock is None:
            raise BrokerNotRunning(_not_running(self._data))
        return self._lock

    def has_ended(self) -> bool:
        """Whether no broker of this object runs; never blocks."""
        return self._child is None or self._child.has_ended()

    def wait_until_trained(self, timeout_seconds: float) -> bool:
        """Whether the cache that later starts use is made, or was there; blocks for the time."""
        return self._training is not None and self._training.wait(timeout_seconds)

    def stop(self) -> None:
        """End the broker cleanly; idempotent, blocks for at most a quarter of a minute."""
        if self._training is not None:
            self._training.stop()
        if self._child is not None:
            self._child.stop()
        self._release()

    def kill(self) -> None:
        """End the broker at once, as a crash would; idempotent."""
        if self._training is not None:
            self._training.stop()
        if self._child is not None:
            self._child.kill()
        self._release()

    def _release(self) -> None:
        self._child = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def status(self) -> BrokerStatus:
        """Return what is known now; `running` is about this object's own child."""
        running = not self.has_ended()
        return BrokerStatus(
            running=running,
            pid=self._child.pid if self._child is not None and running else None,
            client_address=self.client_address,
            internal_address=self.internal_address,
            data=self._data,
            log=self.log,
        )


def _exclusive(path: Path, data: Path) -> int:
    """Return a descriptor that holds the data folder's lock; the child keeps it open too.

    So a broker whose parent was killed holds it until it has really ended: wait for that.
    """
    held = hold(path, _PREDECESSOR_SECONDS)
    if held is None:
        raise _in_use(data)
    return held


def is_held(data: Path) -> bool:
    """Whether a broker runs on this data folder, whoever started it."""
    return is_locked(data / "kafka" / ".lock")


def _in_use(data: Path) -> DataInUse:
    return DataInUse(
        Message(
            nl=f"Op {data} draait al een broker; stop die eerst.",
            en=f"A broker already runs on {data}; stop it first.",
        )
    )


def _not_running(data: Path) -> Message:
    return Message(nl=f"Op {data} draait geen broker.", en=f"No broker runs on {data}.")


def _to_stderr(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - progress for a person
