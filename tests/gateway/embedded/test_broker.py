"""The embedded broker as a whole: what it keeps, what ends it, and what it says is wrong."""

import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumers.log import LogAdmin, LogUnavailable
from gateway.embedded.broker import Broker, is_held
from gateway.embedded.certificates import ensure_certificates
from gateway.embedded.kafka_process import diagnose
from gateway.errors import BrokerFailed, DiskFull, EmbeddedError, JavaUnsuitable, PortTaken
from tests.ports import distant_ports
from tests.token_issuer import TokenIssuer


def unstarted(folder: Path, issuer: TokenIssuer, java: Path | None = None) -> Broker:
    """Return a broker on free ports."""
    client, internal, controller = distant_ports(3)
    return Broker(
        folder,
        client_port=client,
        internal_port=internal,
        controller_port=controller,
        issuer=issuer.issuer,
        jwks_url=issuer.jwks_url,
        java=java,
    )


@pytest.fixture
def issuer() -> Iterator[TokenIssuer]:
    """An issuer of the test's own."""
    own = TokenIssuer()
    yield own
    own.close()


def test_it_stays_under_its_memory(tmp_path: Path, issuer: TokenIssuer) -> None:
    """At rest, a broker that starts with the cache of an earlier start takes at most 200 MB."""
    broker = unstarted(tmp_path, issuer)
    broker.start()
    try:
        assert broker.wait_until_trained(180)
        broker.stop()
        broker.start()
        status = Path(f"/proc/{broker.status().pid}/status").read_text(encoding="ascii")
    finally:
        broker.stop()
    kilobytes = int(status.split("VmRSS:")[1].split()[0])

    assert kilobytes < 200 * 1024


def test_it_starts_again_after_kill(tmp_path: Path, issuer: TokenIssuer) -> None:
    """After kill -9 of the broker its data is there and it answers again."""
    broker = unstarted(tmp_path, issuer)
    broker.start()
    cluster = (tmp_path / "kafka" / "data" / "meta.properties").read_bytes()
    pid = broker.status().pid
    assert pid is not None
    try:
        os.kill(pid, signal.SIGKILL)
        while not broker.has_ended():
            time.sleep(0.02)
        broker.start()
    finally:
        broker.stop()

    # The guard's last process lets go of the folder a moment after the broker has ended.
    deadline = time.monotonic() + 5
    while is_held(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert (tmp_path / "kafka" / "data" / "meta.properties").read_bytes() == cluster
    assert not is_held(tmp_path)


def test_a_taken_port_is_said(tmp_path: Path, issuer: TokenIssuer) -> None:
    """Another program on one of its ports is named by the port, and nothing is left running."""
    broker = unstarted(tmp_path, issuer)
    port = int(broker.client_address.rpartition(":")[2])
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(PortTaken, match=str(port)):
            broker.start()

    assert not is_held(tmp_path)


def test_an_old_java_is_said(tmp_path: Path, issuer: TokenIssuer) -> None:
    """The broker does not start on a Java that is too old."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    java.chmod(0o755)

    with pytest.raises(JavaUnsuitable):
        unstarted(tmp_path / "data", issuer, java).start()


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("java.io.IOException: No space left on device", DiskFull),
        ("java.net.BindException: Address already in use 127.0.0.1:9092", PortTaken),
        ("ERROR Exiting Kafka due to fatal exception", BrokerFailed),
    ],
)
def test_the_brokers_words_become_one_sentence(
    tmp_path: Path, said: str, kind: type[EmbeddedError]
) -> None:
    """What Kafka prints on its way out is told as one of the known errors."""
    error = diagnose(said, tmp_path, tmp_path / "broker.log")

    assert type(error) is kind
    assert error.detail.nl != error.detail.en


def test_a_strangers_certificate_is_refused(broker: Broker, tmp_path: Path) -> None:
    """The internal listener asks for a certificate of the data folder's own authority."""
    stranger = ensure_certificates(tmp_path / "tls", ("admin",)).of("admin")
    context = ssl.create_default_context(cafile=str(broker.log_settings("admin").ca_file))
    context.load_cert_chain(stranger)
    host, _, port = broker.internal_address.rpartition(":")

    with (
        socket.create_connection((host, int(port)), timeout=10) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
        context.wrap_socket(plain, server_hostname="localhost") as wrapped,
    ):
        # In TLS 1.3 the refusal of the client's certificate arrives with the first read.
        wrapped.recv(1)


def test_a_service_may_not_administer(broker: Broker) -> None:
    """The relay's certificate is no administrator's: it changes no topics."""
    relay = LogAdmin(broker.log_settings("relay"))

    with pytest.raises(LogUnavailable):
        relay.grant_write("relay", "activation.")
    relay.close()
