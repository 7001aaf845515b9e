"""What signs a subscription's webhooks and gets its tokens, as it is kept: sealed, in texts.

Pure: nothing here reads or writes a row, and whoever seals is handed in. Times are microseconds
UTC, business time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from consumers.errors import CredentialsLost, SecretLost

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SECRETS: Final = 3


class Seal(Protocol):
    """Seals short secrets; `gateway.exchange.text_seal.TextSeal` is the real one."""

    def seal(self, secret: bytes, bound_to: str) -> str:
        """A text that only `open` with the same `bound_to` gives back."""
        ...

    def open(self, sealed: str, bound_to: str) -> bytes:
        """The inverse of `seal`; raises the seal's own error when it does not fit."""
        ...

    def is_current(self, sealed: str) -> bool:
        """Whether it need not be sealed anew."""
        ...

    def is_lost(self, sealed: str) -> bool:
        """Whether the key that sealed it is gone, so that nobody ever opens it again."""
        ...


@dataclass(frozen=True, slots=True)
class Oauth:
    """How to get a token for the receiver: client credentials (RFC 6749 §4.4)."""

    token_endpoint: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Vault:
    """The secrets of one subscription.

    Args:
        subscription_id: what they are bound to: those of another do not open.
        seal: keeps them.
    """

    subscription_id: str
    seal: Seal

    def kept(self, secret: str) -> str:
        """The text for a first secret."""
        return _written([(self._sealed(secret), None)])

    def kept_oauth(self, oauth: Oauth | None) -> str | None:
        """The text for these credentials."""
        if oauth is None:
            return None
        return self.seal.seal(json.dumps(asdict(oauth)).encode(), self._bound("oauth"))

    def signing(self, kept: str, now: int) -> list[str]:
        """The secrets that sign now, the newest first.

        Raises:
            SecretLost: one of them can never be opened again.
            SchakelError: the seal's own, when it cannot open it now.
        """
        signing = [sealed for sealed, until in _read(kept) if until is None or until > now]
        if any(self.seal.is_lost(sealed) for sealed in signing):
            raise SecretLost
        return [self.seal.open(sealed, self._bound("secret")).decode() for sealed in signing]

    def oauth(self, kept: str | None) -> Oauth | None:
        """The credentials, None when there are none.

        Raises:
            CredentialsLost: they can never be opened again.
            SchakelError: the seal's own, when it cannot open them now.
        """
        if kept is None:
            return None
        if self.seal.is_lost(kept):
            raise CredentialsLost
        return Oauth(**json.loads(self.seal.open(kept, self._bound("oauth"))))

    def rotated(self, kept: str, secret: str, *, grace_us: int, now: int) -> str:
        """With a new secret, and until the grace is over the former ones that open too."""
        former = [
            (sealed, now + grace_us if until is None else min(until, now + grace_us))
            for sealed, until in _read(kept)
            if (until is None or until > now) and not self.seal.is_lost(sealed)
        ]
        return _written([(self._sealed(secret), None), *former][:MOST_SECRETS])

    def resealed(self, kept: str, oauth: str | None) -> tuple[str, str | None]:
        """Both texts under the current key; what is lost stays as it is."""
        again = [(self._again(sealed, "secret"), until) for sealed, until in _read(kept)]
        return _written(again), oauth and self._again(oauth, "oauth")

    def _again(self, sealed: str, kind: str) -> str:
        if self.seal.is_current(sealed) or self.seal.is_lost(sealed):
            return sealed
        return self.seal.seal(self.seal.open(sealed, self._bound(kind)), self._bound(kind))

    def _sealed(self, secret: str) -> str:
        return self.seal.seal(secret.encode(), self._bound("secret"))

    def _bound(self, kind: str) -> str:
        return f"webhook-{kind}:{self.subscription_id}"


def _written(secrets: Sequence[tuple[str, int | None]]) -> str:
    return json.dumps([{"sealed": sealed, "until": until} for sealed, until in secrets])


def _read(kept: str) -> list[tuple[str, int | None]]:
    return [(one["sealed"], one["until"]) for one in json.loads(kept)]
