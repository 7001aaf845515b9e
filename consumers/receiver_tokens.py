"""Bearer tokens that receivers ask for: client credentials (RFC 6749 §4.4), kept until they end.

The token endpoint is called through the same guard as the receiver itself.
"""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, urlencode

import orjson

from consumers.errors import NotSent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumers.posting import Answer
    from consumers.webhook_secrets import Oauth

REFUSED: Final = "token_refused"
SPARE_SECONDS: Final = 30.0
LONGEST_SECONDS: Final = 3600.0
DEFAULT_SECONDS: Final = 300.0
_OK: Final = 200


class Posts(Protocol):
    """Posts once; `consumers.posting.Poster` is the real one."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer; raises NotSent when there is none."""
        ...


class ReceiverTokens:
    """Gets tokens and keeps them in memory; safe from several threads."""

    def __init__(self, poster: Posts) -> None:
        self._poster = poster
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Oauth, str, float]] = {}

    def bearer(self, subscription_id: str, oauth: Oauth) -> str:
        """A token for this subscription's receiver; blocks when a new one has to be got.

        Raises:
            NotSent: the token endpoint does not answer, or gives none.
        """
        with self._lock:
            found = self._kept.get(subscription_id)
        if found is not None and found[0] == oauth and found[2] > time.monotonic():
            return found[1]
        token, seconds = self._got(oauth)
        until = time.monotonic() + min(seconds, LONGEST_SECONDS) - SPARE_SECONDS
        with self._lock:
            self._kept[subscription_id] = (oauth, token, until)
        return token

    def forget(self, subscription_id: str, token: str) -> None:
        """Drop a token that was refused, unless another has taken its place."""
        with self._lock:
            found = self._kept.get(subscription_id)
            if found is not None and found[1] == token:
                del self._kept[subscription_id]

    def _got(self, oauth: Oauth) -> tuple[str, float]:
        form = {"grant_type": "client_credentials"}
        if oauth.scope:
            form["scope"] = oauth.scope
        pair = f"{quote(oauth.client_id, safe='')}:{quote(oauth.client_secret, safe='')}"
        headers = {
            "authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }
        answer = self._poster.post(oauth.token_endpoint, headers, urlencode(form).encode())
        try:
            content = orjson.loads(answer.body)
            token, seconds = content["access_token"], content.get("expires_in", DEFAULT_SECONDS)
            is_usable = answer.status == _OK and token.isascii() and token.isprintable()
            if is_usable and content["token_type"].lower() == "bearer":
                return token, float(seconds)
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise NotSent(REFUSED) from error
        raise NotSent(REFUSED)
