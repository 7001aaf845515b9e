"""What the hub signs about its Merkle tree: heads, and how many records a participant has.

Both are a compact JWS (RFC 7515, ES256) over canonical JSON, with a `typ` of their own, so that
neither can be taken for the other or for a token. This module alone knows the JOSE library.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet

from schemas.canonical import canonical
from schemas.errors import InvalidProof, Message
from schemas.merkle import hash_from

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHM: Final = "ES256"
HEAD_TYPE: Final = "schakel-tree-head"
ACCOUNT_TYPE: Final = "schakel-record-account"


@dataclass(frozen=True, slots=True)
class TreeHead:
    """The tree at one moment, the same for everybody.

    Attributes:
        hub: the installation, by its issuer identifier.
        timestamp: microseconds UTC, real time.
    """

    hub: str
    tree_size: int
    root_hash: bytes
    timestamp: int


@dataclass(frozen=True, slots=True)
class Account:
    """That one participant has exactly these records in the tree of a head.

    Attributes:
        first: number of the first record that goes with this account.
        previous: leaf hash of the record before `first`; 32 zero bytes before the very first.
        count: number of the last one; `first - 1` when there are none.
        last: leaf hash of record `count`.
    """

    hub: str
    tree_size: int
    root_hash: bytes
    timestamp: int
    participant: str
    first: int
    previous: bytes
    count: int
    last: bytes


Statement = TypeVar("Statement", TreeHead, Account)
_TYPES: Final[dict[type, str]] = {TreeHead: HEAD_TYPE, Account: ACCOUNT_TYPE}
_HASHES: Final = {"root_hash", "previous", "last"}
_TEXTS: Final = {"hub", "participant"}


class ProofKey:
    """A key that signs heads and accounts.

    Args:
        private_jwk: an ES256 key pair with a `kid`.
    """

    def __init__(self, private_jwk: Mapping[str, Any]) -> None:
        self._key = ECKey.import_key(dict(private_jwk))

    def sign(self, statement: TreeHead | Account) -> str:
        """The statement as a compact JWS."""
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": _TYPES[type(statement)]}
        document = {
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in asdict(statement).items()
        }
        return jws.serialize_compact(header, canonical(document), self._key, [ALGORITHM])

    def sign_document(self, kind: str, document: Mapping[str, Any]) -> str:
        """A document of another kind, such as a report, as a compact JWS of that `typ`."""
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": kind}
        return jws.serialize_compact(header, canonical(dict(document)), self._key, [ALGORITHM])


class PublicKeys:
    """The keys that heads and accounts of one hub may be signed with.

    Args:
        document: a JWK Set, as `GET /v1/records/key` gives it.

    Raises:
        InvalidProof: it is none, or holds no ES256 key.
    """

    def __init__(self, document: Any) -> None:
        try:
            if not document["keys"] or any(one["kty"] != "EC" for one in document["keys"]):
                raise _unusable()
            self._keys = KeySet.import_key_set(document)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise _unusable() from error

    def read(self, kind: type[Statement], signed: str) -> Statement:
        """The statement of that kind that a compact JWS holds.

        Raises:
            InvalidProof: another kind, a signature that does not hold, or any other spelling than
                the one that was signed.
        """
        try:
            if not _is_spelt_once(signed):
                raise _not_signed()
            found = jws.deserialize_compact(signed, self._keys, [ALGORITHM])
            if found.headers().get("typ") != _TYPES[kind]:
                raise _not_signed()
            return _statement(kind, orjson.loads(found.payload))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _not_signed() from error

    def read_document(self, kind: str, signed: str) -> dict[str, Any]:
        """The document of that kind that a compact JWS holds. Raises as `read`."""
        try:
            if not _is_spelt_once(signed):
                raise _not_signed()
            found = jws.deserialize_compact(signed, self._keys, [ALGORITHM])
            document = orjson.loads(found.payload)
            if found.headers().get("typ") != kind or not isinstance(document, dict):
                raise _not_signed()
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise _not_signed() from error
        else:
            return document


def _statement(kind: type[Statement], values: Any) -> Statement:
    if not isinstance(values, dict) or values.keys() != set(kind.__dataclass_fields__):
        raise _not_signed()
    for name, value in values.items():
        expected = str if name in _HASHES | _TEXTS else int
        if type(value) is not expected:
            raise _not_signed()
    hashes = {name: hash_from(values[name]) for name in _HASHES & values.keys()}
    return kind(**values | hashes)


def _is_spelt_once(signed: str) -> bool:
    """Whether each part has its one base64url spelling: the last letter has bits to spare."""
    try:
        parts = [one.encode("ascii") for one in signed.split(".")]
        decoded = [base64.urlsafe_b64decode(one + b"=" * (-len(one) % 4)) for one in parts]
    except (UnicodeEncodeError, binascii.Error):
        return False
    again = [base64.urlsafe_b64encode(one).rstrip(b"=") for one in decoded]
    return len(parts) == 3 and parts == again  # noqa: PLR2004 - header, payload, signature


def _not_signed() -> InvalidProof:
    return InvalidProof(
        Message(
            nl="De handtekening van de hub klopt niet met deze sleutel.",
            en="The hub's signature does not hold under this key.",
        ),
        facts={"reason": "signature"},
    )


def _unusable() -> InvalidProof:
    return InvalidProof(
        Message(
            nl="De sleutel is niet leesbaar. Haal hem op met `schakel events record-key`.",
            en="The key cannot be read. Get it with `schakel events record-key`.",
        ),
        facts={"reason": "key"},
    )
