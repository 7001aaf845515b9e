"""Asks the hub to change something, as its administrator; every fault the hub found is kept."""

from __future__ import annotations

import time
import uuid
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from gateway.commands.session import Session
from gateway.errors import CredentialsMissing, RefusedByHub
from schemas.errors import InvalidParam, Message

ALGORITHMS = {"EC": "ES256", "RSA": "PS256", "OKP": "EdDSA"}
ASSERTION_SECONDS = 55


class Administrator(Session):
    """A session that may also write."""

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON answer to a JSON body.

        Raises:
            RefusedByHub: whatever the hub says is wrong; `invalid` has every fault it listed.
            HubUnreachable: no answer; a change may or may not have been made.
            CredentialsMissing: the credentials are not usable.
        """
        response = self._posted(path, body)
        if response.status_code == httpx.codes.UNAUTHORIZED:  # the token ended: once more
            self._token = None
            response = self._posted(path, body)
        answer = _document(response)
        if response.is_error:
            raise _refusal(response.status_code, answer)
        return answer

    def token(self) -> str:
        """A fresh access token, for a person to try calls with. Raises as `post`."""
        return self._new_token()

    def _assertion(self) -> str:
        """A `private_key_jwt` assertion, signed with the private JWK of the credentials file."""
        document = self._place.document
        return client_assertion(
            document["client_id"],
            document.get("private_key"),
            issuer=document.get("issuer") or self._issuer(),
            now_seconds=time.time(),
        )

    def _posted(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if self._token is None:
            self._token = self._new_token()
        headers = {"authorization": f"Bearer {self._token}"}
        return self._sent("POST", path, json=body, headers=headers)


def client_assertion(client_id: str, jwk: Any, *, issuer: str, now_seconds: float) -> str:
    """Sign what proves a client to the token endpoint; it counts once, for less than a minute.

    Raises:
        CredentialsMissing: it is no private JWK of a type the hub accepts.
    """
    try:
        key = import_key(dict(jwk))
        algorithm = ALGORITHMS[key.key_type]
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": issuer,
            "jti": str(uuid.uuid4()),
            "iat": int(now_seconds),
            "exp": int(now_seconds) + ASSERTION_SECONDS,
        }
        header = {"alg": algorithm, "typ": "client-authentication+jwt"}
        if key.kid:
            header["kid"] = key.kid
        return jwt.encode(header, claims, key, algorithms=[algorithm])
    except (JoseError, KeyError, ValueError, TypeError):
        # Without `from`: the cause's own text may hold the key.
        raise CredentialsMissing(
            Message(
                nl="De privésleutel in het bestand met toegangsgegevens is onbruikbaar.",
                en="The private key in the credentials file is not usable.",
            )
        ) from None


def _document(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(status: int, problem: dict[str, Any]) -> RefusedByHub:
    told = problem.get("detail") or status
    error = RefusedByHub(
        Message(nl=f"De hub weigert: {told}", en=f"The hub refuses: {told}"), status=status
    )
    # The hub answered in one language, the one of this terminal.
    error.invalid = tuple(
        InvalidParam(
            str(one.get("name")),
            str(one.get("code")),
            Message(nl=str(one.get("reason")), en=str(one.get("reason"))),
        )
        for one in problem.get("invalidParams", ())
        if isinstance(one, dict)
    )
    return error
