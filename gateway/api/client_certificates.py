"""The caller's certificate: from the TLS connection itself, or from a proxy that is listed.

A token can be bound to a certificate (RFC 8705) and then counts only beside it. Where TLS ends in
front of the hub, the proxy tells the certificate in `Client-Cert` (RFC 9440). That header is as
good as a certificate, so it counts on a Unix socket or from a listed address and nowhere else: from
anybody else it is refused, never passed over in silence. A listed proxy must remove what its own
callers send under that name.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, Final

from cryptography import x509

from gateway import errors
from gateway.oauth.senders import CERTIFICATE
from schemas.errors import Message
from schemas.proofs import encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence
    from ipaddress import IPv4Network, IPv6Network

HEADER: Final = b"client-cert"
PEER: Final = "schakel.peer_certificate"
"""Where the server keeps the thumbprint of a connection's own certificate, in the ASGI scope."""

UNIX: Final = "schakel.unix_socket"
"""Set in the ASGI scope of a request that came over a Unix socket."""

KNOWN_MAX: Final = 1024
"""Certificates whose header is not read again; a header is a key of at most 16 KiB."""

ADDRESSES_MAX: Final = 1024
_BINARY: Final = re.compile(rb" *:([A-Za-z0-9+/]+={0,2}): *")


def thumbprint(der: bytes) -> str:
    """The `x5t#S256` of a certificate in DER."""
    return encoded(hashlib.sha256(der).digest())


class ClientCertificates:
    """Decides whose certificate a request shows.

    Args:
        proxies: the networks from which `Client-Cert` counts.
    """

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network] = ()) -> None:
        self._proxies = tuple(proxies)
        self._is_listed = lru_cache(ADDRESSES_MAX)(self._lists)

    def settle(self, scope: MutableMapping[str, Any]) -> None:
        """Write the thumbprint of the caller's certificate into the scope, if it shows one.

        From a proxy only the header counts: the certificate of that connection is the proxy's own.

        Raises:
            CertificateHeaderRefused: 400, the header comes from elsewhere, occurs twice, or is no
                certificate.
        """
        told = [value for name, value in scope["headers"] if name == HEADER]
        if self._is_proxy(scope):
            shown = _told(told) if told else None
        elif told:
            raise _refused(
                nl="Client-Cert telt alleen van een proxy die de hub kent.",
                en="Client-Cert counts only from a proxy that the hub knows.",
            )
        else:
            shown = scope.get(PEER)
        if shown is not None:
            scope[CERTIFICATE] = shown

    def _is_proxy(self, scope: Mapping[str, Any]) -> bool:
        if scope.get(UNIX):
            return True
        client = scope.get("client")
        return bool(self._proxies) and client is not None and self._is_listed(client[0])

    def _lists(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self._proxies)


def _told(values: list[bytes]) -> str:
    if len(values) != 1:
        raise _refused(nl="Client-Cert komt twee keer voor.", en="Client-Cert occurs twice.")
    return _read(values[0])


@lru_cache(KNOWN_MAX)
def _read(value: bytes) -> str:
    """The thumbprint of the certificate in a header: a byte sequence of RFC 9651 §3.3.5."""
    found = _BINARY.fullmatch(value)
    try:
        der = base64.b64decode(found[1], validate=True) if found else b""
        x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise _refused(
            nl="Client-Cert is geen certificaat in base64 tussen dubbelepunten (RFC 9440).",
            en="Client-Cert is no certificate in base64 between colons (RFC 9440).",
        ) from error
    return thumbprint(der)


def _refused(*, nl: str, en: str) -> errors.CertificateHeaderRefused:
    return errors.CertificateHeaderRefused(Message(nl=nl, en=en))
