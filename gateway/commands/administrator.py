"""Asks the hub to change something, as its administrator; every fault the hub found is kept."""

from __future__ import annotations

from typing import Any

import httpx

from gateway.commands.session import Session
from gateway.errors import RefusedByHub
from schemas.errors import InvalidParam, Message


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
        """A fresh bearer token, for a person to try calls with. Raises as `post`.

        Production gives none: whoever copies it could use it.
        """
        return self._new_token(is_bound=False)

    def _posted(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if self._token is None:
            self._token = self._new_token()
        return self._proven("POST", path, self._token, json=body)


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
