"""The certificates of Kafka's internal listener, handed out: to each container its own only.

The authority with its key stays in /certificates/authority, a volume that no other container has.
Every service's folder beside it is the /tls of that service's container: `ca.pem` and one key.
Idempotent. With --renew everything is made anew; whoever runs uses it from its next start on.
"""

import sys
from pathlib import Path

from gateway.embedded.certificates import discard, ensure_certificates

FOLDER = Path("/certificates")
AUTHORITY = FOLDER / "authority"
# Who connects to the internal listener; `admin` is what provision makes topics as.
SERVICES = ("broker", "admin", "relay", "route", "kafka-door")
HOST = "kafka"


def main() -> None:
    """Make what is missing, or everything, and hand it out."""
    if "--renew" in sys.argv[1:]:
        discard(AUTHORITY)
    certificates = ensure_certificates(AUTHORITY, SERVICES, hosts=(HOST,))
    for service in SERVICES:
        certificates.hand_out(service, FOLDER / service)


if __name__ == "__main__":
    main()
