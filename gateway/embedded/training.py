"""The broker's ahead-of-time cache: made once in the background, it cuts later starts to a second.

A second broker on a scratch folder starts once with -XX:AOTCacheOutput and ends again (JEP 514,
Java 25). The cache fits one Java and one class path; its name says which. Without it the broker
runs all the same, so nothing here ever raises into the broker's start.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from gateway.embedded.certificates import ensure_certificates
from gateway.embedded.child import Child
from gateway.embedded.kafka_process import KafkaCommand, answers, format_data, free_ports
from gateway.embedded.properties import BrokerSettings, copy_log_settings, render
from gateway.embedded.runtime import Java, options
from gateway.errors import EmbeddedError

_READY_SECONDS = 120.0
_END_SECONDS = 120


class Training:
    """Makes the cache for one Java and one class path.

    Args:
        cache: the cache folder of all downloads.
        java: the Java that will use it.
        class_path: the jars that the cache is about.
    """

    def __init__(self, cache: Path, java: Java, class_path: tuple[Path, ...]) -> None:
        self._java = java
        self._class_path = class_path
        flags = options(java, log="", jwks_url="")
        parts = [str(java.command), java.version, *flags, *map(str, class_path)]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        self._file = cache / "aot" / f"{digest}.aot"
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def options(self) -> tuple[str, ...]:
        """Return the options that use the cache, none while there is none."""
        if not self._java.has_aot_cache or not self._file.exists():
            return ()
        return (f"-XX:AOTCache={self._file}",)

    def start(self, issuer: str, jwks_url: str) -> None:
        """Begin making the cache in the background, unless it is there or cannot be used."""
        if not self._java.has_aot_cache or self._file.exists():
            return
        self._thread = threading.Thread(
            target=self._run, args=(issuer, jwks_url), name="broker-training", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Give up what is under way; blocks until its process has ended."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def wait(self, timeout_seconds: float) -> bool:
        """Return whether the background work ended within the time."""
        if self._thread is None:
            return True
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self, issuer: str, jwks_url: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with (self._file.parent / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return  # another broker on this machine is at it
            scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=self._file.parent))
            try:
                self._train(scratch, issuer, jwks_url, lock.fileno())
            except (EmbeddedError, OSError):
                return  # the broker is only slower to start without it
            finally:
                shutil.rmtree(scratch, ignore_errors=True)

    def _train(self, scratch: Path, issuer: str, jwks_url: str, lock: int) -> None:
        made = scratch / "cache"
        settings, ports = _settings(scratch, issuer, jwks_url)
        flags = options(self._java, log="broker.log", jwks_url=jwks_url)
        command = KafkaCommand(self._java, self._class_path, flags)
        format_data(command, settings, scratch / "data", scratch / "broker.log")
        recording = KafkaCommand(
            self._java, self._class_path, (*flags, f"-XX:AOTCacheOutput={made}")
        )
        child = Child(
            ["nice", "-n", "19", *recording.line("kafka.Kafka", str(settings))],
            pid_file=scratch / "pid",
            output=scratch / "java.log",
            lock=lock,
            folder=scratch,
            patience_seconds=_END_SECONDS,
        )
        try:
            if self._ready(child, ports):
                child.end()
                self._until_ended(child)
        finally:
            child.kill()
        if made.exists() and not self._stopped.is_set():
            os.replace(made, self._file)  # noqa: PTH105 - atomic, and says so

    def _ready(self, child: Child, ports: tuple[int, ...]) -> bool:
        deadline = time.monotonic() + _READY_SECONDS
        while not all(answers(port) for port in ports):
            if child.has_ended() or self._stopped.wait(0.2) or time.monotonic() > deadline:
                return False
        return not self._stopped.wait(1.0)

    def _until_ended(self, child: Child) -> None:
        deadline = time.monotonic() + _END_SECONDS
        while not child.has_ended() and time.monotonic() < deadline:
            if self._stopped.wait(0.1):
                return


def _settings(scratch: Path, issuer: str, jwks_url: str) -> tuple[Path, tuple[int, ...]]:
    certificates = ensure_certificates(scratch / "tls", ("broker",))
    client, internal, controller = free_ports(3)
    text = render(
        BrokerSettings(
            log_dirs="data",
            keystore=certificates.of("broker"),
            truststore=certificates.authority,
            client_port=client,
            internal_port=internal,
            controller_port=controller,
            issuer=issuer,
            jwks_url=jwks_url,
        )
    )
    path = scratch / "server.properties"
    path.write_text(text, encoding="ascii")
    copy_log_settings(scratch)
    return path, (client, internal)
