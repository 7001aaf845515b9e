"""All that lies under the key-encryption key, for whoever replaces that key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from consumers import subscriptions
from gateway.exchange.key_rotation import KeyRotation
from gateway.exchange.proof_keys import ProofKeys
from gateway.exchange.text_seal import TextSeal
from gateway.oauth.keys import SigningKeys

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

    from gateway.exchange.encryption import KeyLife


def key_rotation(keys: Engine, ledger: Engine, consumers: Engine, kek: KeyLife) -> KeyRotation:
    """Replaces the key for everything that it wraps; the hub by the clock, and an operator.

    What is not named here is lost when the older key is destroyed.

    Args:
        keys: the key store, writing.
        ledger: the ledger's store, writing.
        consumers: the consumers' store, writing.
        kek: what is replaced.

    Raises:
        KeysUnusable: a key that the hub signs with does not open.
    """
    others = (
        SigningKeys(ledger, kek).rewrap,
        ProofKeys(ledger, kek).rewrap,
        partial(subscriptions.rewrap, consumers, TextSeal(kek)),
    )
    return KeyRotation(keys, kek, ledger, others)
