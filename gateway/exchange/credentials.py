"""What a client proves itself with: a key pair of its own, or in test installations a secret.

The hub keeps public keys and hashes only. Private keys are made where they are used; a secret is
shown once. Key types are those of ES256, PS256 and EdDSA (FAPI 2.0).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import TYPE_CHECKING, Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from gateway.errors import InvalidClient
from schemas.errors import InvalidParam, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import Key

RSA_MIN_BITS = 2048
RSA_MAX_BITS = 4096
SECRET_MAX_LENGTH = 256
# About 20 ms and 16 MiB a guess; a token is asked for once in five minutes.
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**14, 8, 1

_KEY_TYPES = "EC P-256 (ES256), Ed25519 (EdDSA), RSA 2048-4096 (PS256)"


def new_private_jwk() -> dict[str, Any]:
    """A fresh ES256 key pair as a private JWK whose `kid` is its thumbprint."""
    return _described(ECKey.generate_key("P-256"), private=True)


def public_part(private_jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The public JWK of a private one.

    Raises:
        InvalidClient: it is no key of an accepted type.
    """
    return _described(_imported(private_jwk), private=False)


def checked_public_jwk(jwk: Any, path: str = "jwk") -> dict[str, Any]:
    """A public JWK as the registry keeps it: known members only, with a `kid`.

    Raises:
        InvalidClient: a private key, a symmetric one, another type or size. `path` is where it
            stood; the sentence never holds the key.
    """
    if not isinstance(jwk, dict):
        raise _invalid(path, "Geen JWK-object.", "Not a JWK object.")
    key = _imported(jwk, path)
    if key.is_private:
        raise _invalid(
            path,
            "Dit is een privésleutel; stuur alleen het publieke deel en vervang de sleutel.",
            "This is a private key; send its public part only, and replace the key.",
        )
    return _described(key, private=False)


def new_secret() -> str:
    """A fresh client secret: 256 bits, safe in a header and a file."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """The scrypt hash of a secret, with its salt and cost, as text."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(secret, salt, SCRYPT_N)
    return f"scrypt${SCRYPT_N}${_text(salt)}${_text(digest)}"


def secret_matches(secret: str, stored: str | None) -> bool:
    """Whether a secret has this hash; takes as long when there is no hash to compare with."""
    salt, expected, cost = b"\0" * 16, b"", SCRYPT_N
    if stored is not None:
        _, cost_text, salt_text, digest_text = stored.split("$")
        salt, expected, cost = _bytes(salt_text), _bytes(digest_text), int(cost_text)
    digest = _scrypt(secret[:SECRET_MAX_LENGTH], salt, cost)
    return hmac.compare_digest(digest, expected) and stored is not None


def _imported(jwk: Mapping[str, Any], path: str = "jwk") -> Key:
    # Looked at before importing: the library warns about weak keys instead of refusing them.
    if jwk.get("kty") not in ("EC", "OKP", "RSA") or _is_short_rsa(jwk):
        raise _wrong_type(path)
    try:
        key = import_key(dict(jwk))
        key.dict_value  # noqa: B018 - reads the numbers, which the import leaves for later
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _invalid(path, "Onleesbare sleutel.", "Unreadable key.") from error
    if not _is_accepted(key):
        raise _wrong_type(path)
    return key


def _is_short_rsa(jwk: Mapping[str, Any]) -> bool:
    return jwk["kty"] == "RSA" and len(str(jwk.get("n", ""))) * 6 < RSA_MIN_BITS


def _is_accepted(key: Key) -> bool:
    if isinstance(key, ECKey):
        return key.curve_name == "P-256"
    if isinstance(key, OKPKey):
        return key.curve_name == "Ed25519"
    return isinstance(key, RSAKey) and RSA_MIN_BITS <= key.public_key.key_size <= RSA_MAX_BITS


def _described(key: Key, *, private: bool) -> dict[str, Any]:
    """The JWK with the members that define it and its `kid`, nothing else that came along."""
    key.ensure_kid()
    members = {"kty", "kid", *key.value_registry}
    full = key.as_dict(private=private)
    return {name: full[name] for name in full if name in members}


def _scrypt(secret: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(
        secret.encode(), salt=salt, n=cost, r=SCRYPT_R, p=SCRYPT_P, maxmem=64 * 2**20, dklen=32
    )


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode()


def _bytes(value: str) -> bytes:
    return base64.urlsafe_b64decode(value)


def _wrong_type(path: str) -> InvalidClient:
    return _invalid(
        path,
        f"Dit sleuteltype wordt niet aanvaard; gebruik {_KEY_TYPES}.",
        f"This key type is not accepted; use {_KEY_TYPES}.",
    )


def _invalid(path: str, nl: str, en: str) -> InvalidClient:
    reason = Message(nl=nl, en=en)
    return InvalidClient(reason, invalid=[InvalidParam(path, "key_invalid", reason)])
