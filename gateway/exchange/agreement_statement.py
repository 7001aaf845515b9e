"""What a party signs about an agreement, and whether its signature holds (RFC 7515, RFC 8785).

A party signs a statement: which agreement, the hash of its document, what it does (accept, reject,
revoke), in whose name and when. The statement is the payload of a compact JWS in its canonical
form, so that one signature can serve neither another agreement, nor other content, nor another
act, nor another party. The header holds `alg`, `kid` and `typ` and nothing else: no key or address
of a key that comes along is ever looked at. Pure, but for the time it is handed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import import_key

from gateway.errors import SignatureRefused
from schemas.canonical import canonical
from schemas.codelists import code_list
from schemas.errors import InvalidParam, Message, StrictJsonError
from schemas.moments import from_rfc3339, to_rfc3339
from schemas.strictjson import loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.exchange.registry import Credential

Act = Literal["accept", "reject", "revoke"]
ACTS: Final[frozenset[str]] = frozenset(get_args(Act))
TYPE: Final = "schakel-agreement+jws"
ALGORITHM_OF: Final = {"EC": "ES256", "RSA": "PS256", "OKP": "EdDSA"}
"""One algorithm a key type: a header cannot choose another for the same key."""
MAX_LENGTH: Final = 4096
AHEAD_SECONDS: Final = 60
BEHIND_SECONDS: Final = 7 * 86_400
"""A statement may be signed away from the network and carried; after a week it is signed anew."""

_REQUIRED: Final = frozenset({"agreement_id", "document_hash", "act", "party", "at"})
_REASONED: Final = frozenset({"reject", "revoke"})


@dataclass(frozen=True, slots=True)
class Statement:
    """What a party says of an agreement.

    Attributes:
        document_hash: SHA-256, in hexadecimal, of the document's RFC 8785 form.
        party: the organisation's URN.
        at: microseconds since the epoch.
        reason: code of the list `agreement_reason`; with reject and revoke only.
    """

    agreement_id: str
    document_hash: str
    act: str
    party: str
    at: int
    reason: str | None = None

    def plain(self) -> dict[str, str]:
        """As it is signed."""
        found = {
            "agreement_id": self.agreement_id,
            "document_hash": self.document_hash,
            "act": self.act,
            "party": self.party,
            "at": to_rfc3339(self.at),
        }
        return found if self.reason is None else {**found, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement whose signature holds, the signature as it came, and the key it was made with."""

    statement: Statement
    jws: str
    key: Mapping[str, Any]


class _ListedAlgorithms(jws.JWSRegistry):
    """Knows the three algorithms and no other; the library would warn at every EdDSA."""

    def get_alg(self, name: str) -> Any:
        """The algorithm of a listed name."""
        if name not in ALGORITHM_OF.values():
            raise UnsupportedAlgorithmError(f"{name} is not on the list")
        return self.algorithms[name]


_JWS = _ListedAlgorithms()


def sign(statement: Statement, private_jwk: Mapping[str, Any]) -> str:
    """The compact JWS of a statement.

    Raises:
        SignatureRefused: the key is not usable.
    """
    try:
        key = import_key(dict(private_jwk))
        key.ensure_kid()
        header = {"alg": ALGORITHM_OF[key.key_type], "kid": key.kid, "typ": TYPE}
        return jws.serialize_compact(header, canonical(statement.plain()), key, registry=_JWS)
    except (JoseError, KeyError, ValueError, TypeError):
        # Without `from`: the cause's own text may hold the key.
        raise _refused("key", "De sleutel is onbruikbaar.", "The key is not usable.") from None


def read(text: str, expected: Statement, keys: Iterable[Credential], now_seconds: float) -> Signed:
    """The statement of a signature that holds.

    Args:
        text: the compact JWS.
        expected: agreement, hash, act and party that it has to be about; its time and reason are
            the statement's own.
        keys: those of the party.
        now_seconds: real time; keys end by it, and statements grow too old.

    Raises:
        SignatureRefused: 422, with the one check that failed first as its invalid parameter.
    """
    key = _verified_key(text, keys, now_seconds)
    try:
        payload = jws.extract_compact(text.encode("ascii")).payload
        said = loads(payload)
        is_canonical = canonical(said) == payload
    except (JoseError, StrictJsonError, ValueError) as error:
        raise _malformed() from error
    if not is_canonical or not isinstance(said, dict):
        raise _malformed()
    return Signed(_statement(said, expected, now_seconds), text, key)


def _verified_key(text: str, keys: Iterable[Credential], now_seconds: float) -> Mapping[str, Any]:
    """The public key whose signature this is."""
    if len(text) > MAX_LENGTH or not text.isascii():
        raise _malformed()
    try:
        signature = jws.extract_compact(text.encode("ascii"))
        header = signature.headers()
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise _malformed() from error
    if set(header) != {"alg", "kid", "typ"} or header["typ"] != TYPE:
        raise _refused(
            "header",
            f"De kop moet alg, kid en typ ({TYPE}) hebben en niets anders.",
            f"The header has to hold alg, kid and typ ({TYPE}) and nothing else.",
        )
    jwk = _known_key(header["kid"], keys, now_seconds)
    key = import_key(dict(jwk))
    if header["alg"] != ALGORITHM_OF[key.key_type]:
        raise _refused(
            "alg", "Het algoritme past niet bij de sleutel.", "The algorithm does not fit the key."
        )
    try:
        holds = jws.validate_compact(signature, key, registry=_JWS)
    except (JoseError, ValueError) as error:
        raise _broken() from error
    if not holds:
        raise _broken()
    return jwk


def _known_key(kid: Any, keys: Iterable[Credential], now_seconds: float) -> Mapping[str, Any]:
    for one in keys:
        if one.jwk is not None and one.jwk.get("kid") == kid and one.is_usable(now_seconds):
            return one.jwk
    raise _refused(
        "kid",
        "Deze sleutel is niet (of niet meer) geregistreerd voor deze organisatie.",
        "This key is not, or no longer, registered for this organisation.",
    )


def _statement(said: Mapping[str, Any], expected: Statement, now_seconds: float) -> Statement:
    allowed = _REQUIRED | {"reason"} if expected.act in _REASONED else _REQUIRED
    if not _REQUIRED <= said.keys() <= allowed:
        raise _malformed()
    for name in ("agreement_id", "document_hash", "act", "party"):
        if said[name] != getattr(expected, name):
            raise _refused(
                name,
                f"De ondertekende verklaring heeft een andere {name}.",
                f"The signed statement has another {name}.",
            )
    reason = said.get("reason")
    if reason is not None and reason not in code_list("agreement_reason").codes:
        listed = ", ".join(code_list("agreement_reason").codes)
        raise _refused("reason", f"Kies uit: {listed}.", f"Choose from: {listed}.")
    at = _moment(said["at"], now_seconds)
    return Statement(
        expected.agreement_id, expected.document_hash, expected.act, expected.party, at, reason
    )


def _moment(value: Any, now_seconds: float) -> int:
    try:
        at = from_rfc3339(value)
    except (TypeError, ValueError) as error:
        raise _malformed() from error
    if not -BEHIND_SECONDS <= at / 1_000_000 - now_seconds <= AHEAD_SECONDS:
        raise _refused(
            "at",
            "De verklaring is ouder dan een week of in de toekomst getekend; teken opnieuw.",
            "The statement is older than a week or signed in the future; sign it anew.",
        )
    return at


def _malformed() -> SignatureRefused:
    return _refused(
        "jws",
        "Geen compacte JWS over een canonieke verklaring (RFC 8785).",
        "No compact JWS over a canonical statement (RFC 8785).",
    )


def _broken() -> SignatureRefused:
    return _refused("signature", "De handtekening klopt niet.", "The signature does not hold.")


def _refused(name: str, nl: str, en: str) -> SignatureRefused:
    reason = Message(nl=nl, en=en)
    param = InvalidParam(f"jws.{name}", f"{name}_refused", reason)
    return SignatureRefused(reason, invalid=[param])
