"""Checks DPoP proofs (RFC 9449 §4.3), with the times of FAPI 2.0.

Two steps, because the second one writes: `check` judges a proof by itself, `use` makes it count
once, when it is known whose it is. What a proof costs on the hot path is one signature; its header
is the same text each time and is read once.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway import errors
from gateway.oauth.compact import MalformedJwtError, decoded
from gateway.oauth.nonces import Nonces
from gateway.oauth.proof_keys import ProofKey, read_header
from gateway.oauth.used_proofs import UsedProofs
from schemas import proofs, strictjson
from schemas.errors import Message, StrictJsonError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

AHEAD_SECONDS: Final = 10
BACK_SECONDS: Final = 60
MAX_LENGTH: Final = 4096
KEYS_MAX: Final = 10_000
_JTI: Final = re.compile(r"[\x21-\x7e]{1,128}")


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that is right by itself, and not yet used.

    Attributes:
        header: as it was encoded, the same for every proof of its key.
        key: that signed it.
        until_seconds: when it ends by itself.
    """

    header: bytes
    key: ProofKey
    jti: str
    until_seconds: int

    @property
    def thumbprint(self) -> str:
        """The `jkt` of the key."""
        return self.key.thumbprint


class Proofs:
    """One gateway's judge of proofs; safe from any thread.

    Args:
        addresses: where clients reach this hub, without a path that it serves, the one to use
            first; a proof names one of them. Never taken from the request, which says what its
            sender likes.
        now: real time in seconds since the epoch.
        used: remembers what was used; of this gateway alone, like the nonces.
    """

    def __init__(
        self,
        addresses: Collection[str],
        *,
        now: Callable[[], float] = time.time,
        used: UsedProofs | None = None,
    ) -> None:
        self._addresses = addresses
        self._now = now
        self._used = used or UsedProofs(now)
        self._nonces = Nonces(now)
        self._keys: dict[bytes, ProofKey] = {}

    @property
    def remembered(self) -> int:
        """How many used proofs this gateway remembers now."""
        return self._used.remembered

    def fresh_nonce(self) -> str:
        """A nonce for the client's next proofs."""
        return self._nonces.fresh()

    def check(self, proof: str, method: str, path: str, token_hash: str | None) -> Proof:
        """Judge a proof for one request. Does not block; about 100 µs.

        Args:
            proof: the value of the `DPoP` header.
            method: of the request.
            path: of the request as it was sent, escapes included and without the query.
            token_hash: the `ath` that it must carry; None at the token endpoint, where it must not
                be asked for.

        Raises:
            InvalidProof: 401, whatever is wrong with it.
            NonceRequired: 401, it is right but carries no good nonce; the error brings one.
        """
        key, header, claims = self._signed(proof)
        self._check_request(claims, method, path)
        if token_hash is not None and claims.get("ath") != token_hash:
            raise invalid_proof("ath")
        until, jti = self._check_time(claims), claims.get("jti")
        if not isinstance(jti, str) or not _JTI.fullmatch(jti):
            raise invalid_proof("jti")
        self._check_nonce(claims.get("nonce"))
        return Proof(header, key, jti, until)

    def use(self, proof: Proof, client_id: str) -> None:
        """Let a proof count, once.

        Raises:
            InvalidProof: 401, it was used before.
            TooManyCalls: 429, the client's share of the memory is full.
            Overloaded: 503, the memory is full.
        """
        if not self._used.use(client_id, proof.thumbprint, proof.jti, proof.until_seconds):
            raise invalid_proof("used_before")
        self._remember(proof)

    def _signed(self, proof: str) -> tuple[ProofKey, bytes, dict[str, Any]]:
        """Key, header and claims of a proof whose signature is right."""
        if len(proof) > MAX_LENGTH or not proof.isascii():
            raise invalid_proof("length")
        signed, _, signature = proof.encode().rpartition(b".")
        header, _, payload = signed.partition(b".")
        if b"." in payload:
            raise invalid_proof("encoding")
        try:
            key = self._keys.get(header) or read_header(header)
            is_signed = key.is_signer(decoded(signature), signed)
            claims = strictjson.loads(decoded(payload)) if is_signed else None
        except MalformedJwtError as error:
            raise invalid_proof(str(error)) from error
        except StrictJsonError as error:
            raise invalid_proof("claims") from error
        if not is_signed:
            raise invalid_proof("signature")
        if not isinstance(claims, dict):
            raise invalid_proof("claims")
        return key, header, claims

    def _remember(self, proof: Proof) -> None:
        """Keep the key of a client, so that its header is not read again."""
        if proof.header not in self._keys:
            if len(self._keys) >= KEYS_MAX:
                self._keys.clear()
            self._keys[proof.header] = proof.key

    def _check_request(self, claims: dict[str, Any], method: str, path: str) -> None:
        if claims.get("htm") != method:
            raise invalid_proof("htm")
        named = claims.get("htu")
        if not isinstance(named, str):
            raise invalid_proof("htu")
        meant = [f"{address}{path}" for address in self._addresses]
        if named not in meant and not _is_one_of(named, meant):
            known = next(iter(self._addresses))
            fix = Message(
                nl=f"Roep de hub aan op {known}, en noem dat adres.",
                en=f"Call the hub at {known}, and name that address.",
            )
            raise invalid_proof("htu", fix)

    def _check_time(self, claims: dict[str, Any]) -> int:
        """Check `iat`, and `exp` and `nbf` where given; gives the last second it counts."""
        now, issued_at = self._now(), claims.get("iat")
        # type(), not isinstance(): True is an int.
        if type(issued_at) is not int:
            raise invalid_proof("iat")
        if not now - BACK_SECONDS <= issued_at <= now + AHEAD_SECONDS:
            raise invalid_proof("iat")
        expires_at, not_before = claims.get("exp", issued_at), claims.get("nbf", issued_at)
        if type(expires_at) is not int or type(not_before) is not int:
            raise invalid_proof("times")
        if not_before > now + AHEAD_SECONDS or ("exp" in claims and expires_at <= now):
            raise invalid_proof("times")
        return issued_at + BACK_SECONDS

    def _check_nonce(self, nonce: object) -> None:
        if nonce is not None and not isinstance(nonce, str):
            raise invalid_proof("nonce")
        if nonce is None or not self._nonces.is_good(nonce):
            raise errors.NonceRequired(
                Message(
                    nl="Zet de nonce uit DPoP-Nonce in het bewijs en herhaal de oproep.",
                    en="Put the nonce of DPoP-Nonce into the proof and repeat the call.",
                ),
                facts={"nonce": self.fresh_nonce()},
            )


_NEW_ONE: Final = Message(nl="Maak een nieuw voor deze oproep.", en="Make a new one for this call.")
_FIXES: Final = {
    "missing": Message(nl="Stuur een DPoP-header mee.", en="Send a DPoP header along."),
    "several": Message(nl="Stuur er één.", en="Send one."),
    "iat": Message(nl="Zet de klok van uw machine gelijk.", en="Set the clock of your machine."),
    "other_key": Message(
        nl="Onderteken met de sleutel waarmee het token gevraagd is.",
        en="Sign with the key that the token was asked with.",
    ),
    "private_key": Message(
        nl="Zet alleen het publieke deel in jwk, en maak een nieuwe sleutel.",
        en="Put the public part alone into jwk, and make a new key.",
    ),
}


def invalid_proof(reason: str, fix: Message | None = None) -> errors.InvalidProof:
    """The refusal of a proof; the reason is the name of what is wrong, never its value."""
    what = fix or _FIXES.get(reason, _NEW_ONE)
    return errors.InvalidProof(
        Message(
            nl=f"Het DPoP-bewijs klopt niet ({reason}). {what.nl}",
            en=f"The DPoP proof is not right ({reason}). {what.en}",
        ),
        facts={"reason": reason},
    )


def _is_one_of(named: str, meant: list[str]) -> bool:
    """Whether two spellings of an address are the same one (RFC 9449 §4.3, RFC 3986 §6.2)."""
    try:
        return proofs.target(named) in [proofs.target(one) for one in meant]
    except ValueError:
        return False
