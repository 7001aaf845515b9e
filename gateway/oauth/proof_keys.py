"""The key inside a DPoP proof: which keys are taken, and the one place that verifies with them.

The header of a proof is the same text for every proof of a client, so a key that was read once is
kept by that text. Strict on purpose: whatever two readers could understand differently is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.oauth.compact import MalformedJwtError, decoded
from schemas import proofs, strictjson
from schemas.errors import StrictJsonError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ALGORITHMS: Final = ("ES256", "PS256", "EdDSA", "Ed25519")
"""Those of FAPI 2.0; Ed25519 is RFC 9864's name of what most clients still call EdDSA."""

HEADER_DEPTH: Final = 3
RSA_BITS: Final = range(2048, 4097)
RSA_EXPONENT_MAX: Final = 2**32
_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_ES256: Final = ec.ECDSA(SHA256())
_PSS: Final = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
_EC_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class ProofKey:
    """A public key that a proof brought along.

    Attributes:
        thumbprint: its `jkt`.
        verify: raises InvalidSignature or ValueError unless the signature over the data is the
            key's; takes signature and data.
    """

    thumbprint: str
    verify: Callable[[bytes, bytes], None]

    def is_signer(self, signature: bytes, data: bytes) -> bool:
        """Whether this key made that signature. About 100 µs for ES256."""
        try:
            self.verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_header(segment: bytes) -> ProofKey:
    """The key of a proof by its header, as encoded.

    Raises:
        MalformedJwtError: no header of a proof, another algorithm, or no public key for it.
    """
    try:
        header = strictjson.loads(decoded(segment), HEADER_DEPTH)
    except StrictJsonError as error:
        raise MalformedJwtError("header") from error
    if not isinstance(header, dict) or header.get("typ") != proofs.TYPE:
        raise MalformedJwtError("typ")
    if "crit" in header or "b64" in header:
        raise MalformedJwtError("crit")
    algorithm, jwk = header.get("alg"), header.get("jwk")
    if not isinstance(algorithm, str) or algorithm not in _READERS:
        raise MalformedJwtError("alg")
    if not isinstance(jwk, dict):
        raise MalformedJwtError("jwk")
    return _read_key(algorithm, jwk)


def _read_key(algorithm: str, jwk: Mapping[str, Any]) -> ProofKey:
    if _PRIVATE & jwk.keys():
        raise MalformedJwtError("private_key")
    if jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        raise MalformedJwtError("jwk")
    try:
        verify = _READERS[algorithm](jwk)
    except ValueError as error:  # not a point of the curve, an even modulus
        raise MalformedJwtError("jwk") from error
    return ProofKey(proofs.thumbprint(jwk), verify)


def _member(jwk: Mapping[str, Any], name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str) or not value or not value.isascii():
        raise MalformedJwtError("jwk")
    return decoded(value.encode())


def _expect(jwk: Mapping[str, Any], **members: str) -> None:
    if any(jwk.get(name) != value for name, value in members.items()):
        raise MalformedJwtError("jwk")


def _es256(jwk: Mapping[str, Any]) -> Callable[[bytes, bytes], None]:
    _expect(jwk, kty="EC", crv="P-256")
    x, y = _member(jwk, "x"), _member(jwk, "y")
    if len(x) != _EC_BYTES or len(y) != _EC_BYTES:
        raise MalformedJwtError("jwk")
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1())
    key = numbers.public_key()

    def verify(signature: bytes, data: bytes) -> None:
        if len(signature) != 2 * _EC_BYTES:
            raise ValueError("not two numbers")
        r, s = int.from_bytes(signature[:_EC_BYTES]), int.from_bytes(signature[_EC_BYTES:])
        key.verify(encode_dss_signature(r, s), data, _ES256)

    return verify


def _ps256(jwk: Mapping[str, Any]) -> Callable[[bytes, bytes], None]:
    _expect(jwk, kty="RSA")
    modulus, exponent = _member(jwk, "n"), _member(jwk, "e")
    # A leading zero would give one key two thumbprints.
    if not modulus[0] or not exponent[0] or len(modulus) * 8 not in RSA_BITS:
        raise MalformedJwtError("jwk")
    public = int.from_bytes(exponent)
    if public >= RSA_EXPONENT_MAX:
        raise MalformedJwtError("jwk")
    key = rsa.RSAPublicNumbers(public, int.from_bytes(modulus)).public_key()

    def verify(signature: bytes, data: bytes) -> None:
        key.verify(signature, data, _PSS, SHA256())

    return verify


def _eddsa(jwk: Mapping[str, Any]) -> Callable[[bytes, bytes], None]:
    _expect(jwk, kty="OKP", crv="Ed25519")
    return ed25519.Ed25519PublicKey.from_public_bytes(_member(jwk, "x")).verify


_READERS: Final = {"ES256": _es256, "PS256": _ps256, "EdDSA": _eddsa, "Ed25519": _eddsa}
