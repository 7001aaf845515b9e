"""The certificates of Kafka's internal listener, handed out: to each process its own only.

The authority with its key stays in FOLDER/authority; in containers that is a volume which no other
container has. Every service's folder beside it is the /tls of that service's container, or what
SCHAKEL_KAFKA_TLS names on its machine: `ca.pem` and one key.
Idempotent. With --renew everything is made anew; whoever runs uses it from its next start on.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from gateway.embedded.certificates import discard, ensure_certificates

# Who connects to the internal listener; `admin` is what provision makes topics as.
SERVICES = ("broker", "admin", "relay", "route", "kafka-door")


def main(arguments: Sequence[str] | None = None) -> None:
    """Make what is missing, or everything, and hand it out."""
    given = _parser().parse_args(arguments)
    authority = given.folder / "authority"
    if given.renew:
        discard(authority)
    certificates = ensure_certificates(authority, SERVICES, hosts=tuple(given.host or ["kafka"]))
    for service in SERVICES:
        (given.folder / service).mkdir(mode=0o700, exist_ok=True)
        certificates.hand_out(service, given.folder / service)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Certificates of Kafka's internal listener.")
    parser.add_argument(
        "--folder", type=Path, default=Path("/certificates"), help="Where all of them are kept."
    )
    parser.add_argument(
        "--host", action="append", help="Kafka's name on the network, `kafka` by default."
    )
    parser.add_argument("--renew", action="store_true", help="Make everything anew.")
    return parser


if __name__ == "__main__":
    main()
