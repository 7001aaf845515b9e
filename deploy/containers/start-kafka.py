"""Kafka in a container: the embedded broker's settings and jars, on the service's own network name.

Formats /kafka at the first start, and becomes the Java process. /tls holds the authority's and the
broker's own certificate, from issue-certificates.py.
Kafka ends at once while the gateway's key set does not answer; the container is started again then.
"""

import os
from pathlib import Path

from gateway.embedded.certificates import Certificates
from gateway.embedded.jars import JgoFetch, ensure_jars
from gateway.embedded.kafka_process import KafkaCommand, format_data
from gateway.embedded.properties import BrokerSettings, copy_log_settings, render
from gateway.embedded.resources import cache_folder, kafka_folder
from gateway.embedded.runtime import find_java, options
from gateway.settings import load

HOST = "kafka"
CLIENT, INTERNAL, CONTROLLER = 9092, 9094, 9093
FOLDER = Path("/kafka")


def main() -> None:
    """Replace this process by the broker; does not return."""
    certificates = Certificates(Path("/tls"))
    hub, jwks_url = load(), os.environ["SCHAKEL_JWKS_URL"]
    data = FOLDER / "data"
    data.mkdir(exist_ok=True)
    settings = FOLDER / "server.properties"
    text = render(
        BrokerSettings(
            log_dirs=data.name,
            keystore=certificates.of("broker"),
            truststore=certificates.authority,
            client_port=CLIENT,
            internal_port=INTERNAL,
            controller_port=CONTROLLER,
            issuer=hub.issuer,
            jwks_url=jwks_url,
        )
    )
    settings.write_text(text + _listeners(hub.kafka_client_address), encoding="ascii")
    copy_log_settings(FOLDER)
    java = find_java(None)
    jars = ensure_jars(
        kafka_folder() / "jgo.lock.toml", cache_folder(os.environ), fetch=JgoFetch(), report=print
    )
    log = FOLDER / "broker.log"
    flags = options(java, log=log.name, jwks_url=jwks_url)
    command = KafkaCommand(java, jars, flags)
    format_data(command, settings, data, log)
    line = command.line("kafka.Kafka", str(settings))
    os.chdir(FOLDER)  # the settings name data and log relative to it
    os.execv(line[0], line)  # noqa: S606 - our own command line


def _listeners(client: str) -> str:
    """The lines that differ from loopback's; the last of two equal keys counts."""
    return (
        f"\nlisteners=INTERNAL://0.0.0.0:{INTERNAL},CLIENT://0.0.0.0:{CLIENT},"
        f"CONTROLLER://127.0.0.1:{CONTROLLER}\n"
        f"advertised.listeners=INTERNAL://{HOST}:{INTERNAL},CLIENT://{client}\n"
    )


if __name__ == "__main__":
    main()
