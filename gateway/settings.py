"""The settings of the hub's processes: environment variables `SCHAKEL_…`, then DATA/hub.toml.

Read once per process, in its composition root. On one machine `schakel up` writes hub.toml at its
first start and every process it starts finds the same answers there; in containers the environment
says everything. Every setting is listed in `deploy/README.md`.
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from consumers.database import Stores
from consumers.log import LogSettings
from consumers.mail import MailSettings, Security, is_address
from schemas.errors import InvalidIdentifier
from schemas.identifiers import organisation_urn

HUB_FILE = "hub.toml"
LOOPBACK = "127.0.0.1"
LOOPBACK_NAMES = frozenset({LOOPBACK, "localhost", "::1"})
_LOCAL = (LOOPBACK, "localhost", "[::1]")


class HubSettings(BaseSettings):
    """One installation, as one of its processes sees it."""

    # An empty variable is none: compose files and shells pass on what nobody said as an empty text.
    model_config = SettingsConfigDict(
        env_prefix="SCHAKEL_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    data: Path = Field(description="Folder of everything this process keeps on disk.")
    environment: Literal["test", "production"] = Field(
        "test", description="Kind of installation; synthetic people exist in `test` only."
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL database; without it SQLite files in the data folder."
    )
    kek_file: Path | None = Field(
        None, description="Key-encryption key; without it DATA/keys/kek.json."
    )
    matching_controller: str | None = Field(
        None,
        description="Organisation that answers for recognising one person by likeness, as its URN; "
        "without one production recognises nobody so. Test installations always do.",
    )
    host: str = Field(LOOPBACK, description="Address the gateway and management listen on.")
    port: int = Field(8080, description="Port of the gateway.")
    management_port: int = Field(8081, description="Port of health, readiness and metrics.")
    socket: Path | None = Field(
        None, description="Unix socket the gateway listens on instead of its port, for a proxy."
    )
    proxies: str = Field(
        "", description="Addresses or networks, with commas, whose Client-Cert header counts."
    )
    tls_certificate: Path | None = Field(
        None, description="The gateway's certificate chain and key in one PEM; without it no TLS."
    )
    tls_client_ca: Path | None = Field(
        None, description="Authorities of client certificates; without it none is asked for."
    )
    issuer: str = Field(
        default_factory=lambda known: f"http://{LOOPBACK}:{known['port']}",
        description="The OAuth issuer's identifier; without it this machine's port of the gateway.",
    )
    public_url: str | None = Field(
        None, description="Where partners reach the gateway; without it the issuer."
    )
    kafka_bootstrap: str = Field("127.0.0.1:9094", description="Kafka's internal listener.")
    kafka_port: int = Field(9092, description="Port of Kafka for participants on this machine.")
    kafka_client_address: str = Field(
        default_factory=lambda known: f"{LOOPBACK}:{known['kafka_port']}",
        description="Where participants reach Kafka with a token; without it that port.",
    )
    kafka_controller_port: int = Field(9093, description="Port of the embedded controller.")
    kafka_tls: Path | None = Field(
        None, description="Folder with ca.pem and one PEM a principal; without it DATA/tls."
    )
    otlp_endpoint: str | None = Field(
        None, description="OpenTelemetry collector that gets sampled spans; none by default."
    )
    trace_ratio: float = Field(
        0.01, ge=0, le=1, description="Share of events that get spans when no one asked for them."
    )
    evidence_controller: str | None = Field(
        None, description="Who is responsible for figures; production has none without it."
    )
    gateways: int = Field(
        1, ge=1, description="Gateways behind one balancer; each gives its part of a budget."
    )
    budget_calls_at_once: int = Field(
        20_000, ge=1, description="Calls that a participant may make together after a pause."
    )
    budget_calls_per_second: int = Field(
        500, ge=1, description="Calls that come back to a participant each second."
    )
    budget_events_at_once: int = Field(
        100_000, ge=1, description="Events that a participant may send together after a pause."
    )
    budget_events_per_second: int = Field(
        1_000, ge=1, description="Events that come back to a participant each second."
    )
    budget_bytes_at_once: int = Field(
        256 * 2**20, ge=1, description="Bytes that a participant may send together after a pause."
    )
    budget_bytes_per_second: int = Field(
        4 * 2**20, ge=1, description="Bytes that come back to a participant each second."
    )
    budget_concurrent: int = Field(
        128, ge=1, description="Calls of one client that may be under way at the same time."
    )
    webhook_loopback: bool = Field(
        False, description="Whether webhooks may go to this machine; in `test` only."
    )
    mail_host: str = Field(
        "", description="Mail server that takes alerts to owners; without it the hub sends no mail."
    )
    mail_port: int = Field(587, ge=1, le=65535, description="Port of the mail server.")
    mail_security: Security = Field(
        "starttls", description="`starttls`, `tls` from the first byte, or `none`."
    )
    mail_user: str = Field("", description="Whom the mail server knows the hub as.")
    mail_password_file: Path | None = Field(None, description="File with that user's password.")
    mail_from: str = Field("", description="Address that alerts come from.")
    mail_ca: Path | None = Field(
        None, description="Authorities of the mail server's certificate; else the system's."
    )
    replication: int = Field(1, ge=1, description="Copies of each topic; 3 in production.")

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, given: str) -> str:
        _networks(given)
        return given

    @model_validator(mode="after")
    def _calls_itself_in_tests_only(self) -> Self:
        if self.webhook_loopback and self.environment != "test":
            raise ValueError("webhook_loopback is for test installations")
        return self

    @model_validator(mode="after")
    def _mails_as_somebody(self) -> Self:
        if self.mail_host and not is_address(self.mail_from):
            raise ValueError("mail_host needs mail_from: a plain mail address")
        if bool(self.mail_user) != bool(self.mail_password_file):
            raise ValueError("mail_user and mail_password_file need each other")
        if self.mail_user and self.mail_security == "none":
            raise ValueError("mail_user needs starttls or tls: a password is not sent in the clear")
        return self

    @model_validator(mode="after")
    def _asks_certificates_over_tls(self) -> Self:
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_client_ca needs tls_certificate: without TLS nobody shows any")
        return self

    @field_validator("matching_controller")
    @classmethod
    def _is_organisation(cls, given: str | None) -> str | None:
        try:
            return None if given is None else organisation_urn(given)
        except InvalidIdentifier as error:
            raise ValueError("no URN of an organisation, such as urn:be:ovo:OVO000000") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the data folder's file."""
        del dotenv_settings, file_secret_settings
        folder = init_settings().get("data") or env_settings().get("data") or "."
        hub_file = TomlConfigSettingsSource(settings_cls, Path(folder) / HUB_FILE)
        return init_settings, env_settings, hub_file

    @property
    def stores(self) -> Stores:
        """The databases of this installation."""
        if self.database_url is None:
            return Stores.sqlite(self.data)
        return Stores.postgres(self.database_url.get_secret_value())

    @property
    def matches_persons(self) -> bool:
        """Whether records of one person are looked for by likeness."""
        return self.environment == "test" or self.matching_controller is not None

    @property
    def base_url(self) -> str:
        """Where partners reach the gateway."""
        return self.public_url or self.issuer

    @property
    def mail(self) -> MailSettings | None:
        """The mail server, None for none."""
        if not self.mail_host:
            return None
        return MailSettings(
            host=self.mail_host,
            port=self.mail_port,
            security=self.mail_security,
            sender=self.mail_from,
            user=self.mail_user or None,
            password_file=self.mail_password_file,
            ca=self.mail_ca,
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where partners reach this hub, as a DPoP proof may name it: the public address first.

        A machine's own names for itself are one address: whoever types localhost means it.
        """
        known = [one.rstrip("/") for one in (self.base_url, self.issuer)]
        for address in tuple(known):
            parts = urlsplit(address)
            if parts.hostname in LOOPBACK_NAMES and parts.port is not None:
                known += [f"{parts.scheme}://{one}:{parts.port}{parts.path}" for one in _LOCAL]
        return tuple(dict.fromkeys(known))

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """From where a proxy may tell the certificate of its caller."""
        return _networks(self.proxies)

    @property
    def takes_certificates(self) -> bool:
        """Whether client certificates can reach this gateway."""
        return bool(self.tls_client_ca or self.socket or self.proxy_networks)

    @property
    def key_file(self) -> Path:
        """The file with the key-encryption key."""
        return self.kek_file or self.data / "keys" / "kek.json"

    @property
    def run_dir(self) -> Path:
        """Folder of the sockets by which processes wake one another."""
        return self.data / "run"

    @property
    def has_evidence(self) -> bool:
        """Whether facts are kept and figures given; always in test installations."""
        return self.environment == "test" or self.evidence_controller is not None

    def log_settings(self, principal: str) -> LogSettings:
        """How the service `principal` connects to Kafka, by its certificate."""
        folder = self.kafka_tls or self.data / "tls"
        own = folder / f"{principal}.pem"
        return LogSettings(
            bootstrap=self.kafka_bootstrap,
            ca_file=folder / "ca.pem",
            cert_file=own,
            key_file=own,
            client_id=principal,
        )


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks as text; raises ValueError. One that covers every address is no list."""
    found = tuple(ip_network(one.strip()) for one in text.split(",") if one.strip())
    if any(one.prefixlen == 0 for one in found):
        raise ValueError("a network of all addresses trusts everybody")
    return found


def load(data: Path | None = None) -> HubSettings:
    """The settings of this process; `data` goes before `SCHAKEL_DATA`.

    Raises:
        pydantic.ValidationError: a variable has no value or a wrong one.
    """
    folder = data or Path(os.environ.get("SCHAKEL_DATA") or "data")
    return HubSettings(data=folder.resolve())
