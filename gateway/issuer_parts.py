"""What tokens are given and checked with: the hub's own issuer, and those that it trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.oauth.assertions import UsedAssertions
from gateway.oauth.fetching import Fetcher
from gateway.oauth.foreign_keys import ForeignKeys
from gateway.oauth.foreign_tokens import ForeignTokens
from gateway.oauth.introspection import Introspector
from gateway.oauth.issuer import Issuer
from gateway.oauth.keys import SigningKeys
from gateway.oauth.proofs import Proofs
from gateway.oauth.revocation import RevokedTokens
from gateway.oauth.senders import Senders
from gateway.oauth.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.exchange.key_file import FileKeyEncryption
    from gateway.registry_parts import RegistryParts
    from gateway.settings import HubSettings


class IssuerParts:
    """Keys, proofs and trusted issuers. `start` before serving, `stop` after."""

    def __init__(
        self, settings: HubSettings, registry: RegistryParts, encryption: FileKeyEncryption
    ) -> None:
        self._settings = settings
        self._registry = registry
        self.signing = SigningKeys(registry.ledger_engine, encryption)
        registry.live.before_change(self.signing.reload)
        self._proofs = Proofs(settings.addresses)
        self._fetcher = Fetcher(settings.environment)
        self._foreign_keys = ForeignKeys(self._fetcher, registry.live.current)

    def start(self) -> None:
        """Start the thread that reads the keys of trusted issuers."""
        self._foreign_keys.start()

    def stop(self) -> None:
        """End it, and the connections to them."""
        self._foreign_keys.stop()
        self._fetcher.close()

    def figures(self) -> Mapping[str, float]:
        """What `/metrics` shows of them."""
        return {
            "proofs_remembered": float(self._proofs.remembered),
            "issuer_keys_age_seconds": self._foreign_keys.oldest_seconds(),
        }

    def verifier(self) -> Verifier:
        """Verifies the tokens of this hub's own issuer, and of those that the registry trusts."""
        return Verifier(
            issuer=self._settings.issuer,
            keys=self.signing,
            registry=self._registry.live.current,
            senders=Senders(self._proofs),
            foreign=ForeignTokens(
                self._foreign_keys, Introspector(self._fetcher, self.signing.current)
            ),
        )

    def issuer(self) -> Issuer:
        """Gives the hub's own tokens."""
        return Issuer(
            url=self._settings.issuer,
            keys=self.signing,
            registry=self._registry.live.current,
            used=UsedAssertions(self._registry.ledger_engine),
            revoked=RevokedTokens(self._registry.ledger_engine),
            proofs=self._proofs,
            takes_certificates=self._settings.takes_certificates,
        )
