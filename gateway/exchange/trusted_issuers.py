"""Issuers of tokens that the hub trusts beside its own: the Flemish ACM/IDM, and its like (§4).

An issuer is trusted for the clients that the registry ties to it, and for nothing else: its token
proves which client calls, and the registry says what that client may do. How a token is checked is
one of three: keys that are fetched, keys that stand in the file, or asking the issuer (RFC 7662).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from gateway.errors import InvalidClient
from gateway.exchange.credentials import checked_public_jwk
from gateway.exchange.scopes import SCOPES
from schemas.documents import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.exchange.registry import Environment
    from schemas.documents import Faults

KEYS: Final = (
    "issuer", "audiences", "algorithms", "types", "jwks_uri", "jwks", "introspection", "scopes",
    "revoked",
)  # fmt: skip
REQUIRED: Final = ("issuer", "audiences")
WAYS: Final = ("jwks_uri", "jwks", "introspection")
ALGORITHMS: Final = frozenset({"ES256", "PS256", "EdDSA", "RS256"})
"""RS256 is not in FAPI 2.0, but it is what ACM/IDM signs with."""

TYPES: Final = frozenset({"at+jwt", "JWT"})
_SCOPE_LENGTH: Final = 100


@dataclass(frozen=True, slots=True)
class Introspection:
    """How the hub asks an issuer about a token, as a client of that issuer.

    Attributes:
        client_id: the hub's own id there; it proves itself with its signing key, which the issuer
            finds at the hub's JWKS (`private_key_jwt`).
        audience: the `aud` that this issuer wants in an assertion.
    """

    endpoint: str
    client_id: str
    audience: str


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer.

    Attributes:
        issuer: the exact `iss` of its tokens.
        audiences: a token has to name one of them.
        algorithms: those its tokens may be signed with.
        types: the `typ` headers that its access tokens may have.
        jwks_uri: where its keys are, if they are fetched.
        jwks: its public keys, if they stand in the file.
        introspection: how to ask it, if it is asked.
        scopes: its scope to ours; a scope that is not named gives nothing.
        status: `active` or `revoked`.
    """

    issuer: str
    audiences: frozenset[str]
    algorithms: tuple[str, ...] = ()
    types: frozenset[str] = frozenset({"at+jwt"})
    jwks_uri: str | None = None
    jwks: tuple[Mapping[str, Any], ...] = ()
    introspection: Introspection | None = None
    scopes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    status: str = "active"

    def ours(self, scope: str) -> frozenset[str]:
        """The hub's scopes for a `scope` claim of this issuer."""
        return frozenset(one for name in scope.split() for one in self.scopes.get(name, ()))


def read_issuer(value: Any, path: str, faults: Faults, environment: Environment) -> TrustedIssuer:
    """The issuer at a place of the registry file, without its status; its faults are noted."""
    section = _section(value, path, KEYS, REQUIRED, faults)
    issuer = _address(section, path, "issuer", faults, environment) or ""
    asked = section.raw("introspection") is not None
    if sum(section.raw(way) is not None for way in WAYS) != 1:
        nl = "Kies precies één van jwks_uri, jwks en introspection."
        faults.add(path, "one_way", nl, "Choose exactly one of jwks_uri, jwks and introspection.")
    algorithms = section.many_of("algorithms", ALGORITHMS.__contains__, _listed(ALGORITHMS))
    if not asked and section.raw("algorithms") is None:
        faults.add(f"{path}.algorithms", "missing", "Ontbreekt.", "Missing.")
    types = section.many_of("types", TYPES.__contains__, _listed(TYPES))
    return TrustedIssuer(
        issuer=issuer,
        audiences=frozenset(section.many_of("audiences", _is_short, "tekst / text")),
        algorithms=tuple(sorted(algorithms)),
        types=frozenset(types or ("at+jwt",)),
        jwks_uri=_address(section, path, "jwks_uri", faults, environment),
        jwks=_keys(section.raw("jwks"), f"{path}.jwks", faults),
        introspection=_introspection(
            section.raw("introspection"), f"{path}.introspection", issuer, faults, environment
        ),
        scopes=_scopes(section.raw("scopes"), f"{path}.scopes", faults),
    )


def is_safe_address(address: str, environment: Environment) -> bool:
    """Whether the hub may fetch from an address: https, or this machine in test installations."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment or not address.isascii():
        return False
    return parts.scheme == "https" or (
        environment == "test" and parts.scheme == "http" and _is_loopback(host)
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(
    section: Section, path: str, key: str, faults: Faults, environment: Environment
) -> str | None:
    address = section.text(key)
    if address is not None and not is_safe_address(address, environment):
        nl, en = "Moet een https-adres zijn.", "Has to be an https address."
        faults.add(f"{path}.{key}", "invalid_address", nl, en)
    return address


def _introspection(
    value: Any, path: str, issuer: str, faults: Faults, environment: Environment
) -> Introspection | None:
    if value is None:
        return None
    known = ("endpoint", "client_id", "audience")
    section = _section(value, path, known, ("endpoint", "client_id"), faults)
    return Introspection(
        endpoint=_address(section, path, "endpoint", faults, environment) or "",
        client_id=section.text("client_id") or "",
        audience=section.text("audience") or issuer,
    )


def _keys(value: Any, path: str, faults: Faults) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    found = []
    for inner, key in _section(value, path, ("keys",), ("keys",), faults).items("keys"):
        try:
            found.append(checked_public_jwk(key, inner))
        except InvalidClient as error:
            faults.found += error.invalid
    return tuple(found)


def _scopes(value: Any, path: str, faults: Faults) -> dict[str, tuple[str, ...]]:
    if value is None:
        return {}
    names = [str(name) for name in value] if isinstance(value, dict) else []
    section = _section(value, path, names, (), faults)
    for name in names:
        if not _is_short(name):
            nl, en = "Geen bruikbare scope.", "Not a usable scope."
            faults.add(path, "invalid_format", nl, en)
    hint = _listed(SCOPES)
    return {name: section.many_of(name, SCOPES.__contains__, hint) for name in names}


def _section(
    value: Any,
    path: str,
    known: tuple[str, ...] | list[str],
    required: tuple[str, ...],
    faults: Faults,
) -> Section:
    return Section(value, path, known=frozenset(known), required=frozenset(required), faults=faults)


def _is_short(text: str) -> bool:
    return 0 < len(text) <= _SCOPE_LENGTH and text.isprintable() and " " not in text


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))
