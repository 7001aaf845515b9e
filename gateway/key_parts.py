"""All that lies under the key-encryption key, for whoever replaces that key."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import select

from consumers import subscriptions
from gateway.exchange.encryption import unusable
from gateway.exchange.key_rotation import KeyRotation
from gateway.exchange.proof_keys import ProofKeys
from gateway.exchange.proof_tables import KEYS as PROOF_KEYS
from gateway.exchange.registry_tables import SIGNING_KEYS
from gateway.exchange.text_seal import TextSeal
from gateway.oauth.keys import SigningKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Engine

    from gateway.errors import KeysUnusable
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


def require_openable(ledger: Engine, kek: KeyLife) -> None:
    """See that what the hub signs with still opens, before anything uses it.

    Raises:
        KeysUnusable: it lies under a key that is gone, with what an operator does then.
    """
    known = {*kek.ids()}
    with ledger.connect() as connection:
        names = {
            table.name: {*connection.scalars(select(table.c.sealed_with))}
            for table in (SIGNING_KEYS, PROOF_KEYS)
        }
    known |= {*kek.ids()}  # asked twice, for another gateway may be replacing the key now
    lost = [name for name, sealed_with in names.items() if not sealed_with <= known]
    if lost:
        raise _lost(lost)


def _lost(tables: Sequence[str]) -> KeysUnusable:
    told = " / ".join(tables)
    return unusable(
        f"{told} ligt onder een sleutel die niet in het sleutelbestand staat. Zet het "
        "sleutelbestand van toen terug; is die sleutel vernietigd, wis dan de rijen van "
        'signing_keys en van proof_keys ("After a restore of older data" in deploy/README.md)',
        f"{told} lies under a key that is not in the key file. Put the key file of that time "
        "back; if that key was destroyed, delete the rows of signing_keys and of proof_keys "
        '("After a restore of older data" in deploy/README.md)',
    )
