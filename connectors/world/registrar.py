"""Applies a registry file as the hub's administrator, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx

from connectors.errors import HubRefused, HubUnavailable
from connectors.tokens import TokenSource
from schemas.errors import Message
from schemas.proofs import Prover

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.credentials import Credentials

ANSWER_SECONDS = 60.0


class Registrar:
    """The administrator of a test installation.

    Args:
        url: the gateway's address.
        credentials: a client with scope `sj_admin`.
        transport: httpx's, for tests.
    """

    def __init__(
        self, url: str, credentials: Credentials, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._http = httpx.Client(base_url=url, transport=transport, timeout=ANSWER_SECONDS)
        self._tokens = TokenSource(self._http, credentials, prover=Prover())

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def apply(self, document: Mapping[str, Any]) -> int:
        """Apply a registry file's content; the number of changes.

        Raises:
            HubRefused: the file is wrong, or these credentials may not.
            HubUnavailable: no answer.
        """
        plan = self._post("/v1/registry/plan", document)
        if plan["changes"]:
            wanted = {"document": document, "expected_version": plan["version"]}
            self._post("/v1/registry/apply", wanted)
        return len(plan["changes"])

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            response = self._tokens.send(self._http.build_request("POST", path, json=body))
        except httpx.HTTPError as error:
            raise HubUnavailable(
                Message(nl="De hub antwoordt niet.", en="The hub does not answer.")
            ) from error
        answer: dict[str, Any] = response.json()
        if response.is_error:
            sentence = str(answer.get("detail", response.status_code))
            raise HubRefused(
                response.status_code,
                str(answer.get("code", "")),
                Message(nl=sentence, en=sentence),
            )
        return answer
