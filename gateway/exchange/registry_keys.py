"""The public keys in a registry file: of clients for tokens, of organisations for agreements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.errors import InvalidClient
from gateway.exchange.credentials import checked_public_jwk
from gateway.exchange.registry import Credential
from gateway.exchange.registry_entries import KEYS_MAX
from schemas.documents import Faults, Section
from schemas.moments import from_rfc3339

if TYPE_CHECKING:
    from gateway.exchange.registry import ClientAuth


def client_keys(
    value: Any, path: str, auth: ClientAuth, faults: Faults
) -> tuple[Credential, ...] | None:
    """The keys of a client's `jwks`; None when the file says nothing of them."""
    if value is None:
        return None
    if auth != "private_key_jwt":
        nl, en = "Alleen private_key_jwt heeft sleutels.", "Only private_key_jwt has keys."
        faults.add(path, "key_for_secret", nl, en)
    known = frozenset({"keys"})
    entries = list(Section(value, path, known=known, required=known, faults=faults).items("keys"))
    _bounded(entries, f"{path}.keys", faults)
    return tuple(_key(inner, key, faults) for inner, key in entries)


def signing_keys(section: Section, path: str, faults: Faults) -> tuple[Credential, ...] | None:
    """The keys that an organisation signs agreements with; None when the file says nothing."""
    if section.raw("keys") is None:
        return None
    entries = list(section.items("keys")) if section.raw("keys") != [] else []
    _bounded(entries, f"{path}.keys", faults)
    keys = tuple(_signing_key(inner, value, faults) for inner, value in entries)
    kids = [one.jwk["kid"] for one in keys if one.jwk is not None]
    if len(set(kids)) < len(kids):
        nl, en = "Twee sleutels hebben dezelfde kid.", "Two keys have the same kid."
        faults.add(f"{path}.keys", "duplicate", nl, en)
    return keys


def _bounded(entries: list[tuple[str, Any]], path: str, faults: Faults) -> None:
    if len(entries) > KEYS_MAX:
        nl, en = f"Geef hoogstens {KEYS_MAX} sleutels.", f"Give at most {KEYS_MAX} keys."
        faults.add(path, "too_many", nl, en)


def _signing_key(path: str, value: Any, faults: Faults) -> Credential:
    known = frozenset({"jwk", "not_after"})
    section = Section(value, path, known=known, required=frozenset({"jwk"}), faults=faults)
    key = _key(f"{path}.jwk", section.raw("jwk") or {}, faults)
    return replace(key, not_after=_moment(section.raw("not_after"), f"{path}.not_after", faults))


def _moment(value: Any, path: str, faults: Faults) -> int | None:
    """Seconds since the epoch of an instant with its zone."""
    if value is None:
        return None
    try:
        return from_rfc3339(value) // 1_000_000
    except (TypeError, ValueError):
        nl, en = "Moet een tijdstip met zone zijn.", "Has to be an instant with its zone."
        faults.add(path, "invalid_format", nl, en)
        return None


def _key(path: str, value: Any, faults: Faults) -> Credential:
    try:
        return Credential(jwk=checked_public_jwk(value, path))
    except InvalidClient as error:
        faults.found += error.invalid
        return Credential()
