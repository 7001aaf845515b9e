"""Where a webhook may be sent: the guard against a hub that is made to call its own network.

A receiver's name is resolved once, every address it has must be a public one, and the connection
goes to the very address that was judged; the certificate is still checked for the name. Whoever
answers differently the second time is never asked a second time.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from consumers.errors import AddressRefused
from schemas.errors import InvalidParam, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS: Final = frozenset({443, 8443})
LONGEST_URL: Final = 2048
LONGEST_NAME: Final = 253
LONGEST_LABEL: Final = 63

# `is_global` holds for some of these, though each can stand for an address inside.
_NEVER: Final = tuple(
    ipaddress.ip_network(one)
    for one in (
        "100.64.0.0/10",  # shared by carriers
        "192.88.99.0/24",  # relays of 6to4
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "::ffff:0:0:0/96",  # IPv4-translated
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64 of a site's own
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fec0::/10",  # site-local
    )
)


class Resolver(Protocol):
    """Turns a host name into addresses."""

    def resolve(self, host: str, port: int) -> Sequence[str]:
        """All addresses of a name, as text; blocks.

        Raises:
            OSError: the name has none, or the name service does not answer.
        """
        ...


class SystemResolver:
    """The name service of this machine."""

    def resolve(self, host: str, port: int) -> list[str]:
        """All addresses, in the order in which this machine would try them."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError as error:  # the codec that Python puts before it has rules of its own
            raise OSError("the name cannot be asked for") from error
        return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver's URL, taken apart. `host` is ASCII and in lower case."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Which URLs and addresses are allowed.

    Attributes:
        ports: of https.
        allows_loopback: also this machine, on any port and without TLS; in test installations
            alone, and only when its setting says so.
    """

    ports: frozenset[int] = PORTS
    allows_loopback: bool = False

    def target(self, url: str, name: str = "url") -> Target:
        """The parts of a URL that may be called, before any name is resolved.

        Raises:
            AddressRefused: no absolute https URL with an allowed port, or it holds credentials,
                a fragment, characters outside ASCII or a name that no name service can know.
                `name` is the field that it stood in.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            host = (parts.hostname or "").lower()
        except ValueError as error:
            raise _malformed(name) from error
        is_plain = url.isascii() and url.isprintable() and " " not in url
        if len(url) > LONGEST_URL or not is_plain or "\\" in url or not _can_be_name(host):
            raise _malformed(name)
        if parts.username is not None or parts.password is not None or "#" in url:
            raise _malformed(name)
        target = Target(parts.scheme, host, port)
        self._check_scheme(target, name)
        literal = _literal(host)
        if literal is not None and not self.allows(literal):
            raise _internal(name)
        return target

    def allows(self, address: Address) -> bool:
        """Whether this address may be connected to."""
        if self.allows_loopback and address.is_loopback:
            return True
        if any(address in network for network in _NEVER if network.version == address.version):
            return False
        return address.is_global and not (
            address.is_multicast or address.is_reserved or address.is_unspecified
        )

    def choose(self, target: Target, resolver: Resolver) -> str:
        """The address to connect to: resolved once, and all that came back were allowed.

        Raises:
            AddressRefused: one of them is no public address.
            OSError: the name has none.
        """
        literal = _literal(target.host)
        found = [str(literal)] if literal else list(resolver.resolve(target.host, target.port))
        if not found:
            raise OSError("the name has no address")
        addresses = [ipaddress.ip_address(one.partition("%")[0]) for one in found]
        # One inside address among public ones is how a guard that looks at the first is passed.
        if not all(self.allows(one) for one in addresses):
            raise _internal("url")
        if target.scheme == "http" and not all(one.is_loopback for one in addresses):
            raise _internal("url")
        return str(addresses[0])

    def _check_scheme(self, target: Target, name: str) -> None:
        if target.scheme == "https" and (target.port in self.ports or self.allows_loopback):
            return
        # That the name leads to this machine is checked when it is resolved.
        if target.scheme == "http" and self.allows_loopback:
            return
        allowed = ", ".join(str(port) for port in sorted(self.ports))
        raise _refused(
            name,
            "not_https",
            f"Geef een https-adres op poort {allowed}.",
            f"Give an https address on port {allowed}.",
        )


def _can_be_name(host: str) -> bool:
    """Whether a name service may know it: the lengths of RFC 1035; addresses are within them."""
    name = host.removesuffix(".")
    return len(name) <= LONGEST_NAME and all(
        0 < len(label) <= LONGEST_LABEL for label in name.split(".")
    )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _malformed(name: str) -> AddressRefused:
    return _refused(
        name,
        "malformed",
        "Geef een volledig https-adres in ASCII, zonder gebruiker en zonder #.",
        "Give a whole https address in ASCII, without a user and without #.",
    )


def _internal(name: str) -> AddressRefused:
    return _refused(
        name,
        "address_refused",
        "Dit adres hoort bij geen openbaar netwerk. Geef een adres dat van buitenaf bereikbaar is.",
        "This address belongs to no public network. Give one that can be reached from outside.",
    )


def _refused(name: str, code: str, nl: str, en: str) -> AddressRefused:
    told = Message(nl=nl, en=en)
    return AddressRefused(told, invalid=(InvalidParam(name, code, told),))
