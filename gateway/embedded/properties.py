"""The broker's settings file, made at every start from deploy/kafka/server.properties."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template

from gateway.embedded.resources import kafka_folder
from gateway.embedded.runtime import LOG_SETTINGS


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """What differs between two embedded brokers.

    Attributes:
        log_dirs: relative to the folder the broker runs in, for Kafka reads a comma in it as the
            end of a first folder.
    """

    log_dirs: str
    keystore: Path
    truststore: Path
    client_port: int
    internal_port: int
    controller_port: int
    issuer: str
    jwks_url: str


def render(settings: BrokerSettings, source: Path | None = None) -> str:
    """Return the text of server.properties, from the shipped template unless another is given."""
    path = source or kafka_folder() / "server.properties"
    template = Template(path.read_text(encoding="utf-8"))
    return template.substitute(
        log_dirs=escape(settings.log_dirs),
        keystore=escape(str(settings.keystore)),
        truststore=escape(str(settings.truststore)),
        client_port=settings.client_port,
        internal_port=settings.internal_port,
        controller_port=settings.controller_port,
        issuer=escape(settings.issuer),
        jwks_url=escape(settings.jwks_url),
    )


def copy_log_settings(folder: Path) -> None:
    """Copy the shipped log settings to where a broker will run."""
    shutil.copyfile(kafka_folder() / LOG_SETTINGS, folder / LOG_SETTINGS)


def escape(value: str) -> str:
    r"""Return `value` as a Java properties value: Latin-1 with \uXXXX, backslashes doubled."""
    escaped = value.replace("\\", "\\\\")
    units = escaped.encode("utf-16-be")
    pairs = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(unit) if " " <= chr(unit) <= "~" else f"\\u{unit:04x}" for unit in pairs)
